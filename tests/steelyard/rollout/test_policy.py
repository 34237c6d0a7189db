"""A policy is read whole or refused with every problem."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.rollout.policy import Policy, PolicyError, Step, canonical
from tests.steelyard.rollout.sample import policy, policy_dict


def test_a_policy_survives_its_json():
    given_policy = policy()

    again = Policy.from_dict(json.loads(canonical(given_policy.to_dict())))

    assert again == given_policy
    assert again.digest() == given_policy.digest()


def test_the_plan_ends_with_the_soak_at_full_weight():
    assert policy(soak_seconds=900).plan() == (Step(10, 600), Step(50, 600), Step(100, 900))


def test_the_digest_names_the_meaning_and_not_the_spelling():
    reordered = dict(reversed(policy_dict().items()))

    assert Policy.from_dict(reordered).digest() == policy().digest()
    assert policy(false_rollback=0.02).digest() != policy().digest()


def test_numbers_are_rounded_where_the_digest_rounds_them():
    assert policy(false_rollback=0.0100000001) == policy(false_rollback=0.01)


TOLERANCE = policy_dict()["tolerance"]


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"schema": 2}, "schema is 2: it must be 1"),
        ({"steps": []}, "steps is []: give a list with at least one weight and bake time"),
        (
            {"steps": [{"weight": 100, "bake_seconds": 60}]},
            "steps[0].weight is 100: it must be an integer in 1..99",
        ),
        (
            {"steps": [{"weight": True, "bake_seconds": 60}]},
            "steps[0].weight is True: it must be an integer in 1..99",
        ),
        (
            {"steps": [{"weight": 5, "bake_seconds": 0}]},
            "steps[0].bake_seconds is 0: it must be an integer of 1 or more",
        ),
        (
            {"steps": [{"weight": 5}]},
            "steps[0].bake_seconds is missing: it must be an integer of 1 or more",
        ),
        ({"steps": [7]}, "steps[0] is 7: give an object with weight, bake_seconds"),
        (
            {"steps": [{"weight": 9, "bake_seconds": 60}, {"weight": 9, "bake_seconds": 60}]},
            "steps[1].weight is 9 after 9: weights must rise, reorder the steps",
        ),
        (
            {"longest_seconds": 900},
            "longest_seconds is 900, not above the longest bake or soak of 900: "
            "no such step could advance before it pauses, raise it above 900",
        ),
        ({"pause_seconds": -1}, "pause_seconds is -1: it must be an integer of 0 or more"),
        (
            {"false_rollback": 0.5},
            "false_rollback is 0.5: it must be a number above 0 and below 0.5",
        ),
        (
            {"false_rollback": 1e-9},
            "false_rollback is 1e-09: it must be a number above 0 and below 0.5",
        ),
        (
            {"false_rollback": float("nan")},
            "false_rollback is nan: it must be a number above 0 and below 0.5",
        ),
        ({"minimum_requests": 0}, "minimum_requests is 0: it must be an integer of 1 or more"),
        (
            {"tolerance": {**TOLERANCE, "predictions": 1.1}},
            "tolerance.predictions is 1.1: it must be a number in 0..1",
        ),
        (
            {"tolerance": {**TOLERANCE, "errors_relative": float("inf")}},
            "tolerance.errors_relative is inf: it must be a number of 0 or more",
        ),
        ({"expected": None}, "expected is None: give an object with score, confidence"),
        (
            {"tolerance": {**TOLERANCE, "drift": 1}},
            "tolerance.drift is unknown: remove it, or use one of "
            "errors_relative, errors_absolute, latency, predictions",
        ),
        ({"undecided": "guess"}, "undecided is 'guess': it must be 'pause' or 'advance'"),
        ({"patience_minutes": 3}, "patience_minutes is 3: it must be 1 or 2"),
        (
            {"latency_edges": [0.1, 0.1]},
            "latency_edges is [0.1, 0.1]: give two seconds or more, above 0 and rising, or none",
        ),
        (
            {"latency_edges": ["1 s"]},
            "latency_edges is ['1 s']: give two seconds or more, above 0 and rising, or none",
        ),
    ],
)
def test_a_policy_that_cannot_be_used_says_why(changes: dict[str, Any], problem: str):
    with pytest.raises(PolicyError) as refused:
        policy(**changes)

    assert refused.value.problems == (problem,)


def test_all_problems_are_told_at_once():
    with pytest.raises(PolicyError) as refused:
        policy(soak_seconds="long", minimum_requests=0, colour="red", steps=[])

    assert len(refused.value.problems) == 4


def test_nothing_at_all_is_refused_with_every_field():
    with pytest.raises(PolicyError) as refused:
        Policy.from_dict({})

    named = {problem.split()[0] for problem in refused.value.problems}

    assert named == set(policy_dict()) - {"promotion_margin"}


def test_canonical_json_has_one_spelling():
    assert canonical({"b": (1, -0.0), "a": 0.12345678}) == '{"a":0.123457,"b":[1,0.0]}'


@given(st.dictionaries(st.text(), st.floats(-1e6, 1e6) | st.lists(st.integers())))
def test_canonical_json_is_stable_once_written(value: dict[str, Any]):
    text = canonical(value)

    assert canonical(json.loads(text)) == text


@pytest.mark.parametrize("value", [float("nan"), float("inf"), [{"deep": float("-inf")}]])
def test_canonical_json_refuses_what_json_cannot_say(value: Any):
    with pytest.raises(ValueError, match="JSON"):
        canonical(value)
