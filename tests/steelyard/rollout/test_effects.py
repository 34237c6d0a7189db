"""Most is staked where a stake is worth most."""

import math

import pytest

from steelyard.rollout.effects import USUAL_MINUTES, growths, stakes

MARGINS = (1.5, 0.001)


@pytest.mark.parametrize("requests", [400, 5_400, 54_000])
def test_all_stakes_add_up_to_one_and_none_is_nothing(requests: int):
    found = stakes(0.005, requests // 20, requests, *MARGINS)

    assert math.fsum(found) == pytest.approx(1)
    assert min(found) > 0.005


def test_most_is_staked_on_an_effect_that_takes_a_few_minutes():
    at = 0.005, 2_700, 51_300, *MARGINS
    found = stakes(*at)
    minutes = [math.log(100) / growth if growth > 0 else math.inf for growth in growths(*at)]

    assert USUAL_MINUTES / 2 <= minutes[found.index(max(found))] <= 2 * USUAL_MINUTES


def test_an_effect_that_needs_two_minutes_anyway_gets_less_than_one_that_takes_as_much_longer():
    at = 0.005, 2_700, 51_300, *MARGINS
    by_minutes = [
        (math.log(math.log(100) / growth / USUAL_MINUTES), stake)
        for growth, stake in zip(growths(*at), stakes(*at), strict=True)
        if growth > 0
    ]
    sooner = [(-far, stake) for far, stake in by_minutes if far < 0]
    later = [(far, stake) for far, stake in by_minutes if far > 0]

    pairs = [(a, b) for far, a in sooner for other, b in later if other <= far]
    assert pairs
    assert all(a < b for a, b in pairs)
