"""How long a rollout may take, as arithmetic."""

import json
from pathlib import Path

import pytest

from steelyard.planning.times import schedule, times
from tests.steelyard.rollout.sample import policy, policy_dict

ROOT = Path(__file__).resolve().parents[3]
MONDAY = 4 * 86400  # 1970-01-05 00:00 UTC
HOUR = 3600


def conduct(**changes):
    return policy(conduct=policy_dict()["conduct"] | changes)


def frozen(*windows):
    keys = ("weekly", "begin", "end")
    return conduct(freeze=[dict(zip(keys, window, strict=True)) for window in windows])


def test_the_shortest_promotion_is_the_bakes_the_soak_and_the_changes_of_weights():
    assert times(policy(), 10_000).shortest == 600 + 600 + 900 + 3 * 60


def test_little_traffic_makes_the_shortest_promotion_longer():
    """20 requests a minute: 50 of the challenger's at weight 10 take 25 minutes and 2 to settle."""
    assert times(policy(), 20).shortest == 27 * 60 + 600 + 900 + 3 * 60


def test_a_step_that_lacks_requests_for_longer_than_its_longest_time_is_named():
    assert times(policy(), 20).late == ()
    assert times(policy(), 5).late == (0,)


@pytest.mark.parametrize(("deadline", "longest"), [(86400, 3 * (3600 + 60)), (7200, 7200)])
def test_the_longest_promotion_takes_the_longest_of_each_step_or_ends_at_the_deadline(
    deadline, longest
):
    found = times(conduct(deadline_seconds=deadline), 10_000)

    assert (found.longest, found.deadline) == (longest, deadline)


def test_a_pause_that_nobody_answers_is_home_after_its_deadline():
    assert times(policy(), 10_000).forgotten == 3600 + 1800 + 60 + 60
    assert times(policy(undecided="advance"), 10_000).forgotten is None


def test_the_slowest_abort_is_settling_a_tick_and_a_change_of_weights():
    assert times(policy(), 10_000).told == 90 + 60 + 60


def test_whoever_dies_the_lease_the_watchdog_and_the_platform_bound_the_weight():
    assert times(policy(), 10_000).leased == 180 + 60 + 60


def test_the_lease_ends_before_the_state_machine_misses_the_judge():
    machine = json.loads((ROOT / "stacks/rollout.asl.json").read_text("utf-8"))

    heartbeats = [it["HeartbeatSeconds"] for it in _states(machine) if "HeartbeatSeconds" in it]
    assert heartbeats
    assert all(times(policy(), 10_000).leased <= it for it in heartbeats)


def _states(value):
    if isinstance(value, dict):
        yield value
        for it in value.values():
            yield from _states(it)


def test_without_a_freeze_the_schedule_is_the_shortest_promotion():
    found = schedule(policy(), 10_000, MONDAY)

    assert found.crossings == ()
    assert found.ended - found.begun == times(policy(), 10_000).shortest


@pytest.mark.parametrize(
    ("window", "step"),
    [
        ((False, MONDAY - 1, MONDAY + HOUR), 0),
        ((False, MONDAY + 60, MONDAY + HOUR), 1),
        ((True, 1200, HOUR), 2),
    ],
)
def test_a_step_that_would_begin_in_a_freeze_waits_for_its_end(window, step):
    found = schedule(frozen(window), 10_000, MONDAY)

    (crossing,) = found.crossings
    assert (crossing.step, crossing.until) == (step, MONDAY + HOUR)
    assert found.ended > schedule(policy(), 10_000, MONDAY).ended


def test_a_window_in_which_no_weight_is_raised_holds_nothing():
    within_the_bake = (False, MONDAY + 120, MONDAY + 300)

    assert schedule(frozen(within_the_bake), 10_000, MONDAY).crossings == ()


def test_a_week_that_is_always_frozen_ends_in_a_schedule_all_the_same():
    halves = (True, 0, 302400), (True, 302400, 0)

    assert schedule(frozen(*halves), 10_000, MONDAY).crossings[0].step == 0
