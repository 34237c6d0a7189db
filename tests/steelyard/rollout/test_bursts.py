"""One variant's bad minute is not taken for a bad model; two are."""

import math
from dataclasses import replace

import pytest

from steelyard.rollout.counters import Measurement, Point
from steelyard.rollout.judge import enter, fold, start
from steelyard.rollout.policy import Policy
from steelyard.rollout.state import State
from tests.steelyard.rollout.sample import policy

POLICY = policy()


def point(n: int, errors: float, late: float = 0.1) -> Point:
    slow, em = round(late * n), round(errors * n)
    return Point(n, 0, em, (), (), (0, n - slow, 0, slow, *(0,) * 8))


def seasoned(of: Policy = POLICY, bursts: int = 0) -> State:
    """Return the state after thirty minutes of the champion, some of them with a burst."""
    state = start(of)
    for minute in range(-30, 0):
        errors = 0.08 if minute >= -bursts else 0.005
        state = fold(of, state, Measurement(minute, -1, 0, point(50_000, errors), None))
    return enter(of, state, 0, 0)


def minutes_until_convicted(
    state: State,
    of: Policy = POLICY,
    errors: float = 0.005,
    late: float = 0.1,
    usual: float = 0.005,
) -> int | None:
    for minute in range(2, 12):
        champion, challenger = point(50_000, usual), point(5_000, errors, late)
        state = fold(of, state, Measurement(minute, 0, 10, champion, challenger))
        if state.convictions:
            return minute - 1
    return None


@pytest.mark.parametrize(("fault", "minutes"), [({"errors": 0.06}, 2), ({"late": 0.3}, 2)])
def test_a_bad_minute_that_a_burst_could_be_needs_another_one(
    fault: dict[str, float], minutes: int
):
    assert minutes_until_convicted(seasoned(), **fault) == minutes


def test_a_minute_that_is_grossly_bad_convicts_at_once():
    assert minutes_until_convicted(seasoned(), errors=0.3) == 1


def test_a_minute_in_which_every_answer_was_late_may_be_a_neighbour_s_fault():
    assert minutes_until_convicted(seasoned(), late=0.9) == 2


def test_a_policy_that_asks_for_two_minutes_gets_two():
    patient = policy(patience_minutes=2)

    assert minutes_until_convicted(seasoned(patient), patient, errors=0.9) == 2


def test_a_champion_that_has_bursts_lowers_what_a_bad_minute_proves():
    often = minutes_until_convicted(seasoned(bursts=8), errors=0.06)

    assert often is not None
    assert often >= 4


def test_a_single_burst_is_forgotten():
    state = seasoned()
    state = fold(POLICY, state, Measurement(2, 0, 10, point(50_000, 0.005), point(5_000, 0.06)))
    for minute in range(3, 20):
        good = Measurement(minute, 0, 10, point(50_000, 0.005), point(5_000, 0.005))
        state = fold(POLICY, state, good)

    assert state.convictions == ()
    assert max(state.wealth["errors"]) < 0


def test_an_outage_that_both_share_does_not_count_as_a_burst():
    state = seasoned()
    shared = Measurement(2, 0, 10, point(50_000, 0.3), point(5_000, 0.3))
    after = fold(POLICY, state, shared)

    assert after.worst["errors"][0] <= 1000
    assert after.champion_minutes == state.champion_minutes + 1


def test_the_limits_are_those_of_the_thirty_minutes_that_were_seen():
    state = replace(seasoned(), worst={})
    after = fold(POLICY, state, Measurement(2, 0, 10, point(50_000, 0.005), point(5_000, 0.06)))

    total = sum(math.exp(log / 1e6) for log in after.wealth["errors"])
    assert 0.4 * 31 <= total <= 2 * 0.4 * 31
