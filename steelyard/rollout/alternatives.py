"""
Imagine what a faulty challenger's histograms look like, from what the champion's look like.

An alternative makes the judge fast where it comes close to the truth; the promise does not depend
on it, provided that it is fixed before the minute that it weighs.
"""

import math
from collections.abc import Callable, Iterable, Sequence
from functools import lru_cache
from itertools import pairwise

Shares = tuple[float, ...]
Spread = tuple[tuple[tuple[int, float], ...], ...]
"""For each bin, over which bins (index, share) it spreads."""

SHIFTS = (0.06, 0.12, 0.24)
"""How far all scores may move, in parts of their range."""
SLOWDOWNS = (1.4, 1.8, 2.6, 4.0)
"""How many times as slow all requests may be."""
SLOW_PARTS = ((0.1, 6.0), (0.3, 3.0), (0.03, 1e6), (0.15, 1e6))
"""Which share of the requests may be how many times as slow; a million times: a time-out."""

SCORE_STAKES = {"shift": 0.4, "tilt": 0.2, "constant": 0.2, "learned": 0.2}
_SURE = 0.98
_SAME = 1e-6
_BISECTIONS = 30


def score_stakes(bins: int) -> tuple[float, ...]:
    """Return what is staked on each of `score_ratios`, 1 in all."""
    shift, tilt = SCORE_STAKES["shift"] / (2 * len(SHIFTS)), SCORE_STAKES["tilt"] / 2
    constant = SCORE_STAKES["constant"] / bins
    return (
        *(shift,) * (2 * len(SHIFTS)),
        *(tilt,) * 2,
        *(constant,) * bins,
        SCORE_STAKES["learned"],
    )


@lru_cache(maxsize=64)
def staked(stakes: Shares, ways: tuple[Shares, ...]) -> Shares:
    """Return the stakes, 1 in all, with next to nothing on what the tolerance allows whole."""
    kept = [
        stake * (1.0 if max(ratios) - min(ratios) > _SAME else _SAME)
        for stake, ratios in zip(stakes, ways, strict=True)
    ]
    return tuple(stake / sum(kept) for stake in kept)


@lru_cache(maxsize=64)
def score_ratios(
    champion: tuple[int, ...], challenger: tuple[int, ...], share: float, distance: float
) -> tuple[Shares, ...]:
    """
    Return the challenger's shares as multiples of the champion's, for each way to go wrong.

    The histograms are what was seen so far, `share` the challenger's of the traffic, `distance` the
    tolerated total variation, by which the ratios are clipped (Huber 1965).
    """
    usual = smoothed(champion)
    return tuple(_clipped(other, usual, share, distance) for other in _others(usual, challenger))


def _others(usual: Shares, challenger: tuple[int, ...]) -> Iterable[Shares]:
    bins = len(usual)
    for part in SHIFTS:
        yield _moved(usual, part * bins)
        yield _moved(usual[::-1], part * bins)[::-1]
    half = bins // 2
    yield _tilted(usual, half)
    yield _tilted(usual[::-1], bins - half)[::-1]
    for constant in range(bins):
        yield tuple(
            (1 - _SURE) * q + (_SURE if index == constant else 0.0) for index, q in enumerate(usual)
        )
    yield smoothed(challenger, usual)


def _moved(usual: Shares, bins: float) -> Shares:
    """Move a histogram up by a number of bins, which need not be whole."""
    found = [0.0] * len(usual)
    for index, q in enumerate(usual):
        whole, part = divmod(index + bins, 1)
        for target, piece in ((int(whole), 1 - part), (int(whole) + 1, part)):
            found[min(target, len(usual) - 1)] += q * piece
    return _mixed(found, usual)


def _tilted(usual: Shares, half: int) -> Shares:
    """Give the bins from `half` on three times their share, or nine tenths if that is less."""
    above = sum(usual[half:])
    wanted = max(above, min(0.9, 3 * above))
    return tuple(
        q * (wanted / above if index >= half else (1 - wanted) / (1 - above))
        for index, q in enumerate(usual)
    )


def smoothed(histogram: Sequence[int], usual: Shares | None = None) -> Shares:
    """Return shares none of which is 0: with `usual`, or half a request a bin, added in."""
    added = [0.5] * len(histogram) if usual is None else [4 * q for q in usual]
    counts = histogram or (0,) * len(added)
    total = sum(counts) + sum(added)
    return tuple((count + more) / total for count, more in zip(counts, added, strict=True))


