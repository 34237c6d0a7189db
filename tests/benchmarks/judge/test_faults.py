"""Faults: what they change, and when they show."""

import numpy as np
import pytest

from benchmarks.judge import faults
from benchmarks.judge.world import Moment, Truth, blend, latency_bins, total_variation

FINE = Truth(e4=0.01, e5=0.02, latency=((1.0, 100.0, 0.5),), score=np.array([0.4, 0.3, 0.15, 0.15]))
EDGES = (0.0, 50.0, 100.0, 200.0, 400.0, 1e9)


@pytest.mark.parametrize(
    ("strength", "expected"),
    [
        (faults.always, [1, 1, 1, 1, 1, 1]),
        (faults.late(2), [0, 0, 1, 1, 1, 1]),
        (faults.ramp(4), [0.25, 0.5, 0.75, 1, 1, 1]),
        (faults.intermittent(3, 1), [1, 0, 0, 1, 0, 0]),
        (faults.intermittent(4, 2), [1, 1, 0, 0, 1, 1]),
    ],
)
def test_a_fault_develops_in_time(strength, expected):
    assert [strength(minute) for minute in range(6)] == expected


def test_a_fault_is_as_strong_as_its_minute_and_absent_before_the_rollout():
    broken = faults.Broken(faults.dead, faults.ramp(2))

    assert [broken(Moment(minute, 0), FINE).e5 for minute in (-1, 0, 1)] == [0.02, 0.51, 1.0]


def test_a_silent_challenger_answers_until_its_onset():
    silent = faults.Silent(3)

    assert [silent(Moment(minute, 0), FINE).answers for minute in (2, 3, 4)] == [True, False, False]


@pytest.mark.parametrize(
    ("change", "e4", "e5"),
    [
        (faults.failing(0.1), 0.01, 0.02 + 0.097),
        (faults.refusing(0.1), 0.01 + 0.097, 0.02),
        (faults.dead, 0.0, 1.0),
        (faults.timing_out(0.5, 1e6), 0.005, 0.51),
        (faults.slow(2.0), 0.01, 0.02),
    ],
)
def test_a_change_moves_the_rates_that_it_names(change, e4, e5):
    changed = change(FINE)

    assert (changed.e4, changed.e5) == (pytest.approx(e4), pytest.approx(e5))


def above(truth, edge):
    return latency_bins(truth.latency, EDGES)[EDGES.index(edge) :].sum()


def test_slow_requests_are_as_many_and_as_slow_as_is_said():
    assert above(FINE, 100.0) == pytest.approx(0.5)
    assert above(faults.slow(2.0)(FINE), 200.0) == pytest.approx(0.5)
    some = above(faults.some_slow(0.2, 4.0)(FINE), 400.0)
    assert some == pytest.approx(0.2 * 0.5 + 0.8 * above(FINE, 400.0))
    late = above(faults.timing_out(0.3, 1e6)(FINE), 400.0)
    assert late == pytest.approx(0.3 + 0.7 * above(FINE, 400.0))


@pytest.mark.parametrize(
    ("score", "expected"),
    [
        (faults.shifted(FINE.score, 1.0), [0.0, 0.4, 0.3, 0.3]),
        (faults.shifted(FINE.score, 0.5), [0.2, 0.35, 0.225, 0.225]),
        (faults.collapsed(FINE.score, 2), [0.0, 0.0, 1.0, 0.0]),
        (faults.tripled(FINE.score), [0.4 / 7, 0.3 / 7, 0.45, 0.45]),
        (faults.tripled(np.array([0.5, 0.3, 0.1, 0.1])), [0.25, 0.15, 0.3, 0.3]),
    ],
)
def test_scores_move_as_is_said(score, expected):
    assert score == pytest.approx(expected)


def test_half_a_fault_is_halfway():
    other = faults.scoring(faults.collapsed(FINE.score, 0))(faults.slow(3.0)(FINE))

    half = blend(FINE, other, 0.5)

    assert half.score == pytest.approx((FINE.score + other.score) / 2)
    bins = [latency_bins(truth.latency, EDGES) for truth in (FINE, half, other)]
    assert bins[1] == pytest.approx((bins[0] + bins[2]) / 2)
    assert total_variation(bins[0], bins[1]) == pytest.approx(total_variation(*bins[1:]))
    assert blend(FINE, other, 0.0) is FINE
    assert blend(FINE, other, 1.0) is other
