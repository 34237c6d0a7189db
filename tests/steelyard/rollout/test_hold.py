"""A challenger is held while data or evidence lack something, and no longer than that helps."""

import math

import pytest

from steelyard.rollout import channels, hold
from steelyard.rollout.counters import Measurement, Point
from steelyard.rollout.judge import State, enter, fold, start, verdict
from tests.steelyard.rollout.sample import policy

POLICY = policy(
    steps=[{"weight": 10, "bake_seconds": 60}, {"weight": 50, "bake_seconds": 60}],
    settle_seconds=0,
    minimum_requests=1,
)


def seasoned() -> State:
    state = start(POLICY)
    for minute in range(-30, 0):
        state = fold(POLICY, state, Measurement(minute, -1, 0, Point(9000, 45, 45, (), ()), None))
    return enter(POLICY, state, 0, 0)


def after(failed: list[int], n: int = 1000) -> State:
    """Return the state after minutes in which so many of the challenger's requests failed."""
    state = seasoned()
    for minute, em in enumerate(failed):
        points = Point(9 * n, 9 * n // 200, 9 * n // 200, (), ()), Point(n, n // 200, em, (), ())
        state = fold(POLICY, state, Measurement(minute, 0, 10, *points))
    return state


def test_an_excess_that_would_show_by_now_is_waited_for_but_for_two_minutes_only():
    # 1.1 % of failures against 0.85 % that are tolerated: neither harmless nor much.
    state = after([11])

    assert hold.suspicious(POLICY, state) is None
    for waited in (60, 179):
        (why,) = hold.undecided(POLICY, state, 0, waited)
        assert why.startswith("no excess excluded yet: challenger 11 errors of 1,000")
    assert hold.undecided(POLICY, state, 0, 180) == ()


def test_one_effect_that_would_show_by_now_is_waited_for_though_all_together_are_excluded():
    state = after([4, 4, 4, 4, 14])

    assert channels.log_recent(state) < math.log(hold.EXCLUDED)
    assert len(hold.undecided(POLICY, state, 0, 60)) == 1


def test_a_minute_without_the_challenger_is_waited_for_but_for_two_minutes_only():
    state = after([5])
    silent = fold(POLICY, state, Measurement(1, 0, 10, Point(9000, 45, 45, (), ()), None))
    why = "challenger has no data of the newest minute in which the champion has"

    assert hold.undecided(POLICY, state, 0, 60) == ()
    assert hold.undecided(POLICY, silent, 0, 60) == (why,)
    assert hold.undecided(POLICY, silent, 0, 179) == (why,)
    assert hold.undecided(POLICY, silent, 0, 180) == ()


def test_a_challenger_like_the_champion_is_not_held():
    assert verdict(POLICY, after([5]), 60).outcome == "advance"


@pytest.mark.parametrize(("n", "reasons"), [(500, 0), (400, 1)])
def test_one_minute_is_enough_if_it_has_many_requests(n: int, reasons: int):
    found = hold.missing(POLICY, after([n // 200], n), 0, 60)

    assert len(found) == reasons
    assert all("1 of 2 minutes compared in this step" in why for why in found)


def test_an_alarming_minute_holds_for_four_more():
    state = after([40, 0, 0, 0])
    assert hold.suspicious(POLICY, state) is not None

    assert hold.suspicious(POLICY, after([40, *[5] * 8])) is None


def test_data_is_late_after_a_while_and_not_at_once():
    state = after([5])

    assert hold.late(POLICY, state, 120) == ()
    assert hold.late(POLICY, state, 121) == ("challenger", "champion")
    assert hold.late(POLICY, enter(POLICY, state, 1, 60), 240) == ()
    assert hold.late(POLICY, enter(POLICY, state, 1, 60), 241) == ("challenger", "champion")
