"""The perfect rule and the harm beside it."""

import math
from dataclasses import replace
from statistics import fmean

import pytest

from benchmarks.judge.cases import cases
from benchmarks.judge.delivery import ROLES, Delivery
from benchmarks.judge.perfect import harm, hurt, perfect
from benchmarks.judge.play import play
from benchmarks.judge.rivals.told import Told
from benchmarks.judge.scoring import score
from benchmarks.judge.world import HORIZON


def case_of(family, scenario, level):
    return next(
        it for it in cases("dev", 1, (family,)) if (it.scenario, it.level) == (scenario, level)
    )


DEAD = case_of("dead", "dead", "mid")


def test_the_perfect_rule_ends_a_dead_challenger_after_one_minute():
    found = perfect(DEAD)

    assert found.ticks == 1
    assert found.harm == pytest.approx(0.05 * DEAD.world.requests(0), rel=0.02)


def test_the_perfect_rule_waits_for_late_minutes():
    late = Delivery(
        {(0, role): ((2, True),) for role in ROLES} | {(1, role): ((1, True),) for role in ROLES}
    )
    assert perfect(replace(DEAD, delivery=late)).ticks == 3


def test_silence_is_a_fact_when_no_minute_can_be_late_any_more():
    silent = case_of("dead", "silent", "high")

    assert perfect(silent).ticks == silent.spec["max_metric_delay"] + 1


def test_latency_tells_the_perfect_rule_nothing_during_warm_up():
    slow = case_of("latency", "shift", "high")

    assert perfect(slow).ticks == slow.spec["warmup_ticks"] + 1


def test_a_fault_under_load_is_met_where_it_shows():
    case = case_of("load", "errors at 50 %", "mid")

    assert hurt(case, 5, 2) == 0.0
    assert hurt(case, 5, 3) > 0.0
    assert perfect(case).harm > 0


def test_a_later_step_is_entered_when_warm_up_is_over():
    assert perfect(case_of("load", "latency at 25 %", "high")).ticks == 1


def test_the_perfect_rule_spends_the_bound():
    case = case_of("small errors", "small", "mid")
    found = perfect(case)

    needed = math.log(1 / case.spec["alpha"])
    assert needed <= found.information < 1.5 * needed * found.ticks / (found.ticks - 0.5)


def test_harm_grows_with_each_minute_and_each_step():
    assert harm(DEAD, [0]) < harm(DEAD, [0, 0]) < harm(DEAD, [0, 1]) < harm(DEAD, [0, 1, 2])


def test_a_promoted_fault_hurts_all_traffic_up_to_the_horizon():
    stages = [0, 1, 2, 3]
    after = harm(DEAD, stages, promoted=True) - harm(DEAD, stages)

    traffic = sum(DEAD.world.requests(minute) for minute in range(4, HORIZON))
    assert after == pytest.approx(traffic, rel=0.02)


def test_without_a_fault_there_is_no_harm():
    assert harm(next(cases("dev", 1, ("healthy",))), [0, 1, 2, 3], promoted=True) == 0.0


@pytest.mark.parametrize("family", ["small errors", "predictions", "dead", "delivery"])
def test_one_who_is_told_the_fault_comes_near_the_perfect_rule(family):
    """The bound is neither out of reach nor slack: a likelihood ratio all but attains it."""
    scored = [score(play(case, Told)) for case in cases("dev", 8, (family,))]

    ratios = [it.ratio for it in scored if it.ratio is not None]
    assert len(ratios) == len(scored)
    assert 0.9 < fmean(ratios) < 1.3
