"""The bound holds at every look and sees what it should."""

import math
import random

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.optimize import brentq
from scipy.special import betaln, xlog1py, xlogy

from steelyard.rollout.distribution import lower, shift, upper
from tests.steelyard.rollout.sample import BINS, OTHER


@pytest.mark.parametrize(("k", "n"), [(1, 1), (3, 40), (40, 40), (200, 900), (9_999, 20_000)])
@pytest.mark.parametrize("alpha", [0.05, 1e-6])
def test_the_ends_lie_where_the_mixture_reaches_its_level(k: int, n: int, alpha: float):
    def excess(p: float) -> float:
        mixture = betaln(k + 0.5, n - k + 0.5) - betaln(0.5, 0.5)
        return mixture - xlogy(k, p) - xlog1py(n - k, -p) + math.log(alpha)

    assert lower(k, n, alpha) == pytest.approx(brentq(excess, 1e-300, k / n), abs=1e-9)
    if k < n:
        assert upper(k, n, alpha) == pytest.approx(brentq(excess, k / n, 1 - 1e-15), abs=1e-9)


@given(st.integers(0, 400), st.integers(0, 400))
def test_the_sequence_surrounds_what_was_seen(k: int, misses: int):
    n = k + misses
    assume(n > 0)

    assert lower(k, n, 0.01) <= k / n <= upper(k, n, 0.01)


def test_nothing_seen_says_nothing():
    assert (lower(0, 0, 0.01), upper(0, 0, 0.01)) == (0.0, 1.0)
    assert shift((0, 0), (5, 5), 0.01) == shift((5, 5), (0, 0), 0.01) == shift((), (), 0.01) == 0.0


@pytest.mark.parametrize("p", [0.02, 0.3])
def test_all_looks_together_miss_the_truth_no_more_often_than_promised(p: float):
    alpha, missed = 0.1, 0
    for seed in range(200):
        random_, k = random.Random(seed), 0
        outside = False
        for n in range(1, 201):
            k += random_.random() < p
            outside = outside or not lower(k, n, alpha) <= p <= upper(k, n, alpha)
        missed += outside

    assert 0 < missed <= alpha * 200


histograms = st.lists(st.integers(0, 300), min_size=10, max_size=10)


@given(histograms, histograms)
def test_the_bound_is_below_what_was_seen_and_the_same_from_both_sides(a: list[int], b: list[int]):
    assume(sum(a) > 0 and sum(b) > 0)
    pairs = zip(a, b, strict=True)
    seen = sum(abs(x / sum(a) - y / sum(b)) for x, y in pairs) / 2

    assert 0 <= shift(a, b, 0.01) <= seen + 1e-12
    assert shift(a, b, 0.01) == shift(b, a, 0.01)


def test_the_bound_comes_close_with_many_requests():
    a, b = ([round(1e7 * share) for share in shares] for shares in (BINS, OTHER))

    assert 0.11 < shift(a, b, 0.01) < 0.12


def test_a_small_move_of_every_prediction_shows_at_a_cut():
    rising, even = [500] * 5 + [700] * 5, [600] * 10
    bins = [lower(k, 6000, 0.01 / 38) - upper(600, 6000, 0.01 / 38) for k in rising]

    assert max(bins) < 0 < shift(rising, even, 0.01)


def test_the_bound_is_seldom_above_the_truth_at_any_look():
    wrong, alpha, truth = 0, 0.2, 0.12
    for seed in range(100):
        random_ = random.Random(seed)
        a, b = [0] * 10, [0] * 10
        above = False
        for _ in range(20):
            for counts, shares in ((a, BINS), (b, OTHER)):
                for index in random_.choices(range(10), shares, k=50):
                    counts[index] += 1
            above = above or shift(a, b, alpha) > truth
        wrong += above

    assert wrong <= alpha * 100
