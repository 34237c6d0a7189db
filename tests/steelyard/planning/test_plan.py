"""What a plan promises of faults and traffic."""

from dataclasses import replace

import pytest

from steelyard.planning import plan as planning
from steelyard.planning.plan import Plan
from steelyard.planning.sight import Sight
from tests.steelyard.planning.sample import RUNS, setting


@pytest.fixture(scope="module")
def plan() -> Plan:
    return planning.make(setting(), lambda done, of: None)


def sight(plan: Plan, fault: str, step: int | None) -> Sight:
    (found,) = (it for it in plan.sights if (it.fault.name, it.step) == (fault, step))
    return found


def test_a_healthy_challenger_is_promoted_in_at_least_the_bakes_and_the_soak(plan: Plan):
    assert (plan.healthy.promoted, plan.healthy.aborted, plan.healthy.paused) == (RUNS, 0, 0)
    assert plan.healthy.seconds[0] >= 600 + 600 + 900
    assert list(plan.healthy.seconds) == sorted(plan.healthy.seconds)


def test_a_healthy_challenger_is_played_with_errors_in_bursts_too(plan: Plan):
    bursts = plan.bursts

    assert bursts.promoted + bursts.aborted + bursts.paused == bursts.runs == RUNS
    assert bursts.seconds != plan.healthy.seconds


def test_a_large_fault_of_each_channel_is_seen_in_every_step(plan: Plan):
    for fault in ("30% errors", "30% client errors", "3 times as slow", "constant answers"):
        assert sight(plan, fault, 0).is_sure
        assert sight(plan, fault, 1).is_sure
    assert sight(plan, "no answers", 1).is_sure
    assert sight(plan, "no answers", 1).requests.p90 == 0


def test_below_a_size_that_is_rarely_seen_no_smaller_one_is_played():
    strict = setting().policy.to_dict()["tolerance"] | {"errors_relative": 0.0}
    quiet = planning.make(setting(60, runs=2, tolerance=strict), lambda done, of: None)
    rare = [
        (it.fault.channel, it.step) for it in quiet.sights if it.step in (0, 1) and it.seen == 0
    ]

    assert rare
    assert len(rare) == len(set(rare))
    assert len([it for it in quiet.sights if it.step == 2]) > len(
        [it for it in quiet.sights if it.step == 0]
    )


def test_what_becomes_of_a_fault_adds_up(plan: Plan):
    assert plan.sights
    assert all(it.seen + it.paused + it.missed == it.runs == RUNS for it in plan.sights)


def test_a_larger_fault_is_seen_sooner_and_by_fewer_requests(plan: Plan):
    small, large = sight(plan, "10% errors", 1), sight(plan, "30% errors", 1)

    assert small.seconds.p50 > large.seconds.p50
    assert small.requests.p50 > large.requests.p50


def test_no_fault_is_seen_by_far_fewer_requests_than_any_rule_needs(plan: Plan):
    surely = [it for it in plan.sights if it.is_sure and it.fewest is not None]

    assert surely
    assert all(it.requests.p50 > it.fewest for it in surely)


def test_a_fault_that_lasts_through_all_steps_is_seen_at_least_as_often(plan: Plan):
    first = [it for it in plan.sights if it.step == 0]

    assert first
    together = [sight(plan, it.fault.name, None).seen for it in first]
    assert all(seen >= it.seen for seen, it in zip(together, first, strict=True))
    assert sum(together) > sum(it.seen for it in first)


def test_in_the_soak_alarms_see_catastrophes_alone(plan: Plan):
    assert sight(plan, "no answers", 2).is_sure
    assert sight(plan, "30% errors", 2).is_sure
    assert sight(plan, "constant answers", 2).seen == 0
    assert sight(plan, "5% errors", 2).missed == RUNS


def test_the_evidence_of_a_fault_passes_the_limit_where_it_is_seen(plan: Plan):
    found = sight(plan, "30% errors", 1)

    assert found.evidence[0] < 4.7 <= found.evidence[-1]  # ln 100 = 4.6
    assert len(found.evidence) >= found.seconds.p90 / 60 - 1  # without the change of weights


def test_several_processes_make_the_same_plan_as_one():
    given = replace(setting(runs=2), runs=2)

    one, two = (planning.make(given, lambda done, of: None, workers) for workers in (1, 2))

    assert one == two


def test_it_tells_how_far_it_has_come():
    told: list[tuple[int, int]] = []

    planning.make(setting(runs=1), lambda done, of: told.append((done, of)))

    assert [done for done, _ in told] == sorted(done for done, _ in told)
    assert told[-1][0] == told[-1][1]
