"""Figures and their intervals."""

import math

import pytest
from scipy.stats import binomtest

from benchmarks.judge.cases import cases
from benchmarks.judge.play import Run
from benchmarks.judge.scoring import Share, by_cell, ratio, rolled_back, score, stuck, ticks


@pytest.mark.parametrize(("hits", "of"), [(0, 200), (3, 40), (40, 40), (17, 50)])
def test_the_interval_of_a_share_is_wilsons(hits, of):
    expected = binomtest(hits, of).proportion_ci(method="wilson")

    assert Share(hits, of).interval == pytest.approx((expected.low, expected.high), abs=1e-12)


def test_a_share_of_nothing_is_unknown():
    assert Share(0, 0).interval == (0.0, 1.0)


def test_a_ratio_is_the_geometric_mean_of_the_means_of_cells():
    found = ratio([[1.0, 3.0], [8.0, 8.0], []])

    assert found is not None
    assert found.value == pytest.approx(4.0)
    assert found.of == 4
    assert found.low < 4.0 < found.high
    assert ratio([[]]) is None


def test_one_value_has_no_interval():
    found = ratio([[2.0]])

    assert found is not None
    assert (found.value, found.low) == (2.0, 0.0)


def test_a_cell_of_one_run_is_taken_to_spread_like_the_others():
    alone, alike = (ratio([[1.0, 3.0], cell]) for cell in ([2.0], [1.0, 3.0]))

    assert alone is not None
    assert alike is not None
    assert alone.high == pytest.approx(alike.high)


def test_the_interval_of_a_ratio_shrinks_with_the_root_of_the_runs():
    narrow, wide = (ratio([[1.0, 2.0, 3.0] * count]) for count in (100, 1))

    assert narrow is not None
    assert wide is not None
    shrunk = math.log(wide.high / wide.low) / math.log(narrow.high / narrow.low)
    assert shrunk == pytest.approx(math.sqrt(299 / 2), rel=0.01)


def run(case, ending, stages=(0, 1)):
    return Run(case, ending, stages, 0.0)


def test_endings_are_counted():
    case = next(cases("dev", 1, ("healthy",)))
    runs = [run(case, "promoted"), run(case, "promoted", (0,) * 4), run(case, "stuck")]

    assert rolled_back([*runs, run(case, "rolled back")]) == Share(1, 4)
    assert stuck(runs) == Share(1, 3)
    assert ticks(runs) == 3.0
    assert ticks([run(case, "stuck")]) is None


def test_a_rollback_before_anyone_was_hurt_is_no_detection():
    case = next(it for it in cases("dev", 1, ("dead",)) if it.scenario == "dies")

    scored = [score(run(case, "rolled back", (0,))), score(run(case, "rolled back", (0,) * 30))]

    assert scored[0].ratio is None
    assert scored[1].ratio is not None
    assert len(by_cell(scored)) == 1
    assert by_cell(scored)[0] == [scored[1].ratio]


def test_information_is_told_only_where_one_minute_does_not_say_it_all():
    small = next(it for it in cases("dev", 1, ("small errors",)) if it.level == "mid")
    dead = next(cases("dev", 1, ("dead",)))

    assert score(run(dead, "rolled back")).spent is None
    assert score(run(small, "promoted")).spent is None
    spent = score(run(small, "rolled back", (0,) * 40)).spent
    twice = score(run(small, "rolled back", (0,) * 80)).spent
    assert spent is not None
    assert twice == pytest.approx(2 * spent, rel=0.1)