def _mixed(shares: Sequence[float], usual: Shares) -> Shares:
    return tuple(_SURE * q + (1 - _SURE) * u for q, u in zip(shares, usual, strict=True))


@lru_cache(maxsize=1024)
def _clipped(other: Shares, usual: Shares, share: float, distance: float) -> Shares:
    """
    Return other / usual, clipped where the tolerated pair that is nearest to the truth clips it.

    All ones where the tolerance leaves nothing to be seen.
    """
    ratios = [o / u for o, u in zip(other, usual, strict=True)]

    def free(ratio: float) -> float:
        return distance * ratio / (ratio * share + 1 - share)

    def above(ratio: float) -> float:
        return sum(max(0.0, o - ratio * u) for o, u in zip(other, usual, strict=True)) - free(ratio)

    def below(ratio: float) -> float:
        return sum(max(0.0, ratio * u - o) for o, u in zip(other, usual, strict=True)) - free(ratio)

    if above(1.0) <= 0 or below(1.0) <= 0:
        return (1.0,) * len(usual)
    low = _crossing(below, min(ratios), 1.0)
    high = _crossing(lambda ratio: -above(ratio), 1.0, max(ratios))
    return tuple(min(high, max(low, ratio)) for ratio in ratios)


def _crossing(rising: Callable[[float], float], low: float, high: float) -> float:
    """Return where a function that rises through 0 between `low` and `high` does so."""
    for _ in range(_BISECTIONS):
        middle = (low + high) / 2
        low, high = (middle, high) if rising(middle) < 0 else (low, middle)
    return (low + high) / 2


LATENCY_STAKES = (1 / (len(SLOWDOWNS) + len(SLOW_PARTS)),) * (len(SLOWDOWNS) + len(SLOW_PARTS))
"""What is staked on each of `latency_ratios`, 1 in all."""


@lru_cache(maxsize=64)
def latency_ratios(
    champion: tuple[int, ...], edges: tuple[float, ...], tolerance: float
) -> tuple[Shares, ...]:
    """
    Return the challenger's shares as multiples of the slowed champion's, for each way to be slow.

    They never fall from bin to bin. `edges` are the inner ones, in seconds.
    """
    usual = smoothed(champion)
    slowest = spread_over(usual, slowed(edges, 1 + tolerance))
    others = [spread_over(usual, slowed(edges, factor)) for factor in SLOWDOWNS]
    for share, factor in SLOW_PARTS:
        slow = spread_over(usual, slowed(edges, factor))
        others.append(tuple((1 - share) * u + share * s for u, s in zip(usual, slow, strict=True)))
    return tuple(_rising(_mixed(other, slowest), slowest) for other in others)


@lru_cache(maxsize=64)
def slowed(edges: tuple[float, ...], factor: float) -> Spread:
    """
    Return over which bins each latency bin spreads when all in it is `factor` times as slow.

    Within a bin, latencies count as spread evenly on a logarithmic scale; the open bins as
    continued in proportion.
    """
    logs = [math.log(edge) for edge in edges]
    logs = [2 * logs[0] - logs[1], *logs, math.inf]
    ends = [*logs[1:-1], 2 * logs[-2] - logs[-3]]
    step = math.log(factor)
    return tuple(
        tuple(
            (index, (min(end + step, high) - max(begin + step, low)) / (end - begin))
            for index, (low, high) in enumerate(pairwise(logs))
            if min(end + step, high) > max(begin + step, low)
        )
        for begin, end in zip(logs, ends, strict=False)
    )


def spread_over(shares: Shares, spread: Spread) -> Shares:
    """Return the shares after each bin's went over the bins that `spread` names."""
    found = [0.0] * len(shares)
    for q, parts in zip(shares, spread, strict=True):
        for index, part in parts:
            found[index] += q * part
    return tuple(found)


def _rising(other: Shares, slowest: Shares) -> Shares:
    """Return other / slowest, made never to fall by pooling bins (Ayer et al. 1955)."""
    blocks: list[tuple[float, float, int]] = []
    for mine, theirs in zip(other, slowest, strict=True):
        block = (mine, theirs, 1)
        while blocks and blocks[-1][0] * block[1] >= block[0] * blocks[-1][1]:
            last = blocks.pop()
            block = (last[0] + block[0], last[1] + block[1], last[2] + block[2])
        blocks.append(block)
    return tuple(mine / theirs for mine, theirs, bins in blocks for _ in range(bins))
