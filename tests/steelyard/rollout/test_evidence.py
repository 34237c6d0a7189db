"""The mean of evidence is at most 1 while the challenger is tolerated."""

import math
import random
from collections.abc import Iterator, Sequence
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import minimize_scalar
from scipy.special import rel_entr
from scipy.stats import binom, multinomial, nchypergeom_fisher

from steelyard.rollout import bursts, evidence
from steelyard.rollout.alternatives import latency_ratios, slowed, spread_over
from steelyard.rollout.effects import project
from steelyard.rollout.evidence import (
    MICRO,
    Effect,
    Trials,
    log_order,
    log_rates,
    log_shares,
)

RATES = (0.0, 0.001, 0.05, 0.3, 0.7, 1.0)
TOLERANCES = ((1.0, 0.0), (1.5, 0.001), (3.0, 0.05))
EFFECTS = (
    Effect(1.3, 1.0),
    Effect(3.0, 0.99),
    Effect(100.0, 1.0),
    Effect(30.0, 0.7),
    Effect(200.0, 0.02),
)
SIZES = ((1, 1), (2, 9), (6, 2), (5, 5))


def mean_of_rates(
    effect: Effect,
    sizes: tuple[int, int],
    rates: tuple[float, float],
    rho: float = 1.0,
    delta: float = 0.0,
) -> float:
    """Average one minute's e-value over every outcome there is."""
    (n, m), (p_challenger, p_champion) = sizes, rates
    return math.fsum(
        binom.pmf(x, n, p_challenger)
        * binom.pmf(y, m, p_champion)
        * math.exp(log_rates(effect, Trials(n, x), Trials(m, y), rho, delta))
        for x, y in product(range(n + 1), range(m + 1))
    )


@pytest.mark.parametrize(("rho", "delta"), TOLERANCES)
@pytest.mark.parametrize("p", RATES)
def test_a_tolerated_rate_gains_no_evidence_on_average(p: float, rho: float, delta: float):
    worst = min(1.0, rho * p + delta)

    for effect, sizes, part in product(EFFECTS, SIZES, (1.0, 0.5, 0.0)):
        assert mean_of_rates(effect, sizes, (part * worst, p), rho, delta) <= 1 + 1e-9


def test_a_rate_past_tolerance_gains_evidence_on_average():
    for effect in (Effect(3.0, 0.98), Effect(10.0, 0.7)):
        assert mean_of_rates(effect, (4, 8), (0.3, 0.02), 1.5, 0.001) > 1.1


@pytest.mark.parametrize(
    ("rate", "usual"), [(0.005, 0.002), (0.05, 0.002), (0.98, 0.01), (0.6, 0.1)]
)
@pytest.mark.parametrize(("rho", "delta"), TOLERANCES[1:])
def test_the_effect_of_the_true_rates_grows_as_fast_as_any_test_can(
    rate: float, usual: float, rho: float, delta: float
):
    n_c, n_0 = 2_000, 38_000
    if rate <= rho * usual + delta:
        return
    nearest = minimize_scalar(
        lambda p: n_c * divergence(rate, rho * p + delta) + n_0 * divergence(usual, p),
        bounds=(1e-9, (1 - delta) / rho - 1e-9),
        method="bounded",
        options={"xatol": 1e-12},
    )
    effect = project(rate, usual, n_c / n_0, rho, delta)

    found = log_rates(effect, Trials(n_c, rate * n_c), Trials(n_0, usual * n_0), rho, delta)
    assert found == pytest.approx(nearest.fun, rel=1e-3, abs=1e-3)


def divergence(p: float, q: float) -> float:
    return float(rel_entr(p, q) + rel_entr(1 - p, 1 - q))


def test_requests_that_fail_unequally_often_gain_no_evidence_either():
    chances, usual = (0.5, 0.1, 0.0), (0.1, 0.3)
    mean = 0.0
    for ours in product((0, 1), repeat=3):
        for theirs in product((0, 1), repeat=2):
            chance = math.prod(p if x else 1 - p for p, x in zip(chances, ours, strict=True))
            chance *= math.prod(p if x else 1 - p for p, x in zip(usual, theirs, strict=True))
            counts = Trials(3, sum(ours)), Trials(2, sum(theirs))
            mean += chance * math.exp(log_rates(Effect(5.0, 0.8), *counts, 1.0, 0.0))

    assert mean <= 1 + 1e-9


def test_evidence_of_rates_is_never_above_the_best_likelihood_ratio_of_the_exact_test():
    """Given the sum of failures, the exact test is the noncentral hypergeometric one."""
    n, m, x, y = 20, 180, 6, 3
    exact = max(
        nchypergeom_fisher.logpmf(x, n + m, n, x + y, odds)
        - nchypergeom_fisher.logpmf(x, n + m, n, x + y, 1.0)
        for odds in (1.0 + step / 4 for step in range(1, 400))
    )
    found = max(
        log_rates(Effect(1.0 + step / 4, 1.0), Trials(n, x), Trials(m, y), 1.0, 0.0)
        for step in range(1, 400)
    )

    assert 0.85 * exact < found <= exact


