"""
Name the ways in which a challenger may fail more, and stake most on those that are hard to call.

What is staked on an effect that shows within seconds, or never at this traffic, is wasted. Stakes
may follow anything known before the minute; the promise does not depend on them.
"""

import math
from functools import lru_cache

from steelyard.rollout.evidence import Effect, Trials, log_rates

EFFECTS = (
    *(Effect(failing) for failing in (1.25, 1.5, 1.9, 2.5, 3.5, 5.5, 9.0, 18.0, 40.0)),
    # many requests fail
    Effect(15.0, 0.9),
    Effect(30.0, 0.8),
    Effect(60.0, 0.65),
    Effect(100.0, 0.4),
    Effect(200.0, 0.02),
    # many requests fail while some of the champion's do
    Effect(2.5, 0.6),
    Effect(6.0, 0.5),
)

USUAL_MINUTES = 2.0
"""How long the effects take that most is staked on."""

LEAST = 0.05
"""What is staked at least on each effect, in proportion to the most."""


@lru_cache(maxsize=256)
def stakes(usual: float, n_c: int, n_0: int, rho: float, delta: float) -> tuple[float, ...]:
    """
    Return what is staked on each effect, 1 in all.

    `usual` is the champion's rate of failures, n_c and n_0 the requests of a minute that are to be
    expected of challenger and champion.
    """
    weights = [LEAST + _worth(effect, usual, n_c, n_0, rho, delta) for effect in EFFECTS]
    return tuple(weight / sum(weights) for weight in weights)


def _worth(effect: Effect, usual: float, n_c: int, n_0: int, rho: float, delta: float) -> float:
    """Return how much a stake on an effect matters, from 0 to 1."""
    rate = 1 - effect.succeeding * (1 - usual)
    if effect.succeeding == 1.0:
        rate = min(0.9, effect.failing * rho * usual)
    failed = Trials(n_c, rate * n_c), Trials(n_0, usual * n_0)
    growth = log_rates(effect, *failed, rho, delta)
    if growth <= 0:
        return 0.0
    minutes = math.log(100) / growth
    return 1 / (1 + math.log(minutes / USUAL_MINUTES) ** 2)
