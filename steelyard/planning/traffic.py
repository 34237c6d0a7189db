"""Imagine the traffic of an endpoint, minute by minute, from a seed."""

import math
import random
from collections.abc import Sequence
from dataclasses import dataclass

from steelyard.rollout.counters import Point

_EXACT = 300
"""Poisson counts of a larger mean are drawn as rounded normal ones."""


@dataclass(frozen=True)
class Fault:
    """
    What is wrong with a challenger.

    errors: the share of its requests that fail, None for as many as the champion's; is_silent: it
    answers nothing and measures nothing; is_constant: each answer is the champion's likeliest one.
    """

    name: str
    errors: float | None = None
    is_silent: bool = False
    is_constant: bool = False

    @property
    def shows_in_scores(self) -> bool:
        """Whether it can be told by the histograms of scores; else they need not be drawn."""
        return self.errors is None and not self.is_silent


HEALTHY = Fault("none")


@dataclass(frozen=True)
class Expected:
    """
    What an endpoint is expected to see.

    requests_per_minute: of both variants; errors: the share of the champion's requests that fail;
    champion and challenger: their histograms of scores on the same held-out rows.
    """

    requests_per_minute: float
    errors: float
    champion: tuple[int, ...]
    challenger: tuple[int, ...]


class Traffic:
    """Seeded minutes of both variants: requests come independently, so counts are Poisson ones."""

    def __init__(self, expected: Expected, seed: str) -> None:
        self._expected = expected
        self._random = random.Random(seed)

    def minute(self, weight: int, fault: Fault) -> tuple[Point | None, Point | None]:
        """Return a minute's points of champion and challenger at the challenger's `weight`."""
        expected, scored = self._expected, fault.shows_in_scores
        rate = expected.requests_per_minute * weight / 100
        champion = self._point(
            expected.requests_per_minute - rate, expected.errors, expected.champion, scored
        )
        if fault.is_silent:
            return champion, None
        errors = expected.errors if fault.errors is None else fault.errors
        shares = expected.challenger
        if fault.is_constant:
            likeliest = expected.champion.index(max(expected.champion))
            shares = tuple(int(index == likeliest) for index in range(len(shares)))
        return champion, self._point(rate, errors, shares, scored)

    def _point(
        self, rate: float, errors: float, shares: Sequence[int], scored: bool
    ) -> Point | None:
        """Return a variant's minute; without a request the metric store knows no point."""
        failed = self._poisson(rate * errors)
        if scored:
            ok = rate * (1 - errors) / sum(shares)
            score = tuple(self._poisson(ok * share) for share in shares)
            n = failed + sum(score)
        else:
            score, n = (), failed + self._poisson(rate * (1 - errors))
        return Point(n=n, e4=0, em=failed, score=score, conf=(), lat=()) if n else None

    def _poisson(self, mean: float) -> int:
        if mean > _EXACT:
            return max(0, round(self._random.gauss(mean, math.sqrt(mean))))
        # Arrivals within a unit of time, counted by their exponential gaps.
        count, left = 0, mean
        while left > 0:
            left -= self._random.expovariate(1.0)
            count += left > 0
        return count
