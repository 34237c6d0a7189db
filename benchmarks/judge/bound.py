"""
The least any rule can do: information per challenger request, and the perfect rule's stop.

A rule that rolls back tolerated challengers with probability at most alpha, and a faulty one
surely, needs expected information ln(1/alpha) about it (Wald 1945; facts of the concurrent
comparison: the divergence is to the nearest tolerated pair of variants).
"""

import math
from collections.abc import Callable

import numpy as np

from benchmarks.judge.world import Array

TINY = 1e-12


def divergence(p: float, q: float) -> float:
    """Return the Kullback-Leibler divergence (nats) between two Bernoulli variables."""
    q = min(1 - TINY, max(TINY, q))
    found = p * math.log(p / q) if p > 0 else 0.0
    return found + ((1 - p) * math.log((1 - p) / (1 - q)) if p < 1 else 0.0)


def nearest_errors(
    p1: float, p0: float, weight: float, relative: float, absolute: float
) -> tuple[float, float]:
    """
    Return the tolerated rates (q1, q0), q1 <= (1 + relative) q0 + absolute, nearest to (p1, p0).

    They make d(p1, q1) + (1 - w) / w d(p0, q0) least, nats per challenger request: the champion's
    rate is as unknown as the challenger's.
    """
    if p1 <= (1 + relative) * p0 + absolute:
        return p1, p0

    def worst(q0: float) -> float:
        return min(1.0, (1 + relative) * q0 + absolute)

    def cost(q0: float) -> float:
        return divergence(p1, worst(q0)) + (1 - weight) / weight * divergence(p0, q0)

    q0 = _least(cost, p0, min(1.0, max(p0, (p1 - absolute) / (1 + relative))))
    return worst(q0), q0


def _least(cost: Callable[[float], float], low: float, high: float) -> float:
    """Return where a convex function is least (golden section)."""
    golden = (math.sqrt(5) - 1) / 2
    for _ in range(40):
        left, right = high - golden * (high - low), low + golden * (high - low)
        if cost(left) < cost(right):
            high = right
        else:
            low = left
    return (low + high) / 2


def nearest_scores(p1: Array, p0: Array, margin: float) -> Array:
    """
    Return what is nearest to p1 within a total variation of `margin` from p0, taken as known.

    It is p0, but a p1 where that is more and b p1 where that is less, each end moving `margin`
    (Huber 1965, least favourable pairs). Bins in which p1 is 0 do not matter and keep p0.
    """
    if 0.5 * float(np.abs(p1 - p0).sum()) <= margin:
        return p1
    low = _root(lambda a: float(np.maximum(a * p1 - p0, 0).sum()) - margin)
    high = _root(lambda b: margin - float(np.maximum(p0 - b * p1, 0).sum()))
    return np.where(low * p1 > p0, low * p1, np.where(high * p1 < p0, high * p1, p0))


def _root(rising: Callable[[float], float]) -> float:
    low, high = 0.0, 1.0
    while rising(high) < 0 and high < 1e9:
        high *= 2
    for _ in range(50):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < 0 else (low, middle)
    return (low + high) / 2


def nearest_latency(p1: Array, slowest: Array) -> Array:
    """
    Return what is nearest to p1 among all that is stochastically at most as slow as `slowest`.

    It is in proportion to p1 on blocks of bins from each of which to the next p1 / slowest rises,
    with the mass of `slowest` in each (pooled adjacent violators; Robertson, Wright and Dykstra
    1988, section 1.5).
    """
    blocks: list[tuple[float, float, int]] = []
    for ours, theirs in zip(p1.tolist(), slowest.tolist(), strict=True):
        block = (ours, theirs, 1)
        while blocks and blocks[-1][0] * block[1] >= block[0] * blocks[-1][1]:
            last = blocks.pop()
            block = (last[0] + block[0], last[1] + block[1], last[2] + block[2])
        blocks.append(block)
    scale = [max(theirs, TINY) / max(ours, TINY) for ours, theirs, _ in blocks]
    found: Array = p1 * np.repeat(scale, [size for _, _, size in blocks])
    return found


def divergences(p: Array, q: Array) -> float:
    """Return the Kullback-Leibler divergence (nats) between two distributions."""
    seen = p > TINY
    return float((p[seen] * np.log(p[seen] / np.maximum(q[seen], TINY))).sum())
