"""Instances: how many a challenger needs, and what the champion must have free."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.rollout.capacity import Counts, above_maximum, needed, without_headroom

counts = st.integers(1, 1000)


@pytest.mark.parametrize(
    ("champion", "challenger", "live", "wanted"),
    [
        (2, 2, 2, 2),  # as the file says
        (2, 2, 6, 6),  # the champion has grown, and so does the challenger
        (2, 1, 6, 3),  # on instances twice as strong
        (2, 1, 5, 3),  # never less than the proportion
        (4, 3, 1, 3),  # the champion has shrunk: the file's own count is the least
        (3, 3, 0, 3),
        (10, 7, 30, 21),  # 30 * 0.7 is above 21 in floats
    ],
)
def test_a_challenger_grows_with_the_champion(champion, challenger, live, wanted):
    assert needed({"v1": champion, "v2": challenger}, "v1", "v2", live) == wanted


@given(champion=counts, challenger=counts, live=st.integers(0, 1000))
def test_it_carries_what_the_champion_does_and_not_one_instance_more(champion, challenger, live):
    wanted = needed({"v1": champion, "v2": challenger}, "v1", "v2", live)

    assert wanted * champion >= live * challenger
    assert wanted == challenger or (wanted - 1) * champion < live * challenger


@pytest.mark.parametrize(("count", "maximum"), [(4, None), (4, 4), (4, 5)])
def test_what_scaling_allows_is_no_problem(count, maximum):
    assert above_maximum("v2", count, maximum) == []


def test_a_maximum_that_cannot_carry_all_traffic_is_named_with_both_numbers():
    assert above_maximum("v2", 6, 4) == [
        "v2 needs 6 instances to carry all traffic, its scaling allows 4: "
        "raise its maximum in the endpoint file to 6 or more"
    ]


@pytest.mark.parametrize(
    ("highest", "target", "headroom"),
    [
        (700, 1000, 0.3),
        (0, 1000, 0.3),
        (900, None, 0.3),  # it does not scale by requests
        (1000, 1000, 0.0),
    ],
)
def test_a_champion_with_room_may_be_held(highest, target, headroom):
    assert without_headroom("v1", highest, target, headroom) == []


def test_a_champion_without_room_may_not_and_hears_what_would_help():
    assert without_headroom("v1", 701, 1000, 0.3) == [
        "v1 had 701 requests a minute per instance in the last hour, at most 700 leave 30% of its "
        "scaling's 1000 free: give it more instances, start when traffic is lower, or set "
        "rollout.champion_scale_out to allow"
    ]


def test_a_description_says_what_runs_and_what_was_asked_for():
    variant = {"VariantName": "v1", "CurrentInstanceCount": 2, "DesiredInstanceCount": 3}

    found = Counts.from_description({"ProductionVariants": [variant, {"VariantName": "v2"}]})

    assert found == Counts({"v1": 2, "v2": 0}, {"v1": 3, "v2": 0})
    assert Counts.from_description({"EndpointStatus": "Creating"}) == Counts({}, {})
