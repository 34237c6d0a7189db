"""A minute without a challenger's point is evidence only where there should be one."""

import math

import pytest

from steelyard.rollout.counters import Point
from steelyard.rollout.silence import DEAD, LATE, LOST, absent, log_e

HEARD = Point(3, 0, 0, (), ())
NOTHING = Point(0, 0, 0, (), ())


def champion(n: int) -> Point:
    return Point(n, 0, 0, (), ())


@pytest.mark.parametrize(("weight", "n"), [(5, 19), (5, 95), (50, 5), (10, 90_000)])
def test_points_that_go_missing_as_often_as_they_may_are_no_evidence(weight: int, n: int):
    no_request = math.exp(-n * weight / (100 - weight))
    silent = LOST + (1 - LOST) * no_request
    mean = silent * math.exp(log_e(weight, champion(n), None))
    mean += (1 - silent) * math.exp(log_e(weight, champion(n), HEARD))

    assert mean == pytest.approx(1.0)


def test_no_request_is_as_silent_as_no_point():
    assert log_e(10, champion(900), NOTHING) == log_e(10, champion(900), None) > 1.5


def test_where_no_request_is_to_be_expected_silence_says_nothing():
    assert log_e(5, champion(0), None) == 0.0
    assert log_e(5, champion(1), None) < 0.1


def test_a_minute_that_can_still_come_is_weaker_evidence():
    ages = [log_e(10, champion(90_000), None, absent(age, 3)) for age in range(6)]

    assert ages == sorted(ages)
    assert ages[0] == pytest.approx(math.log(DEAD / LATE))
    assert ages[3] == ages[5] == pytest.approx(log_e(10, champion(90_000), None))
    assert absent(0, 0) == LOST


def test_looks_at_a_minute_that_is_still_absent_are_covered_by_its_final_evidence():
    """Absent at an age, it is absent for good with probability LOST / absent(age) at most."""
    final = math.exp(log_e(10, champion(90_000), None))
    heard = math.exp(log_e(10, champion(90_000), HEARD))

    for age in range(4):
        stays = LOST / absent(age, 3)
        look = math.exp(log_e(10, champion(90_000), None, absent(age, 3)))
        assert look <= stays * final + (1 - stays) * heard + 1e-12