def histograms(n: int, shares: Sequence[float]) -> Iterator[tuple[tuple[int, ...], float]]:
    for counts in product(range(n + 1), repeat=len(shares)):
        if sum(counts) == n:
            yield counts, float(multinomial.pmf(counts, n, shares))


SHARES = ((0.2, 0.3, 0.5), (0.6, 0.4, 0.0), (1.0, 0.0, 0.0), (1 / 3, 1 / 3, 1 / 3))
RATIOS = ((0.3, 1.0, 4.0), (5.0, 1.0, 0.2), (0.5, 2.0, 0.5))


@pytest.mark.parametrize("distance", [0.0, 0.1, 0.3])
@pytest.mark.parametrize("champion", SHARES)
def test_predictions_within_tolerance_gain_no_evidence_on_average(
    champion: tuple[float, ...], distance: float
):
    for ratios, (n, m), source, target in product(RATIOS, ((2, 3), (4, 2)), range(3), range(3)):
        moved = min(distance, champion[source]) if source != target else 0.0
        challenger = list(champion)
        challenger[source] -= moved
        challenger[target] += moved
        mean = math.fsum(
            chance * other * math.exp(log_shares(ratios, ours, theirs, distance))
            for ours, chance in histograms(n, challenger)
            for theirs, other in histograms(m, champion)
        )
        assert mean <= 1 + 1e-9


def test_predictions_past_tolerance_gain_evidence_on_average():
    mean = math.fsum(
        chance * other * math.exp(log_shares((0.2, 1.0, 5.0), ours, theirs, 0.1))
        for ours, chance in histograms(4, (0.0, 0.1, 0.9))
        for theirs, other in histograms(4, (0.8, 0.1, 0.1))
    )
    assert mean > 1.5


SLOWED = (((0, 0.6), (1, 0.4)), ((1, 0.6), (2, 0.4)), ((2, 1.0),))


@pytest.mark.parametrize("champion", SHARES)
def test_answers_within_tolerance_of_time_gain_no_evidence_on_average(champion: tuple[float, ...]):
    slowest = [0.0, 0.0, 0.0]
    for share, spread in zip(champion, SLOWED, strict=True):
        for index, part in spread:
            slowest[index] += share * part
    faster = (slowest[0] + slowest[1], 0.0, slowest[2])

    for ratios, (n, m), challenger in product(
        ((0.5, 1.0, 3.0), (0.2, 0.2, 9.0)), ((2, 3), (4, 2)), (slowest, faster, champion)
    ):
        mean = math.fsum(
            chance * other * math.exp(log_order(ratios, SLOWED, ours, theirs))
            for ours, chance in histograms(n, challenger)
            for theirs, other in histograms(m, champion)
        )
        assert mean <= 1 + 1e-9


@pytest.mark.parametrize("factor", [bursts.HIT, bursts.COLD])
def test_answers_as_slow_as_in_a_hit_or_a_cold_minute_gain_no_evidence_of_a_stall(factor: float):
    edges, champion = (0.01, 0.02, 0.05, 0.2), (0.1, 0.5, 0.3, 0.08, 0.02)
    spread = slowed(edges, factor)
    slowest = spread_over(champion, spread)

    for ratios in latency_ratios((10, 50, 30, 8, 2), edges, factor - 1):
        for n, m, challenger in ((2, 3, slowest), (3, 2, slowest), (3, 2, champion)):
            mean = math.fsum(
                chance * other * math.exp(log_order(ratios, spread, ours, theirs))
                for ours, chance in histograms(n, challenger)
                for theirs, other in histograms(m, champion)
            )
            assert mean <= 1 + 1e-9


def test_slow_answers_gain_evidence_on_average():
    mean = math.fsum(
        chance * other * math.exp(log_order((0.2, 0.6, 4.0), SLOWED, ours, theirs))
        for ours, chance in histograms(4, (0.1, 0.1, 0.8))
        for theirs, other in histograms(4, (0.8, 0.2, 0.0))
    )
    assert mean > 1.5


@pytest.mark.parametrize(
    ("challenger", "champion"), [((9, 9), (0, 0)), ((0, 0), (9, 9)), ((0, 0), (0, 0))]
)
def test_a_minute_without_one_of_the_variants_says_nothing(
    challenger: tuple[int, int], champion: tuple[int, int]
):
    assert log_rates(Effect(5.0, 0.9), Trials(*challenger), Trials(*champion), 1.5, 0.001) == 0.0
    ours, theirs = (challenger[0], 0, 0), (champion[0], 0, 0)
    assert log_shares(RATIOS[0], ours, theirs, 0.1) == 0.0
    assert log_order(RATIOS[0], SLOWED, ours, theirs) == 0.0


STAKES = (0.2, 0.1)
LATER = (0.1, 0.05)
BOTH = (Effect(3.0, 0.99), Effect(20.0, 0.6))


def grown(wealth: evidence.Wealth, ours: Trials, theirs: Trials) -> evidence.Wealth:
    logs = [log_rates(effect, ours, theirs, 1.5, 0.01) for effect in BOTH]
    return evidence.update(wealth, LATER, logs)


