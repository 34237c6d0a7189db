"""What instances a rollout needs, may have and costs."""

import pytest

from steelyard.planning.fleet import Fleet, Scaling, extras, refused, room, warm
from tests.steelyard.rollout.sample import policy, policy_dict

ROOMY = Scaling(1, 20, 100)


def fleet(variant="v1", count=3, price=None, scaling=None):
    return Fleet(variant, "ml.m5.large", count, price, scaling)


def said(champion, challenger, rate=300.0, **conduct):
    given = policy(conduct=policy_dict()["conduct"] | conduct)
    return refused(given, champion, challenger, rate)


def test_without_scaling_nothing_is_refused():
    assert said(fleet(), fleet("v2"), 1e6) == []


def test_each_step_that_the_scalings_maximum_cannot_carry_is_refused():
    """At 1,000 a minute, weights 10, 50 and 100 need 1, 5 and 10 instances."""
    found = said(fleet(), fleet("v2", 3, scaling=Scaling(1, 4, 100)), 1000)

    assert len(found) == 2
    assert "v2 needs 5 instances at weight 50" in found[0]
    assert "raise variants[].scaling.max to 10 or more" in found[1]


def test_a_maximum_that_just_carries_all_traffic_is_enough():
    assert said(fleet(), fleet("v2", 3, scaling=Scaling(1, 10, 100)), 1000) == []


def test_what_prepare_would_ask_for_beyond_the_maximum_is_refused():
    found = said(fleet(count=4), fleet("v2", 6, scaling=Scaling(1, 5, 1000)))

    assert found == [
        "v2 needs 6 instances to carry all traffic, its scaling allows 5: raise its maximum in "
        "the endpoint file to 6 or more"
    ]


@pytest.mark.parametrize(
    ("rate", "conduct", "count"),
    [
        (210, {}, 0),
        (240, {}, 1),
        (240, {"headroom": 0.1}, 0),
        (240, {"champion_scale_out": "allow"}, 0),
    ],
)
def test_a_champion_without_headroom_is_refused_unless_it_may_grow(rate, conduct, count):
    found = said(fleet(count=3, scaling=ROOMY), fleet("v2"), rate, **conduct)

    assert len(found) == count
    assert all("80 requests a minute per instance" in it for it in found)


def test_room_is_what_is_free_of_the_champions_load():
    assert room(fleet(count=3, scaling=ROOMY), 150) == pytest.approx(0.5)
    assert room(fleet(), 150) is None


def test_a_previous_champion_that_scales_shrinks_to_its_least_count():
    assert warm(fleet(count=3)) == (3, None)
    assert warm(fleet(count=3, scaling=Scaling(2, 9, 100))) == (2, 200)


def test_extra_instance_hours_are_both_fleets_twice_the_challenger_and_the_warm_champion():
    found = extras(fleet(count=3), fleet("v2", 1), 7200)

    assert [extra.hours for extra in found] == pytest.approx([4 * 600 / 3600, 2, 72, 600 / 3600])
    assert [extra.price for extra in found] == [None] * 4


def test_they_are_priced_where_every_price_that_matters_is_known():
    found = extras(fleet(count=3), fleet("v2", 1, 0.5), 7200)

    assert [extra.price for extra in found] == [None, 1.0, None, pytest.approx(1 / 12)]


def test_two_variants_of_one_size_count_twice():
    same = fleet(count=2, price=1.0)

    assert extras(same, same, 3600)[0].hours == pytest.approx(4 * 600 / 3600)
