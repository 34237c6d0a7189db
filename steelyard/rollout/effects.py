"""
Name the ways in which a challenger may fail more, and stake most on those that are hard to call.

What is staked on an effect that shows within seconds, or never at this traffic, is wasted. Stakes
may follow anything known before the minute; the promise does not depend on them.
"""

import math
from functools import lru_cache

from steelyard.rollout.evidence import Effect, Trials, log_rates

WORSE = (1.15, 1.32, 1.55, 1.9, 2.4, 3.2, 4.5, 7.0, 12.0, 22.0, 50.0, 150.0, 2000.0)
"""How many times the odds of failure that are tolerated a challenger's may be."""

SHARED = ((0.45, 0.08), (0.7, 0.2))
"""Rates of challenger and champion where many fail of both, and more of the challenger's."""

BISECTIONS = 40

USUAL_MINUTES = 3.0
"""How long the effects take that most is staked on."""

SOONER = 4.0
"""How much faster the stake falls on effects that show sooner: they need two minutes anyway."""

LEAST = 0.02
"""What is staked at least on each effect, in proportion to the most."""


@lru_cache(maxsize=256)
def rates(usual: float, rho: float, delta: float) -> tuple[tuple[float, float], ...]:
    """
    Return the rates (challenger, champion) at which more fails than is tolerated.

    They are spread from the edge of tolerance up where the champion's rate is `usual`, above 0.
    """
    edge = min(0.9, rho * usual + delta)
    odds = (more * edge / (1 - edge) for more in WORSE)
    return (*((it / (1 + it), usual) for it in odds), *SHARED)


@lru_cache(maxsize=1024)
def effects(usual: float, ratio: float, rho: float, delta: float) -> tuple[Effect, ...]:
    """Return the effect that grows fastest at each of `rates`; `ratio` is n_c / n_0."""
    return tuple(project(*pair, ratio, rho, delta) for pair in rates(usual, rho, delta))


def project(rate: float, usual: float, ratio: float, rho: float, delta: float) -> Effect:
    """
    Return the effect that grows fastest at these rates: against the nearest tolerated pair.

    That pair (reverse information projection) lies on the edge, challenger = rho champion + delta.
    """
    low, high = 0.0, min(1.0, (1 - delta) / rho)
    for _ in range(BISECTIONS):
        p = (low + high) / 2
        edge = rho * p + delta
        slope = ratio * rho * (edge - rate) / (edge * (1 - edge)) + (p - usual) / (p * (1 - p))
        low, high = (p, high) if slope < 0 else (low, p)
    p = (low + high) / 2
    edge = rho * p + delta
    fails, ok = rate / edge, (1 - rate) / (1 - edge)
    return Effect(max(1.0, fails / ok), min(1.0, ok / ((1 - usual) / (1 - p))))


def rounded(number: float) -> float:
    """Return a number to two digits: what follows from it is derived anew only where it matters."""
    return float(f"{number:.1e}")


@lru_cache(maxsize=256)
def stakes(usual: float, n_c: int, n_0: int, rho: float, delta: float) -> tuple[float, ...]:
    """
    Return what is staked on each effect, 1 in all.

    `usual` is the champion's rate of failures, n_c and n_0 the requests of a minute that are to be
    expected of challenger and champion.
    """
    weights = [LEAST + _worth(growth) for growth in growths(usual, n_c, n_0, rho, delta)]
    return tuple(weight / sum(weights) for weight in weights)


@lru_cache(maxsize=256)
def growths(usual: float, n_c: int, n_0: int, rho: float, delta: float) -> tuple[float, ...]:
    """Return the evidence (nats) that a minute brings on each effect where it is the true one."""
    found = effects(usual, rounded(n_c / n_0), rho, delta)
    return tuple(
        log_rates(effect, Trials(n_c, rate * n_c), Trials(n_0, its * n_0), rho, delta)
        for effect, (rate, its) in zip(found, rates(usual, rho, delta), strict=True)
    )


def _worth(growth: float) -> float:
    """Return how much a stake on an effect of this growth matters, from 0 to 1."""
    if growth <= 0:
        return 0.0
    distance = math.log(math.log(100) / growth / USUAL_MINUTES)
    return 1 / (1 + (SOONER if distance < 0 else 1.0) * distance**2)
