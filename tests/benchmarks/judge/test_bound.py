"""The nearest tolerated distributions, against numeric search and known limits."""

import math

import numpy as np
import pytest
from scipy.optimize import minimize

from benchmarks.judge import bound


def errors(p1, p0, weight, relative=0.0, absolute=0.0):
    """Nats per challenger request."""
    q1, q0 = bound.nearest_errors(p1, p0, weight, relative, absolute)
    return bound.divergence(p1, q1) + (1 / weight - 1) * bound.divergence(p0, q0)


@pytest.mark.parametrize(
    ("p0", "p1", "weight", "requests"),
    [
        (0.001, 0.01, 0.01, 337),
        (0.005, 0.02, 0.1, 427),
        (0.005, 0.05, 0.1, 84),
        (0.01, 0.02, 0.5, 2671),
        (0.001, 0.5, 0.5, 11),
    ],
)
def test_without_a_margin_the_information_is_the_jensen_shannon_divergence(
    p0, p1, weight, requests
):
    def entropy(p):
        return -p * math.log(p) - (1 - p) * math.log(1 - p)

    mixed = weight * p1 + (1 - weight) * p0
    divergence = entropy(mixed) - weight * entropy(p1) - (1 - weight) * entropy(p0)

    assert weight * errors(p1, p0, weight) == pytest.approx(divergence, rel=1e-6)
    assert round(math.log(100) / errors(p1, p0, weight)) == pytest.approx(requests, abs=1)


def test_no_tolerated_pair_of_rates_is_nearer_than_the_one_returned():
    p1, p0, weight, relative, absolute = 0.03, 0.005, 0.1, 0.5, 0.001

    for q0 in np.linspace(0.001, 0.2, 2000):
        q1 = 1.5 * q0 + 0.001
        other = bound.divergence(p1, q1) + (1 / weight - 1) * bound.divergence(p0, q0)
        assert other >= errors(p1, p0, weight, relative, absolute) - 1e-12


def test_what_is_tolerated_tells_nothing():
    same = np.array([0.2, 0.3, 0.5])

    assert errors(0.0085, 0.005, 0.1, 0.5, 0.001) == 0.0
    assert bound.nearest_scores(same, np.array([0.25, 0.3, 0.45]), 0.06) is same
    faster = bound.nearest_latency(np.array([0.5, 0.3, 0.2]), same)
    assert bound.divergences(np.array([0.5, 0.3, 0.2]), faster) == pytest.approx(0.0)


def searched(p1, constraints):
    """Return the least divergence from p1 that a numeric search finds under constraints."""
    whole = {"type": "eq", "fun": lambda q: q.sum() - 1}
    found = minimize(
        lambda q: float((p1 * np.log(p1 / np.maximum(q, 1e-9))).sum()),
        np.full(len(p1), 1 / len(p1)),
        constraints=[whole, *constraints],
        bounds=[(1e-9, 1)] * len(p1),
        options={"maxiter": 500, "ftol": 1e-12},
    )
    return found.fun


@pytest.mark.parametrize("seed", range(5))
def test_the_nearest_scores_are_those_that_a_search_finds(seed):
    p1, p0 = np.random.default_rng(seed).dirichlet(np.ones(5), 2)
    margin = 0.1

    found = bound.nearest_scores(p1, p0, margin)

    within = {"type": "ineq", "fun": lambda q: margin - 0.5 * np.abs(q - p0).sum()}
    assert found.sum() == pytest.approx(1.0)
    assert 0.5 * np.abs(found - p0).sum() <= margin + 1e-9
    assert bound.divergences(p1, found) == pytest.approx(searched(p1, [within]), abs=2e-3)


@pytest.mark.parametrize("seed", range(5))
def test_the_nearest_latencies_are_those_that_a_search_finds(seed):
    p1, slowest = np.random.default_rng(seed).dirichlet(np.ones(5), 2)

    found = bound.nearest_latency(p1, slowest)

    faster = {"type": "ineq", "fun": lambda q: np.cumsum(q - slowest)[:-1]}
    assert found.sum() == pytest.approx(1.0)
    assert (np.cumsum(found - slowest) >= -1e-9).all()
    assert bound.divergences(p1, found) == pytest.approx(searched(p1, [faster]), abs=1e-4)


def test_a_collapse_to_one_bin_tells_the_logarithm_of_its_tolerated_share():
    p0, p1 = np.array([0.5, 0.4, 0.1]), np.array([0.0, 0.0, 1.0])

    found = bound.nearest_scores(p1, p0, 0.1)

    assert bound.divergences(p1, found) == pytest.approx(math.log(1 / 0.2))
