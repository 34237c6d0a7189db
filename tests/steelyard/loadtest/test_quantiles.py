"""Quantiles, their intervals, and when there are too few samples for them."""

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from steelyard.loadtest.quantiles import at, estimate, least_samples, ranks

shares = st.sampled_from([0.5, 0.95, 0.99, 0.999])
values = st.lists(st.floats(0, 100) | st.just(math.inf), min_size=1, max_size=200).map(sorted)


@given(values, shares)
def test_a_quantile_is_the_smallest_value_that_enough_others_do_not_pass(rising, share):
    found = at(np.array(rising), share)
    below = [value for value in rising if value < found]

    assert found in rising
    assert sum(value <= found for value in rising) >= share * len(rising) - 1e-6
    assert len(below) < share * len(rising) + 1e-6


def test_a_quantile_of_a_round_number_of_values_is_not_one_too_high():
    assert at(np.arange(1.0, 21.0), 0.95) == 19
    assert at(np.arange(1.0, 1001.0), 0.999) == 999


@given(st.integers(1, 200_000), shares)
def test_the_ranks_of_the_interval_are_the_binomial_ones(count, share):
    if count < least_samples(share):
        return
    low, high = ranks(count, share)

    # The side errs in no more than 2.5 % of samples, and one rank closer it would.
    binomial = stats.binom(count, share)
    assert binomial.cdf(low - 1) <= 0.025 + 1e-6
    assert binomial.cdf(low) > 0.025 - 1e-6
    assert binomial.sf(high - 1) <= 0.025 + 1e-6
    assert binomial.sf(high - 2) > 0.025 - 1e-6


@pytest.mark.parametrize(("share", "count"), [(0.5, 6), (0.95, 72), (0.99, 368), (0.999, 3688)])
def test_the_least_samples_are_those_whose_largest_is_rarely_below_the_quantile(share, count):
    assert least_samples(share) == count
    assert share**count <= 0.025 < share ** (count - 1)


def test_500_samples_are_too_few_for_a_p999_and_enough_for_a_p99():
    rising = np.arange(500.0)

    assert estimate(rising, 0.999).seconds is None
    assert estimate(rising, 0.999).high is None
    assert estimate(rising, 0.99).seconds == 494


def test_the_interval_holds_the_true_quantile_as_often_as_it_says():
    random = np.random.default_rng(5)
    truth = -math.log(0.01)

    found = [estimate(np.sort(random.exponential(size=700)), 0.99) for _ in range(600)]

    held = sum(one.low <= truth <= one.high for one in found)
    assert held / 600 > 0.93


def test_more_failures_than_a_quantile_leaves_out_make_it_infinite():
    rising = np.array([0.001] * 980 + [math.inf] * 20)

    assert estimate(rising, 0.99).seconds == math.inf
    assert estimate(rising, 0.95).seconds == 0.001


def test_a_quantile_is_called_as_people_call_it():
    rising = np.arange(10.0)

    assert [estimate(rising, share).name for share in (0.5, 0.99, 0.999)] == ["p50", "p99", "p99.9"]
