"""What two variants do in each minute of a rollout: rates, distributions and traffic."""

import math
from collections.abc import Iterable
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

HISTORY = 30
"""Champion-only minutes before the rollout."""
HORIZON = 160
"""Ticks after which an open rollout is stuck, and up to which a missed fault does harm."""

Array = NDArray[np.float64]
Part = tuple[float, float, float]
"""A share of requests whose latency is lognormal, with its median (us) and its sigma."""


@dataclass(frozen=True)
class Truth:
    """How one variant behaves in one minute: probabilities per request."""

    e4: float
    e5: float
    latency: tuple[Part, ...]
    score: Array
    answers: bool = True

    def slower(self, factor: float) -> "Truth":
        """Return the truth with every latency `factor` times as long."""
        parts = tuple((share, factor * median, sigma) for share, median, sigma in self.latency)
        return replace(self, latency=parts)


def blend(one: Truth, other: Truth, share: float) -> Truth:
    """Return what is seen when `share` of the requests meet `other` and the rest meet `one`."""
    if share <= 0.0 or share >= 1.0:
        return one if share <= 0.0 else other
    kept = [(part[0] * (1 - share), *part[1:]) for part in one.latency]
    taken = [(part[0] * share, *part[1:]) for part in other.latency]
    return Truth(
        e4=(1 - share) * one.e4 + share * other.e4,
        e5=(1 - share) * one.e5 + share * other.e5,
        latency=(*kept, *taken),
        score=(1 - share) * one.score + share * other.score,
        answers=one.answers,
    )


@lru_cache(maxsize=4096)
def latency_bins(parts: tuple[Part, ...], edges: tuple[float, ...]) -> Array:
    """Return the probability of each latency bin; the first and the last bin are open."""
    below = [
        sum(share * _normal(math.log(edge / median) / sigma) for share, median, sigma in parts)
        for edge in edges[1:-1]
    ]
    found: Array = np.clip(np.diff([0.0, *below, 1.0]), 0.0, None)
    found /= found.sum()
    return found


def _normal(z: float) -> float:
    return 0.5 * math.erfc(-z / math.sqrt(2))


@dataclass(frozen=True)
class Moment:
    """One minute of a rollout; minutes of the history are negative and at stage 0."""

    minute: int
    stage: int


class Condition(Protocol):
    """Something that happens to both variants, or to one, without being anyone's fault."""

    def __call__(self, moment: Moment, champion: Truth, challenger: Truth) -> tuple[Truth, Truth]:
        """Return both truths as they are in this minute."""
        ...


class Fault(Protocol):
    """What is wrong with a challenger."""

    def __call__(self, moment: Moment, healthy: Truth) -> Truth:
        """Return the challenger's truth with the fault as strong as it is in this minute."""
        ...


@dataclass(frozen=True)
class World:
    """
    Everything that is true of one rollout and that no judge is told.

    `traffic` is the expected number of requests in each minute, history first; `first_stage` is
    the stage below which the fault does not show.
    """

    base: Truth
    traffic: Array
    conditions: tuple[Condition, ...] = ()
    fault: Fault | None = None
    first_stage: int = 0

    def requests(self, minute: int) -> float:
        """Return the expected requests of both variants together in a minute."""
        return float(self.traffic[minute + HISTORY])

    def healthy(self, moment: Moment) -> tuple[Truth, Truth]:
        """Return champion and challenger as they would be without the fault."""
        champion = challenger = self.base
        for condition in self.conditions:
            champion, challenger = condition(moment, champion, challenger)
        return champion, challenger

    def truths(self, moment: Moment) -> tuple[Truth, Truth]:
        """Return champion and challenger as they are."""
        champion, challenger = self.healthy(moment)
        if self.fault is not None and moment.stage >= self.first_stage:
            challenger = self.fault(moment, challenger)
        return champion, challenger


def total_variation(one: Array, other: Array) -> float:
    """Return half the sum of the absolute differences of two distributions."""
    return 0.5 * float(np.abs(one - other).sum())


def scores(values: Iterable[float]) -> Array:
    """Return a distribution in proportion to `values`."""
    found: Array = np.fromiter(values, float)
    found /= found.sum()
    return found
