"""The mean of evidence is at most 1 while the challenger is tolerated."""

import math
import random
from itertools import product

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from scipy.stats import binom

from steelyard.rollout import evidence
from steelyard.rollout.evidence import MICRO, THETAS, Trials, log_e

RATES = (0.0, 0.001, 0.05, 0.3, 0.7, 1.0)
TOLERANCES = ((1.0, 0.0), (1.5, 0.001), (3.0, 0.05))


def mean_e(
    theta: float, n: int, m: int, p_challenger: float, p_champion: float, rho: float, delta: float
) -> float:
    """Average one minute's e-value over every outcome there is."""
    return math.fsum(
        binom.pmf(x, n, p_challenger)
        * binom.pmf(y, m, p_champion)
        * math.exp(log_e(theta, Trials(n, x), Trials(m, y), rho, delta))
        for x, y in product(range(n + 1), range(m + 1))
    )


@pytest.mark.parametrize(("rho", "delta"), TOLERANCES)
@pytest.mark.parametrize("p", RATES)
def test_a_tolerated_challenger_gains_no_evidence_on_average(p: float, rho: float, delta: float):
    worst = min(1.0, rho * p + delta)

    for theta, (n, m) in product(THETAS, ((1, 1), (2, 9), (6, 2), (5, 5))):
        for tolerated in (worst, worst / 2):
            assert mean_e(theta, n, m, tolerated, p, rho, delta) <= 1 + 1e-9


def test_a_challenger_past_tolerance_gains_evidence_on_average():
    assert mean_e(3.0, 4, 8, 0.20, 0.02, 1.5, 0.001) > 1.1


def test_the_mean_stays_at_most_1_over_minutes_and_restarts():
    (rho, delta), p, n, m = (1.5, 0.01), 0.1, 2, 3
    outcomes = list(product(range(n + 1), range(m + 1)))

    mean = 0.0
    for minutes in product(outcomes, repeat=2):
        wealth, chance = evidence.start(), 1.0
        for index, (x, y) in enumerate(minutes):
            wealth = evidence.update(wealth, index, Trials(n, x), Trials(m, y), rho, delta)
            chance *= binom.pmf(x, n, rho * p + delta) * binom.pmf(y, m, p)
        mean += chance * math.exp(evidence.log_total(wealth))

    staked = math.exp(evidence.log_total(evidence.start()))
    staked += evidence.restart_mass(0) + evidence.restart_mass(1)
    assert mean <= staked <= 1


def test_half_of_the_stake_is_kept_for_faults_that_begin_later():
    spread = math.fsum(evidence.restart_mass(index) for index in range(100_000))

    assert math.exp(evidence.log_total(evidence.start())) == pytest.approx(0.5, abs=1e-5)
    assert 0.499 < spread < 0.5


def test_half_of_that_is_spent_in_the_first_two_hours():
    assert math.fsum(map(evidence.restart_mass, range(120))) == pytest.approx(0.25)


@pytest.mark.parametrize(
    ("challenger", "champion"), [((9, 9), (0, 0)), ((0, 0), (9, 9)), ((0, 0), (0, 0))]
)
def test_a_minute_without_one_of_the_variants_says_nothing(
    challenger: tuple[int, int], champion: tuple[int, int]
):
    assert log_e(5.0, Trials(*challenger), Trials(*champion), 1.5, 0.001) == 0.0


counts = st.integers(1, 500).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n)))


@given(counts, counts, st.sampled_from(THETAS), st.sampled_from(TOLERANCES))
def test_evidence_rises_with_the_challengers_errors_and_falls_with_the_champions(
    challenger: tuple[int, int],
    champion: tuple[int, int],
    theta: float,
    tolerance: tuple[float, float],
):
    (n, x), (m, y) = challenger, champion
    assume(x < n and y < m)
    here = log_e(theta, Trials(n, x), Trials(m, y), *tolerance)

    assert log_e(theta, Trials(n, x + 1), Trials(m, y), *tolerance) > here
    assert log_e(theta, Trials(n, x), Trials(m, y + 1), *tolerance) < here


@given(st.lists(st.tuples(counts, counts), min_size=1, max_size=20))
def test_stored_wealth_never_exceeds_the_true_wealth(
    minutes: list[tuple[tuple[int, int], tuple[int, int]]],
):
    wealth = evidence.start()
    exact = [math.log(0.5 / len(THETAS))] * len(THETAS)

    for index, (challenger, champion) in enumerate(minutes):
        trials = Trials(*challenger), Trials(*champion)
        wealth = evidence.update(wealth, index, *trials, 1.5, 0.001)
        stake = math.log(evidence.restart_mass(index) / len(THETAS))
        exact = [
            evidence.log_sum((log, stake)) + log_e(theta, *trials, 1.5, 0.001)
            for log, theta in zip(exact, THETAS, strict=True)
        ]

    for kept, log in zip(wealth, exact, strict=True):
        assert log - (len(minutes) + 1) / MICRO - 1e-9 <= kept / MICRO <= log + 1e-9


def draw(random_: random.Random, n: int, rate: float) -> Trials:
    return Trials(n, sum(random_.random() < rate for _ in range(n)))


def minutes_until_conviction(seed: int, fault_at: int) -> int:
    random_, wealth = random.Random(seed), evidence.start()
    for index in range(400):
        rate = 0.05 if index >= fault_at else 0.005
        trials = draw(random_, 30, rate), draw(random_, 270, 0.005)
        wealth = evidence.update(wealth, index, *trials, 1.5, 0.001)
        if evidence.log_total(wealth) >= math.log(200):
            return index + 1 - fault_at
    raise AssertionError("never convicted")


def test_a_late_fault_is_caught_about_as_fast_as_an_early_one():
    early = [minutes_until_conviction(seed, 0) for seed in range(15)]
    late = [minutes_until_conviction(seed, 120) for seed in range(15)]

    assert 0 < sum(late) < 2 * sum(early)


def test_a_challenger_at_the_edge_of_tolerance_is_seldom_convicted():
    convicted = 0
    for seed in range(100):
        random_, wealth = random.Random(seed), evidence.start()
        top = -math.inf
        for index in range(60):
            trials = draw(random_, 30, 1.5 * 0.01 + 0.001), draw(random_, 120, 0.01)
            wealth = evidence.update(wealth, index, *trials, 1.5, 0.001)
            top = max(top, evidence.log_total(wealth))
        convicted += top >= math.log(20)

    assert convicted <= 5
