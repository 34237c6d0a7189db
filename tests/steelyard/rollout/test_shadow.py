"""What a shadow run finds on an endpoint, and what a pass is a pass of."""

import pytest

from steelyard.rollout.shadow import evidence, hindrances, is_answering


def variant(name, weight=1.0, current=2, desired=2):
    return {
        "VariantName": name,
        "CurrentWeight": weight,
        "DesiredWeight": weight,
        "CurrentInstanceCount": current,
        "DesiredInstanceCount": desired,
    }


def description(serving=("v1",), shadows=("v2",), status="InService"):
    return {
        "EndpointStatus": status,
        "ProductionVariants": [variant(name) for name in serving],
        "ShadowProductionVariants": [variant(name) for name in shadows],
    }


def test_the_champion_alone_and_its_shadow_are_all_there_may_be():
    assert hindrances(description(), "v1", "v2") == []


@pytest.mark.parametrize(
    ("found", "why"),
    [
        ({"serving": ("v0",)}, "the champion v1 does not serve alone"),
        ({"serving": ("v0", "v1")}, "the champion v1 does not serve alone"),
        ({"shadows": ()}, "its shadow variant is none, not v2"),
        ({"shadows": ("v3",)}, "its shadow variant is v3, not v2"),
    ],
)
def test_whatever_else_is_deployed_has_its_sentence(found, why):
    assert hindrances(description(**found), "v1", "v2") == [why]


def test_an_endpoint_without_any_shadow_says_nothing_of_them():
    bare = description()
    del bare["ShadowProductionVariants"]

    assert hindrances(bare, "v1", "v2") == ["its shadow variant is none, not v2"]
    assert not is_answering(bare, "v2")


@pytest.mark.parametrize(
    ("counts", "status", "answers"),
    [
        ((2, 2), "InService", True),
        ((1, 2), "InService", False),
        ((0, 0), "InService", False),
        ((2, 2), "Updating", False),
    ],
)
def test_a_shadow_answers_once_all_its_instances_are_there(counts, status, answers):
    found = description(status=status)
    found["ShadowProductionVariants"] = [variant("v2", 1.0, *counts)]

    assert is_answering(found, "v2") is answers
    assert not is_answering(found, "v3")


def test_a_pass_is_of_one_challenger_over_one_champion_by_one_policy():
    given = {("v1", "v2", "p"), ("v0", "v2", "p"), ("v1", "v3", "p"), ("v1", "v2", "q")}

    assert len({evidence(*one) for one in given}) == len(given)