def test_the_mean_stays_at_most_what_was_staked():
    p, n, m = 0.1, 2, 3
    outcomes = list(product(range(n + 1), range(m + 1)))

    mean = 0.0
    for minutes in product(outcomes, repeat=2):
        wealth, chance = evidence.start(STAKES), 1.0
        for x, y in minutes:
            wealth = grown(wealth, Trials(n, x), Trials(m, y))
            chance *= binom.pmf(x, n, 1.5 * p + 0.01) * binom.pmf(y, m, p)
        mean += chance * math.exp(evidence.log_total(wealth))

    assert mean <= sum(STAKES) + 2 * sum(LATER) <= 1


def test_the_mean_of_recent_evidence_stays_at_most_1():
    p, n, m = 0.1, 2, 3
    outcomes = list(product(range(n + 1), range(m + 1)))

    mean = 0.0
    for minutes in product(outcomes, repeat=2):
        recent, chance = None, 1.0
        for x, y in minutes:
            logs = [log_rates(effect, Trials(n, x), Trials(m, y), 1.5, 0.01) for effect in BOTH]
            recent = evidence.recent(recent, (0.6, 0.4), logs)
            chance *= binom.pmf(x, n, 1.5 * p + 0.01) * binom.pmf(y, m, p)
        assert recent is not None
        mean += chance * math.exp(evidence.log_total(recent))

    assert 0.5 < mean <= 1


def test_wealth_is_capped_above_what_it_was_or_its_stake():
    before, grown = evidence.start((0.2, 0.1)), evidence.start((9e6, 90.0))

    capped = evidence.capped(grown, before, (0.2, 0.1), math.log(10.0))

    # The first has its part of all that is allowed, 3; the second what it may have itself.
    assert [math.exp(log / MICRO) for log in capped] == pytest.approx(
        [3.0, 0.1 * 10.0**0.5], rel=1e-4
    )
    assert evidence.capped(grown, before, (0.2, 0.1), math.inf) == grown


@given(st.lists(st.tuples(*[st.floats(1e-6, 1e6)] * 3), min_size=1, max_size=9), st.floats(0, 5))
def test_capped_wealth_is_never_more_than_it_was_nor_than_twice_the_limit(
    effects: list[tuple[float, float, float]], limit: float
):
    grown, old, stakes = zip(*effects, strict=True)
    wealth, before = evidence.start(grown), evidence.start(old)

    capped = evidence.capped(wealth, before, stakes, limit)

    assert all(low <= high for low, high in zip(capped, wealth, strict=True))
    allowed = limit + math.log(sum(old) + sum(stakes))
    assert evidence.log_total(capped) <= allowed + math.log(2) + 1e-5


counts = st.integers(1, 500).flatmap(lambda n: st.tuples(st.just(n), st.integers(0, n)))


@given(counts, counts, st.sampled_from(EFFECTS), st.sampled_from(TOLERANCES))
def test_evidence_rises_with_the_challengers_errors_and_falls_with_the_champions(
    challenger: tuple[int, int],
    champion: tuple[int, int],
    effect: Effect,
    tolerance: tuple[float, float],
):
    (n, x), (m, y) = challenger, champion
    here = log_rates(effect, Trials(n, x), Trials(m, y), *tolerance)

    if x < n:
        assert log_rates(effect, Trials(n, x + 1), Trials(m, y), *tolerance) > here
    if y < m:
        assert log_rates(effect, Trials(n, x), Trials(m, y + 1), *tolerance) < here


@given(st.lists(st.tuples(counts, counts), min_size=1, max_size=20))
def test_stored_wealth_never_exceeds_the_true_wealth(
    minutes: list[tuple[tuple[int, int], tuple[int, int]]],
):
    wealth = evidence.start(STAKES)
    exact = [math.log(stake) for stake in STAKES]

    for challenger, champion in minutes:
        trials = Trials(*challenger), Trials(*champion)
        wealth = grown(wealth, *trials)
        exact = [
            evidence.log_sum((log, math.log(stake))) + log_rates(effect, *trials, 1.5, 0.01)
            for log, stake, effect in zip(exact, LATER, BOTH, strict=True)
        ]

    for kept, log in zip(wealth, exact, strict=True):
        assert log - (len(minutes) + 1) / MICRO - 1e-9 <= kept / MICRO <= log + 1e-9


def test_a_challenger_at_the_edge_of_tolerance_is_seldom_convicted():
    convicted = 0
    for seed in range(100):
        random_, wealth = random.Random(seed), evidence.start((0.5, 0.5))
        top = -math.inf
        for _ in range(60):
            x = sum(random_.random() < 1.5 * 0.01 + 0.01 for _ in range(30))
            y = sum(random_.random() < 0.01 for _ in range(120))
            logs = [log_rates(it, Trials(30, x), Trials(120, y), 1.5, 0.01) for it in BOTH]
            wealth = evidence.update(wealth, (1e-9, 1e-9), logs)
            top = max(top, evidence.log_total(wealth))
        convicted += top >= math.log(20)

    assert convicted <= 5
