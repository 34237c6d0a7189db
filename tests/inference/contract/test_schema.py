"""The check of records: order, what is refused and why, and that no value is repeated."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from inference.contract.refusal import RefusedError
from inference.contract.schema import LONGEST_LIST, Schema
from tests.manifests import manifest_of
from tests.records import feature

NUMBERS = (
    feature("radius", "float", range=[3.5, 60.0]),
    feature("copy", "float", range=[0.0, 1.0]),
    feature("model dump", "float", range=[-5.0, 5.0]),
)
FEATURES = (
    *NUMBERS,
    feature("age", "integer", range=[18, 100]),
    feature("income", "float", range=[0.0, 250000.5], nullable=True),
    feature("region", "string", values=["north", "far east"]),
    feature("member", "boolean"),
    feature("doors", "integer", values=[1, 2, 5]),
)
GOOD = {
    "radius": 14.5,
    "copy": 0.25,
    "model dump": -1,
    "age": 40,
    "income": None,
    "region": "north",
    "member": True,
    "doors": 2,
}
SCHEMA = Schema(manifest_of(FEATURES))
RECORDING = Schema(manifest_of(FEATURES, unknown_fields="record"))


def refusal(item: object, schema: Schema = SCHEMA) -> RefusedError:
    assert schema.one(json.dumps(item).encode()) is None
    with pytest.raises(RefusedError) as caught:
        schema.checked([("", item)])
    return caught.value


def faults(item: object) -> dict[str, tuple[str, str]]:
    return {each.field: (each.problem, each.reason) for each in refusal(item).problems}


@given(st.permutations(list(GOOD.items())))
def test_values_come_back_in_the_order_of_the_table_whatever_order_they_were_sent_in(items):
    for batch in (
        SCHEMA.one(json.dumps(dict(items)).encode()),
        SCHEMA.checked([("", dict(items))]),
    ):
        assert list(batch.records[0].items()) == list(GOOD.items())


def test_an_integer_sent_for_a_float_is_read_as_one():
    record = SCHEMA.one(json.dumps(GOOD).encode()).records[0]

    assert type(record["model dump"]) is float


@pytest.mark.parametrize(
    ("name", "value", "reason", "sentence"),
    [
        ("radius", True, "type", "is not a number"),
        ("radius", "14.5", "type", "is not a number"),
        ("radius", [14.5], "type", "is not a number"),
        ("radius", {}, "type", "is not a number"),
        ("radius", None, "null", "is null"),
        ("radius", math.nan, "not_finite", "is not a finite number"),
        ("radius", -math.inf, "not_finite", "is not a finite number"),
        ("radius", 10**400, "range", "is out of range, allowed is 3.5 to 60;"),
        ("radius", 3.49, "range", "is out of range, allowed is 3.5 to 60;"),
        ("radius", 60.01, "range", "is out of range"),
        ("age", 40.0, "type", "is not an integer"),
        ("age", True, "type", "is not an integer"),
        ("age", "40", "type", "is not an integer"),
        ("age", None, "null", "is null"),
        ("age", 17, "range", "is out of range, allowed is 18 to 100;"),
        ("age", 10**400, "range", "is out of range"),
        ("income", -0.1, "range", "is out of range, allowed is 0 to 250000.5;"),
        ("income", "", "type", "is not a number"),
        ("region", "North", "value", 'is not in the list, allowed is one of "north", "far east"'),
        ("region", 1, "type", "is not a string"),
        ("region", None, "null", "is null"),
        ("member", 1, "type", "is not a boolean"),
        ("member", "true", "type", "is not a boolean"),
        ("doors", 3, "value", "is not in the list, allowed is one of 1, 2, 5"),
        ("doors", True, "type", "is not an integer"),
        ("doors", 1.0, "type", "is not an integer"),
        ("doors", "1", "type", "is not an integer"),
    ],
)
def test_a_value_that_is_not_allowed_is_refused_for_what_it_is(name, value, reason, sentence):
    (found,) = faults(GOOD | {name: value}).items()

    assert found[0] == name
    assert found[1][0].startswith(sentence)
    assert found[1][1] == reason


@pytest.mark.parametrize("name", GOOD)
def test_a_feature_that_is_absent_is_missing_though_null_were_allowed(name):
    rest = {key: value for key, value in GOOD.items() if key != name}

    ((field, (sentence, reason)),) = faults(rest).items()

    assert (field, reason) == (name, "missing")
    assert ("or null" in sentence) == (name == "income")


@pytest.mark.parametrize("item", [None, 3, "radius", [], [GOOD], math.nan, True])
def test_what_is_no_object_is_no_record(item):
    (problem,) = refusal(item).problems

    assert (problem.field, problem.reason) == ("", "type")


def test_all_problems_of_a_record_come_at_once():
    found = faults({"radius": "x", "copy": 7, "colour": 1} | {"member": None})

    assert set(found) == {*GOOD, "colour"}


def test_an_unknown_field_is_refused_or_named_as_the_manifest_says():
    item = GOOD | {"colour": "red", "model_dump": 1}

    batch = RECORDING.checked([("", item)])

    assert {problem.reason for problem in refusal(item).problems} == {"unknown"}
    assert batch.unknown == ("colour", "model_dump")
    assert batch.records == [GOOD]


def test_the_fast_way_leaves_whatever_is_to_be_said_to_the_careful_one():
    extra = json.dumps(GOOD | {"colour": 1}).encode()

    assert RECORDING.one(extra) is None
    assert RECORDING.many(b'{"instances": [' + extra + b"]}") is None
    assert (
        RECORDING.many(b'{"colour": 1, "instances": [' + json.dumps(GOOD).encode() + b"]}") is None
    )


@given(st.sampled_from(["radius", "age", "region"]), st.integers(10**6, 10**9), st.booleans())
def test_no_value_that_was_sent_is_ever_repeated(name, number, is_text):
    value = f"x{number}" if is_text else number
    for item in (GOOD | {name: value, "colour": value}, dict.fromkeys(GOOD, value), value):
        said = json.dumps([(each.field, each.problem) for each in refusal(item).problems])

        assert str(number) not in said


def test_a_flood_of_unknown_fields_gives_a_short_answer_that_counts_the_rest():
    flood = {f"unknown-{index}-{'x' * 500}": index for index in range(5000)}

    problems = refusal(GOOD | flood).problems

    assert problems[-1].problem == f"and {5000 - LONGEST_LIST} more problems"
    assert len(problems) == LONGEST_LIST + 1
    assert sum(len(problem.field) for problem in problems) < 10_000


def test_no_more_than_a_hundred_unknown_names_are_kept_of_a_request():
    flood = [
        (f"line {line}: ", GOOD | {f"{line}-{i}-{'x' * 500}": i for i in range(60)})
        for line in (1, 2)
    ]

    unknown = RECORDING.checked(flood).unknown

    assert len(unknown) == LONGEST_LIST
    assert sum(map(len, unknown)) < 10_000


def test_a_batch_of_bad_records_is_looked_through_until_a_hundred_problems_are_found():
    def items():
        for index in range(5000):
            yield f"instances[{index}].", {}

    with pytest.raises(RefusedError) as caught:
        SCHEMA.checked(items())

    *kept, last = caught.value.problems
    assert len(kept) == LONGEST_LIST
    assert last.problem == "and 4 more problems up to instances[12]"  # 13 records of 8 features


VALUES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-10, 110),
    st.floats(),
    st.sampled_from(["north", "far east", "", "1"]),
    st.lists(st.integers(), max_size=1),
)


def plain_model() -> type[BaseModel]:
    """Give the same check of the numbers as an ordinary model of pydantic."""
    fields = {
        f"f{index}": (
            float,
            Field(alias=it["name"], ge=it["range"][0], le=it["range"][1], allow_inf_nan=False),
        )
        for index, it in enumerate(NUMBERS)
    }
    return create_model("Plain", __config__=ConfigDict(strict=True, extra="forbid"), **fields)


PLAIN = plain_model()
PLAIN_SCHEMA = Schema(manifest_of(NUMBERS))


@given(
    st.dictionaries(st.sampled_from(["radius", "copy", "model dump", "x"]), VALUES)
    | st.fixed_dictionaries({it["name"]: st.floats(-6, 61) for it in NUMBERS})
)
def test_what_a_model_of_pydantic_refuses_is_refused_and_what_it_takes_is_taken(item):
    text = json.dumps(item).encode()
    try:
        taken = list(PLAIN.model_validate_json(text).__dict__.values())
    except ValidationError:
        taken = None

    fast = PLAIN_SCHEMA.one(text)
    try:
        careful = PLAIN_SCHEMA.checked([("", item)])
    except RefusedError:
        careful = None

    assert fast == careful
    assert taken == (None if fast is None else list(fast.records[0].values()))
