"""Cases: reproducible, apart from one another, and as their scenario says."""

from dataclasses import replace

import numpy as np
import pytest

from benchmarks.judge.cases import DECIDABLE, FAMILIES, cases
from benchmarks.judge.faulty import ONSET
from benchmarks.judge.perfect import perfect
from benchmarks.judge.play import start_message
from benchmarks.judge.world import HISTORY, HORIZON, Moment, latency_bins

DEV = list(cases("dev", 1))
CELLS = [f"{case.family}-{case.scenario}-{case.level}" for case in DEV]
HEALTHY = {family.name for family in FAMILIES if family.is_healthy}


def test_a_set_makes_the_same_cases_each_time():
    again = list(cases("dev", 1, ("small errors",)))
    first = [case for case in DEV if case.family == "small errors"]

    assert [start_message(case) for case in again] == [start_message(case) for case in first]


def test_sets_share_no_case():
    others = {case.seed for name in ("check", "final") for case in cases(name, 1)}

    assert len({case.id for case in DEV}) == len(DEV)
    assert not {case.seed for case in DEV} & others


def test_more_seeds_keep_the_cases_of_fewer():
    few, many = (list(cases("check", count, ("large errors",))) for count in (1, 2))

    assert {case.seed for case in few} < {case.seed for case in many}


@pytest.mark.parametrize("case", DEV, ids=CELLS)
def test_a_case_has_a_fault_unless_its_family_is_healthy(case):
    assert (case.world.fault is None) == (case.family in HEALTHY)


@pytest.mark.parametrize("case", DEV, ids=CELLS)
def test_every_minute_of_a_case_is_a_distribution(case):
    for minute in (-HISTORY, 0, 7, HORIZON - 1):
        for truth in case.world.truths(Moment(minute, len(case.steps) - 1)):
            assert min(truth.e4, truth.e5) >= 0
            assert truth.e4 + truth.e5 <= 1
            assert truth.score.sum() == pytest.approx(1)
            assert truth.score.min() >= 0
            assert latency_bins(truth.latency, case.edges).sum() == pytest.approx(1)


@pytest.mark.parametrize("case", [it for it in DEV if it.world.fault is not None])
def test_a_fault_can_be_decided_in_time_by_the_perfect_rule_and_hurts(case):
    found = perfect(case)

    assert found.ticks <= DECIDABLE[case.level] + ONSET[case.level]
    assert found.harm > 0


def test_a_case_that_not_even_the_perfect_rule_decides_is_drawn_again():
    found = list(cases("dev", 30, ("predictions",)))

    assert any(case.seed[-1] > 0 for case in found)
    assert all(perfect(case).ticks <= DECIDABLE[case.level] + ONSET[case.level] for case in found)


@pytest.mark.parametrize("case", [it for it in DEV if it.scenario in ("tolerated", "edge")])
def test_a_tolerated_challenger_is_within_every_margin(case):
    champion, challenger = case.world.truths(Moment(40, 0))
    spec = case.spec
    slowest = champion.slower(1 + spec["margin_latency_rel"])
    ours, theirs = (latency_bins(it.latency, case.edges) for it in (challenger, slowest))

    most = (1 + spec["margin_err_rel"]) * champion.e5 + spec["margin_err_abs"]
    assert champion.e5 < challenger.e5 <= most + 1e-12
    distance = 0.5 * np.abs(champion.score - challenger.score).sum()
    assert 0 < distance <= spec["margin_score_tv"] + 1e-12
    assert (np.cumsum(ours) >= np.cumsum(theirs) - 1e-12).all()


def test_a_fault_under_load_does_not_show_below_its_stage():
    for case in (it for it in DEV if it.family == "load"):
        below = Moment(5, case.world.first_stage - 1)
        assert case.world.truths(below)[1].e5 == case.world.healthy(below)[1].e5
        assert case.world.truths(below)[1].latency == case.world.healthy(below)[1].latency


def test_the_name_of_a_case_and_its_first_message_do_not_tell_what_is_wrong():
    dead, fine = (next(it for it in DEV if it.scenario == name) for name in ("dead", "identical"))

    assert start_message(dead).keys() == start_message(fine).keys()
    assert start_message(dead)["spec"].keys() == start_message(fine)["spec"].keys()
    assert "dead" not in repr(start_message(dead))


def test_a_case_is_told_apart_from_its_copy():
    # Results are kept by case; two cases of equal fields must not be taken for one another.
    assert replace(DEV[0]) != DEV[0]
