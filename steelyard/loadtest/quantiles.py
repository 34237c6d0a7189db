"""
Quantiles of a sample, and how far they can be trusted.

A quantile is an order statistic, never an interpolation between two. Its interval is made of two
others: of n independent values the number below the true quantile is binomial, whatever the
distribution (David and Nagaraja, Order Statistics, section 7.1). Values of neighbouring requests
depend on each other when the server queues, so the interval is then too narrow.
"""

import math
from dataclasses import dataclass

import numpy as np

from steelyard.loadtest.arrivals import Floats

CONFIDENCE = 0.95
_OUTSIDE = (1 - CONFIDENCE) / 2


@dataclass(frozen=True)
class Estimate:
    """
    One quantile of `samples` values, in seconds, with its 95 % interval.

    `share` is 0.99 for p99. Without the samples that an interval needs, nothing is told: `seconds`,
    `low` and `high` are None. Infinity means that the request was never answered well.
    """

    share: float
    samples: int
    seconds: float | None
    low: float | None
    high: float | None

    @property
    def name(self) -> str:
        """The quantile as people call it: p99.9."""
        return f"p{self.share * 100:g}"


def least_samples(share: float) -> int:
    """
    Return how many samples a quantile of at least one half needs.

    With fewer, even the largest sample is below the true quantile too often: share ** n > 2.5 %.
    """
    return math.ceil(math.log(_OUTSIDE) / math.log(share))


def estimate(rising: Floats, share: float) -> Estimate:
    """Return a quantile, of at least one half, of values in rising order, infinities last."""
    count = len(rising)
    if count < least_samples(share):
        return Estimate(share, count, None, None, None)
    low, high = ranks(count, share)
    return Estimate(
        share, count, at(rising, share), float(rising[low - 1]), float(rising[high - 1])
    )


def at(rising: Floats, share: float) -> float:
    """Return the smallest value that at least this share of the values do not pass."""
    rank = math.ceil(share * len(rising))
    return float(rising[max(rank, 1) - 1])


def ranks(count: int, share: float) -> tuple[int, int]:
    """
    Return the ranks, from 1, of the two order statistics that hold the quantile between them.

    Each side errs in at most 2.5 % of samples; `count` is at least `least_samples(share)`.
    """
    k = np.arange(1, count + 1)
    steps = np.log((count - k + 1) / k * (share / (1 - share)))
    logs = count * math.log1p(-share) + np.concatenate(([0.0], np.cumsum(steps)))
    below = np.cumsum(np.exp(logs))  # P(B <= k), B = how many samples are below the quantile
    low = int(np.searchsorted(below, _OUTSIDE, side="right"))
    high = int(np.searchsorted(below, 1 - _OUTSIDE, side="left")) + 1
    return max(low, 1), min(high, count)
