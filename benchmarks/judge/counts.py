"""Draw the counts of one minute, as the judge protocol writes them."""

from typing import Any

import numpy as np

from benchmarks.judge.delivery import FIRST_PART, ROLES, Role
from benchmarks.judge.world import HISTORY, Moment, Truth, World, latency_bins

Counts = dict[str, Any]
Drawn = tuple[Counts | None, Counts | None]
"""What the first of two versions has counted, and all of it."""


def draw(
    world: World, moment: Moment, weight: float, seed: tuple[int, ...], edges: tuple[float, ...]
) -> dict[Role, Drawn]:
    """Return both variants' minute: the same for every judge that is at this stage then."""
    rng = np.random.default_rng((*seed, moment.minute + HISTORY))
    requests = world.requests(moment.minute)
    shares = dict(zip(ROLES, (1 - weight, weight), strict=True))
    truths = dict(zip(ROLES, world.truths(moment), strict=True))
    return {role: _drawn(rng, requests * shares[role], truths[role], edges) for role in ROLES}


def _drawn(
    rng: np.random.Generator, requests: float, truth: Truth, edges: tuple[float, ...]
) -> Drawn:
    if not truth.answers:
        return None, None
    first = _part(rng, FIRST_PART * requests, truth, edges)
    rest = _part(rng, (1 - FIRST_PART) * requests, truth, edges)
    return _counts(first, edges), _counts([a + b for a, b in zip(first, rest, strict=True)], edges)


def _part(
    rng: np.random.Generator, requests: float, truth: Truth, edges: tuple[float, ...]
) -> list[Any]:
    n = rng.poisson(requests)
    e4, e5, good = rng.multinomial(n, (truth.e4, truth.e5, max(0.0, 1 - truth.e4 - truth.e5)))
    latency = rng.multinomial(n, latency_bins(truth.latency, edges))
    return [np.array([e4, e5]), latency, rng.multinomial(e4 + good, truth.score)]


def _counts(part: list[Any], edges: tuple[float, ...]) -> Counts | None:
    (e4, e5), latency, score = part
    n = int(latency.sum())
    if n == 0:
        return None
    below = np.concatenate([[0], np.cumsum(latency)]) / n
    p50, p90, p99 = np.interp((0.5, 0.9, 0.99), below, edges).astype(int).tolist()
    return {
        "n": n,
        "e4": int(e4),
        "e5": int(e5),
        "p50": p50,
        "p90": p90,
        "p99": p99,
        "lat": latency.tolist(),
        "score": score.tolist(),
    }
