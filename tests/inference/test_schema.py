"""The input check: order, refusals, and that no value is repeated."""

import json
import random
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.schema import LONGEST_LIST, Feature, RefusedError, Schema

FEATURES = [Feature("radius", 3.5, 60), Feature("copy", 0, 1), Feature("model_dump", -5, 5)]
GOOD = {"radius": 14.5, "copy": 0.25, "model_dump": -1}
SCHEMA = Schema(FEATURES)


def refusal(body: object) -> RefusedError:
    with pytest.raises(RefusedError) as caught:
        SCHEMA.rows(body if isinstance(body, bytes) else json.dumps(body).encode())
    return caught.value


def faults(body: object) -> dict[str, str]:
    return {problem.field: problem.problem for problem in refusal(body).problems}


@given(st.permutations(list(GOOD.items())))
def test_values_come_back_in_the_order_of_the_table_whatever_order_they_were_sent_in(items):
    assert SCHEMA.rows(json.dumps(dict(items)).encode()) == [[14.5, 0.25, -1.0]]


def test_a_batch_gives_one_row_a_record():
    other = GOOD | {"radius": 60}

    assert SCHEMA.rows(json.dumps({"instances": [GOOD, other]}).encode()) == [
        [14.5, 0.25, -1.0],
        [60.0, 0.25, -1.0],
    ]


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"radius": True}, "is not a number"),
        ({"radius": "14.5"}, "is not a number"),
        ({"radius": None}, "is not a number"),
        ({"radius": [14.5]}, "is not a number"),
        ({"radius": float("nan")}, "is not a finite number"),
        ({"radius": float("inf")}, "is not a finite number"),
        ({"radius": 10**400}, "is not a finite number"),
        ({"radius": 3.49}, "is out of range, allowed is 3.5 to 60"),
        ({"radius": 60.01}, "is out of range, allowed is 3.5 to 60"),
    ],
)
def test_a_value_that_is_no_number_in_range_is_refused_for_what_it_is(change, sentence):
    problem = faults(GOOD | change)

    assert list(problem) == ["radius"]
    assert problem["radius"].startswith(sentence)


@pytest.mark.parametrize(
    ("body", "status", "field", "sentence"),
    [
        (b"", 400, "", "the body is not valid JSON"),
        (b"{", 400, "", "the body is not valid JSON"),
        (b"\xff\xfe{}", 400, "", "the body is not valid JSON"),
        (b'{"\\ud800": 1}', 400, "", "the body is not valid JSON"),
        (b"[" * 5000, 400, "", "the body is not valid JSON"),
        (b'{"radius": 1' + b"0" * 5000 + b"}", 400, "", "the body is not valid JSON"),
        (b"[]", 422, "", "is not an object"),
        (b"null", 422, "", "is not an object"),
        ({"instances": []}, 422, "instances", "is empty"),
        ({"instances": GOOD}, 422, "instances", "is not a list"),
        ({"instances": [GOOD, 3]}, 422, "instances[1]", "is not an object"),
        ({"instances": [GOOD, GOOD | {"copy": 2}]}, 422, "instances[1].copy", "is out of range"),
        ({"instances": [GOOD], "radius": 14.5}, 422, "radius", "is not a feature"),
        (GOOD | {"f0": 14.5}, 422, "f0", "is not a feature"),
    ],
)
def test_a_body_that_is_no_record_is_refused_with_its_place(body, status, field, sentence):
    refused = refusal(body)

    assert refused.status == status
    assert [problem.field for problem in refused.problems] == [field]
    assert refused.problems[0].problem.startswith(sentence)


def test_all_problems_of_a_record_come_at_once():
    assert set(faults({"radius": "x", "copy": 7, "colour": 1})) == {
        "radius",
        "copy",
        "model_dump",
        "colour",
    }


@given(st.one_of(st.integers(10**6, 10**9).map(str), st.integers(10**6, 10**9)))
def test_no_value_that_was_sent_is_ever_repeated(value):
    problems = faults(dict.fromkeys(GOOD, value) | {"colour": value})

    assert str(value) not in json.dumps(problems)


def test_a_flood_of_unknown_fields_gives_a_short_answer():
    problems = refusal(GOOD | {f"unknown-{i}-{'x' * 500}": i for i in range(5000)}).problems

    assert problems[-1].problem == f"and {5000 - LONGEST_LIST} more problems"
    assert sum(len(problem.field) for problem in problems) < 10_000


def test_any_bytes_are_either_rows_or_a_refusal():
    dice = random.Random(7)
    good = json.dumps({"instances": [GOOD]}).encode()
    for _ in range(2000):
        body = bytearray(good)
        for _ in range(dice.randint(1, 4)):
            body[dice.randrange(len(body))] = dice.randrange(256)
        with suppress(RefusedError):
            assert all(3.5 <= row[0] <= 60 for row in SCHEMA.rows(bytes(body)))
