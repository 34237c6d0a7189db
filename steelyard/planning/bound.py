"""
The fewest requests of the challenger from which any rule can tell a fault.

A rule that rolls back tolerated challengers with probability at most alpha, and surely a faulty
one, needs information ln(1/alpha) against the tolerated pair of error rates that is nearest to the
truth (Wald 1945, for two variants side by side).
"""

import math

_TINY = 1e-12
_GOLDEN = (math.sqrt(5) - 1) / 2
_STEPS = 60


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
    others = (100 - weight) / weight

    def information(q_0: float) -> float:
        return _divergence(p_1, rho * q_0 + delta) + others * _divergence(p_0, q_0)

    # Both divergences are convex, so a golden section finds the least.
    low, high = p_0, min(1.0, (p_1 - delta) / rho)
    for _ in range(_STEPS):
        left, right = high - _GOLDEN * (high - low), low + _GOLDEN * (high - low)
        low, high = (low, right) if information(left) < information(right) else (left, high)
    return math.log(1 / alpha) / information((low + high) / 2)


def _divergence(p: float, q: float) -> float:
    """Return what each trial of rate p tells (nats, on average) against rate q."""
    near = min(1 - _TINY, max(_TINY, q))
    return sum(
        part * math.log(part / other) for part, other in ((p, near), (1 - p, 1 - near)) if part > 0
    )
