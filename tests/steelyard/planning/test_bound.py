"""The fewest requests that any rule needs, held against published numbers and a search."""

import math

import pytest
from scipy.optimize import minimize_scalar
from scipy.special import rel_entr
from scipy.stats import norm

from steelyard.planning.bound import (
    fewest_requests,
    least_distance,
    least_excess,
    least_slowdown,
)


@pytest.mark.parametrize(
    ("p_0", "p_1", "weight", "published"),
    [(0.001, 0.01, 1, 337), (0.001, 0.01, 10, 424), (0.005, 0.05, 10, 84), (0.01, 0.05, 50, 308)],
)
def test_without_a_tolerance_it_is_the_limit_of_two_samples(p_0, p_1, weight, published):
    """Published: ln 100 by the Jensen-Shannon divergence of two samples, times the weight."""
    found = fewest_requests(p_1, p_0, weight, 1.0, 0.0, 0.01)

    assert found == pytest.approx(published, abs=0.6)


@pytest.mark.parametrize("weight", [1, 5, 50, 99])
def test_with_a_tolerance_it_is_what_a_numerical_search_finds(weight):
    rho, delta = 1.5, 0.001

    def information(q_0):
        q_1 = rho * q_0 + delta
        mine = rel_entr(0.05, q_1) + rel_entr(0.95, 1 - q_1)
        theirs = rel_entr(0.005, q_0) + rel_entr(0.995, 1 - q_0)
        return mine + (100 - weight) / weight * theirs

    least = minimize_scalar(information, bounds=(1e-6, 0.5), options={"xatol": 1e-12}).fun

    found = fewest_requests(0.05, 0.005, weight, rho, delta, 0.01)

    assert found == pytest.approx(math.log(100) / least, rel=1e-6)


def test_a_tolerated_rate_is_told_by_no_number_of_requests():
    assert fewest_requests(0.0085, 0.005, 10, 1.5, 0.001, 0.01) == math.inf
    assert fewest_requests(0.0086, 0.005, 10, 1.5, 0.001, 0.01) < math.inf


def test_a_challenger_that_fails_always_is_told_by_few_requests():
    assert 0 < fewest_requests(1.0, 0.0, 5, 1.5, 0.001, 0.01) < 3


@pytest.mark.parametrize("weight", [5, 50])
@pytest.mark.parametrize("requests", [500, 20_000])
def test_the_least_excess_is_what_its_requests_just_exclude(weight, requests):
    rho, p = 2.0, 0.005
    excess = least_excess(p, requests, weight, rho, 0.05)

    def information(q_0):
        q_1 = rho * q_0 + excess
        mine = rel_entr(p, q_1) + rel_entr(1 - p, 1 - q_1)
        theirs = rel_entr(p, q_0) + rel_entr(1 - p, 1 - q_0)
        return mine + (100 - weight) / weight * theirs

    found = minimize_scalar(information, bounds=(1e-9, p), options={"xatol": 1e-13}).fun

    if excess > 1e-9:
        assert found * requests == pytest.approx(math.log(20), rel=1e-3)
    else:  # twice the champion's rate is excluded by itself
        assert found * requests >= math.log(20)


def test_more_requests_exclude_less_and_none_exclude_nothing():
    many, few, none = (least_excess(0.01, n, 10, 1.0, 0.05) for n in (10_000, 100, 0))

    assert 0 < many < few < none == 1.0
    assert least_distance(10_000, 10, 0.05) < least_distance(100, 10, 0.05) < 1
    assert least_distance(0, 10, 0.05) == 1.0


def test_the_least_slowdown_moves_the_excluded_share_past_its_edge():
    median, spread, edge, requests = 0.02, 0.35, 0.03, 1000

    def later(slower):
        return norm.sf(math.log(edge / (slower * median)) / spread)

    found = least_slowdown([later(1)], spread, requests, 10, 0.05)

    assert later(found) - later(1) == pytest.approx(
        least_excess(later(1), requests, 10, 1.0, 0.05), rel=1e-6
    )
    assert least_slowdown([0.0, 1.0], spread, requests, 10, 0.05) == math.inf
