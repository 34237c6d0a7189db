"""Imagine the traffic of an endpoint, minute by minute, from a seed."""

import math
import random
from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise

from steelyard.rollout.counters import Point

_EXACT = 300
"""Poisson counts of a larger mean are drawn as rounded normal ones."""

BURST_MINUTES = 30
"""Where errors come in bursts, one minute of so many has one, of each variant on its own."""

BURST_ERRORS = 0.05
"""The share of a variant's requests that a burst makes fail."""


@dataclass(frozen=True)
class Fault:
    """
    What is wrong with a challenger.

    channel: in which it shows; errors and client_errors: the share of its requests that fail, None
    for as many as the champion's; slower: how many times as long each answer takes; altered: the
    share of answers that become the one that the champion gives least; is_constant: each answer is
    the champion's likeliest one; is_silent: it answers nothing and measures nothing.
    """

    name: str
    channel: str = ""
    errors: float | None = None
    client_errors: float | None = None
    slower: float = 1.0
    altered: float = 0.0
    is_constant: bool = False
    is_silent: bool = False


HEALTHY = Fault("none")


@dataclass(frozen=True)
class Histograms:
    """How a version answered the held-out rows: counts per bin; no confidence for regression."""

    score: tuple[int, ...]
    confidence: tuple[int, ...] = ()


@dataclass(frozen=True)
class Expected:
    """
    What an endpoint is expected to see.

    requests_per_minute: of both variants; errors, client_errors: the shares of the champion's
    requests that fail so; champion and challenger: how they answered the same held-out rows;
    latency: the median in seconds, of both, spread log-normally by `spread` (standard deviation of
    the logarithm); edges: inner ones of the latency bins, in seconds, none where it is not judged;
    has_bursts: errors also come in bursts that hit one variant at a time.
    """

    requests_per_minute: float
    errors: float
    champion: Histograms
    challenger: Histograms
    client_errors: float = 0.01
    latency: float = 0.02
    spread: float = 0.35
    edges: tuple[float, ...] = ()
    has_bursts: bool = False

    def later(self, seconds: float, slower: float = 1.0) -> float:
        """Return the share of answers that take longer than that, all being `slower` times."""
        score = math.log(seconds / (slower * self.latency)) / (self.spread * math.sqrt(2))
        return math.erfc(score) / 2


class Traffic:
    """
    Seeded minutes of both variants: requests come independently, so counts are Poisson ones.

    Each histogram is drawn for itself: their sums differ a little.
    """

    def __init__(self, expected: Expected, seed: str) -> None:
        self._expected = expected
        self._random = random.Random(seed)

    def minute(self, weight: int, fault: Fault) -> tuple[Point | None, Point | None]:
        """Return a minute's points of champion and challenger at the challenger's `weight`."""
        expected = self._expected
        rate = expected.requests_per_minute * weight / 100
        champion = self._point(
            expected.requests_per_minute - rate, HEALTHY, answers(expected, None)
        )
        if fault.is_silent:
            return champion, None
        return champion, self._point(rate, fault, answers(expected, fault))

    def _point(self, rate: float, fault: Fault, answered: Histograms) -> Point | None:
        """Return a variant's minute; without a request the metric store knows no point."""
        expected = self._expected
        errors = expected.errors if fault.errors is None else fault.errors
        if expected.has_bursts and self._random.random() < 1 / BURST_MINUTES:
            errors = min(1.0, errors + BURST_ERRORS)
        mistakes = expected.client_errors if fault.client_errors is None else fault.client_errors
        ok = rate * max(0.0, 1 - errors - mistakes)
        failed, mistaken = self.count(rate * errors), self.count(rate * mistakes)
        score = self._histogram(ok, answered.score)
        n = failed + mistaken + sum(score)
        if not n:
            return None
        lat = self._histogram(rate, shares(expected, fault.slower)) if expected.edges else ()
        return Point(n, mistaken, failed, score, self._histogram(ok, answered.confidence), lat)

    def _histogram(self, count: float, parts: Sequence[float]) -> tuple[int, ...]:
        whole = sum(parts) or 1.0
        return tuple(self.count(count * part / whole) for part in parts)

    def count(self, mean: float) -> int:
        """Return how many come where `mean` are expected."""
        if mean > _EXACT:
            return max(0, round(self._random.gauss(mean, math.sqrt(mean))))
        return bisect_right(_below(mean), self._random.random()) if mean else 0


@lru_cache(maxsize=4096)
def _below(mean: float) -> tuple[float, ...]:
    """Return the probabilities of at most 0, 1, 2, ... arrivals, up to where they round to 1."""
    found, chance, count = [math.exp(-mean)], math.exp(-mean), 0
    while chance > 1e-17 or count < mean:
        count += 1
        chance *= mean / count
        found.append(found[-1] + chance)
    return tuple(found)


@lru_cache(maxsize=256)
def answers(expected: Expected, fault: Fault | None) -> Histograms:
    """Return how a challenger with a fault answers, None for the champion, on the same rows."""
    if fault is None:
        return expected.champion
    return Histograms(
        _answered(expected.challenger.score, expected.champion.score, fault),
        _answered(expected.challenger.confidence, expected.champion.confidence, fault),
    )


def _answered(own: tuple[int, ...], usual: tuple[int, ...], fault: Fault) -> tuple[int, ...]:
    if not own:
        return ()
    if fault.is_constant:
        return tuple(int(index == usual.index(max(usual))) for index in range(len(own)))
    # In thousandths, so that counts stay whole.
    altered, rarest = round(1000 * fault.altered), usual.index(min(usual))
    return tuple(
        (1000 - altered) * count + (altered * sum(own) if index == rarest else 0)
        for index, count in enumerate(own)
    )


@lru_cache(maxsize=256)
def shares(expected: Expected, slower: float) -> tuple[float, ...]:
    """Return the share of answers in each latency bin, all being `slower` times as slow."""
    later = [1.0, *(expected.later(edge, slower) for edge in expected.edges), 0.0]
    return tuple(high - low for high, low in pairwise(later))
