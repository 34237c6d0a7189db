"""How many runs it takes to say that few are rolled back."""

import io
from itertools import islice

import pytest
from rich.console import Console
from scipy.stats import binom

from benchmarks.judge.cases import cases, in_turn
from benchmarks.judge.claims import MOST, claims, healthy, most, needed, section
from benchmarks.judge.play import Run
from benchmarks.judge.report import PROMISED

SILENT = Console(file=io.StringIO())


@pytest.mark.parametrize(("hits", "of"), [(0, 3000), (1, 40), (7, 500)])
def test_a_share_above_the_bound_would_bring_more_hits_nineteen_times_of_twenty(hits, of):
    assert binom.cdf(hits, of, most(hits, of)) == pytest.approx(0.05)


def test_when_every_run_is_a_hit_nothing_is_excluded():
    assert most(4, 4) == most(0, 0) == 1.0


@pytest.mark.parametrize(
    ("hits", "share", "runs"), [(0, 0.001, 2995), (1, 0.001, 4742), (0, 0.01, 299), (0, 0.005, 598)]
)
def test_as_many_runs_are_needed_as_the_rule_of_three_says(hits, share, runs):
    assert needed(hits, share) == runs
    assert most(hits, runs) <= share < most(hits, runs - 1)


def test_a_claim_that_no_number_of_runs_shows_is_out_of_reach():
    assert needed(100_000, 0.001) == MOST


def test_cases_in_turn_are_the_cases_of_the_set_in_another_order():
    families = ("bursts", "healthy")
    usual = {case.seed for case in cases("dev", 2, families)}
    turned = list(islice(in_turn("dev", families), len(usual)))

    assert {case.seed for case in turned} == usual
    assert {(it.scenario, it.level) for it in turned[: len(usual) // 2]} == {
        (it.scenario, it.level) for it in turned
    }


def judge(word):
    return lambda start: lambda message: word


def test_as_many_healthy_rollouts_are_played_as_asked():
    found = healthy(judge("PROMOTE"), "ours", "dev", PROMISED, 60, SILENT)

    assert len(found) == 60
    assert {run.ending for run in found} == {"promoted"}


def test_it_ends_early_once_no_claim_can_hold_any_more():
    found = healthy(judge("ROLLBACK"), "ours", "dev", ("bursts",), 400, SILENT)

    assert len(found) == 1


def test_where_no_claim_could_hold_from_the_start_it_plays_on():
    found = healthy(judge("ROLLBACK"), "ours", "dev", ("bursts",), 5, SILENT)

    assert len(found) == 5


def test_an_interrupt_keeps_what_was_played():
    words = iter(["PROMOTE"] * 8)

    def hear(message):
        for word in words:
            return word
        raise KeyboardInterrupt

    found = healthy(lambda start: hear, "ours", "dev", ("bursts",), 5, SILENT)

    assert [run.ending for run in found] == ["promoted"] * 2


def test_the_stricter_profile_claims_half_as_many_bursts():
    assert [it.share for it in claims("ours")] == [0.001, 0.01]
    assert [it.share for it in claims("two minutes")] == [0.001, 0.005]


def test_the_section_says_what_is_shown_and_what_it_would_take():
    case = next(cases("dev", 1, ("bursts",)))
    back = Run(case, "rolled back", (0,), 0.0)
    clean = [Run(case, "promoted", (0,), 0.0)] * 299

    page = section({"ours": clean, "two minutes": [back, *clean]}).splitlines()

    assert page[2:] == [
        "| ours | bursts <= 1.0% | 0 of 299 | 1.00% | shown | 299 |",
        "| two minutes | bursts <= 0.5% | 1 of 300 | 1.57% | not shown | 947 |",
    ]


def test_bursts_alone_say_nothing_of_all_healthy_rollouts():
    assert [it.name for it in claims("ours", ("bursts",))] == ["bursts"]
