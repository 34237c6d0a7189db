"""
What no rule can do better: the fewest requests that tell a fault, the least harm they exclude.

A rule that errs with probability at most alpha needs information ln(1/alpha) against the pair of
error rates, among those where its decision were wrong, that is nearest to the truth (Wald 1945, for
two variants side by side).
"""

import math
from collections.abc import Sequence
from statistics import NormalDist

_TINY = 1e-12
_GOLDEN = (math.sqrt(5) - 1) / 2
_STEPS = 60
_NORMAL = NormalDist()


def fewest_requests(
    p_1: float, p_0: float, weight: int, rho: float, delta: float, alpha: float
) -> float:
    """
    Return how many requests of the challenger any rule needs on average.

    p_1 and p_0 are the error rates of challenger and champion, tolerated is p_1 <= rho p_0 + delta,
    `weight` is the challenger's of 100. Infinite where the rate is tolerated.
    """
    if p_1 <= rho * p_0 + delta:
        return math.inf
    return math.log(1 / alpha) / _information(p_1, p_0, weight, rho, delta)


def least_excess(p: float, requests: float, weight: int, rho: float, alpha: float) -> float:
    """
    Return the least excess that any rule can exclude from so many requests of the challenger.

    Excess is by how much its error rate is above rho times the champion's; in truth both fail at
    rate `p`. At most 1, which excludes nothing.
    """
    low, high = 0.0, 1.0
    for _ in range(_STEPS):
        middle = (low + high) / 2
        told = p < rho * p + middle and _information(p, p, weight, rho, middle) * requests
        low, high = (low, middle) if told >= math.log(1 / alpha) else (middle, high)
    return high


def least_slowdown(
    later: Sequence[float], spread: float, requests: float, weight: int, alpha: float
) -> float:
    """
    Return the least factor of latency that any rule can exclude that counts by bins.

    `later` are the shares of answers past each inner edge, of which the best one counts. Latency is
    log-normal with standard deviation `spread` of its logarithm; in truth both are equally fast.
    """
    found = math.inf
    for usual in later:
        share = usual + least_excess(usual, requests, weight, 1.0, alpha)
        if usual > _TINY and share < 1 - _TINY:
            moved = _NORMAL.inv_cdf(1 - usual) - _NORMAL.inv_cdf(1 - share)
            found = min(found, math.exp(spread * moved))
    return found


def least_distance(requests: float, weight: int, alpha: float) -> float:
    """
    Return about the least total variation, beyond the true one, that can be excluded.

    By Pinsker's inequality the information against it is at least 2 distance^2 for each request,
    times the champion's share of the traffic; where halves of the traffic move, it is no more.
    """
    compared = 2 * requests * (1 - weight / 100)
    return min(1.0, math.sqrt(math.log(1 / alpha) / compared)) if compared > 0 else 1.0


def _information(p_1: float, p_0: float, weight: int, rho: float, delta: float) -> float:
    """Return what a request of the challenger tells against the nearest pair on the limit."""
    others = (100 - weight) / weight

    def information(q_0: float) -> float:
        return _divergence(p_1, rho * q_0 + delta) + others * _divergence(p_0, q_0)

    # Both divergences are convex, so a golden section finds the least between what fits one
    # variant and what fits the other.
    fits = min(1.0, max(0.0, (p_1 - delta) / rho))
    low, high = min(p_0, fits), max(p_0, fits)
    for _ in range(_STEPS):
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        low, high = (low, right) if information(left) < information(right) else (left, high)
    return information((low + high) / 2)


def _divergence(p: float, q: float) -> float:
    """Return what each trial of rate p tells (nats, on average) against rate q."""
    near = min(1 - _TINY, max(_TINY, q))
    return sum(
        part * math.log(part / other) for part, other in ((p, near), (1 - p, 1 - near)) if part > 0
    )
