"""The fewest requests that any rule needs, held against published numbers and a search."""

import math

import pytest
from scipy.optimize import minimize_scalar
from scipy.special import rel_entr

from steelyard.planning.bound import fewest_requests


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
