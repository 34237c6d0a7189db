"""How long a rollout may take and what it costs, as arithmetic."""

import json
from pathlib import Path

import pytest

from steelyard.planning.times import HEARTBEAT_SECONDS, Fleet, extras, times
from tests.steelyard.rollout.sample import policy

ROOT = Path(__file__).resolve().parents[3]


def test_the_shortest_promotion_is_the_bakes_the_soak_and_the_changes_of_weights():
    assert times(policy(), 10_000).shortest == 600 + 600 + 900 + 3 * 60


def test_little_traffic_makes_the_shortest_promotion_longer():
    """20 requests a minute: 50 of the challenger's at weight 10 take 25 minutes and 2 to settle."""
    assert times(policy(), 20).shortest == 27 * 60 + 600 + 900 + 3 * 60


def test_a_step_that_lacks_requests_for_longer_than_its_longest_time_is_named():
    assert times(policy(), 20).late == ()
    assert times(policy(), 5).late == (0,)


def test_the_longest_promotion_takes_the_longest_time_of_each_step():
    assert times(policy(), 10_000).longest == 3 * (3600 + 60)


def test_a_pause_that_nobody_answers_is_home_after_its_deadline():
    assert times(policy(), 10_000).forgotten == 3600 + 1800 + 60 + 60


def test_the_slowest_abort_is_settling_a_tick_and_a_change_of_weights():
    assert times(policy(), 10_000).told == 90 + 60 + 60


def test_a_dead_judge_is_noticed_after_the_heartbeat_of_the_state_machine():
    machine = (ROOT / "stacks/rollout.asl.json").read_text("utf-8")

    assert f'"HeartbeatSeconds": {HEARTBEAT_SECONDS}' in json.dumps(json.loads(machine))


def test_extra_instance_hours_are_both_fleets_the_challenger_and_the_warm_champion():
    found = extras(Fleet("v1", "ml.m5.large", 3), Fleet("v2", "ml.m5.large", 1), 7200)

    assert [extra.hours for extra in found] == pytest.approx([4 * 600 / 3600, 2, 72])
    assert [extra.price for extra in found] == [None, None, None]


def test_they_are_priced_where_every_price_that_matters_is_known():
    found = extras(Fleet("v1", "ml.m5.large", 3), Fleet("v2", "ml.m5.large", 1, 0.5), 7200)

    assert [extra.price for extra in found] == [None, 1.0, None]
