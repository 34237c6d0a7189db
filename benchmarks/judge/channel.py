"""What each channel of one minute can tell, and what it does tell, to one who knows the truth."""

import math
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np

from benchmarks.judge import bound
from benchmarks.judge.case import Case
from benchmarks.judge.counts import Counts
from benchmarks.judge.world import Array, Moment, Truth, latency_bins


class Channel(Protocol):
    """One kind of outcome: the truth against the nearest that is tolerated."""

    @property
    def nats(self) -> float:
        """Return the expected information of one challenger request."""
        ...

    def told(self, champion: Counts, challenger: Counts) -> float:
        """Return the log-likelihood ratio (nats) of a minute's counts."""
        ...


@dataclass(frozen=True)
class Errors:
    """Failures, or refusals: rates p of challenger and champion against tolerated rates q."""

    field: Literal["e4", "e5"]
    weight: float
    p: tuple[float, float]
    q: tuple[float, float]

    @property
    def nats(self) -> float:
        """Return the expected information of one challenger request."""
        (p1, p0), (q1, q0) = self.p, self.q
        rest = (1 - self.weight) / self.weight
        return bound.divergence(p1, q1) + rest * bound.divergence(p0, q0)

    def told(self, champion: Counts, challenger: Counts) -> float:
        """Return the log-likelihood ratio (nats) of a minute's counts."""
        counts = (challenger, champion)
        return sum(
            _binomial(point[self.field], point["n"], p, q)
            for point, p, q in zip(counts, self.p, self.q, strict=True)
        )


def _binomial(k: int, n: int, p: float, q: float) -> float:
    p, q = (min(1 - bound.TINY, max(bound.TINY, rate)) for rate in (p, q))
    return k * math.log(p / q) + (n - k) * math.log((1 - p) / (1 - q))


@dataclass(frozen=True)
class Histogram:
    """Latency or scores of the challenger: p against the nearest tolerated q; `counted` of 1."""

    field: Literal["lat", "score"]
    p: Array
    q: Array
    counted: float = 1.0

    @property
    def nats(self) -> float:
        """Return the expected information of one challenger request."""
        return self.counted * bound.divergences(self.p, self.q)

    def told(self, champion: Counts, challenger: Counts) -> float:
        """Return the log-likelihood ratio (nats) of a minute's counts."""
        ratio = np.log(np.maximum(self.p, bound.TINY) / np.maximum(self.q, bound.TINY))
        return float(np.dot(challenger[self.field], ratio))


def best(case: Case, minute: int, stage: int) -> Channel:
    """
    Return the channel that tells most in a minute.

    Latency tells nothing while the challenger may still be warming up.
    """
    champion, challenger = case.world.truths(Moment(minute, stage))
    spec, weight = case.spec, case.steps[stage]
    margins = weight, spec["margin_err_rel"], spec["margin_err_abs"]

    def errors(field: Literal["e4", "e5"], p1: float, p0: float) -> Errors:
        return Errors(field, weight, (p1, p0), bound.nearest_errors(p1, p0, *margins))

    nearest = bound.nearest_scores(challenger.score, champion.score, spec["margin_score_tv"])
    found: list[Channel] = [
        errors("e5", challenger.e5, champion.e5),
        errors("e4", challenger.e4, champion.e4),
        Histogram("score", challenger.score, nearest, 1 - challenger.e5),
    ]
    if minute >= spec["warmup_ticks"]:
        found.append(_latency(case, champion, challenger))
    return max(found, key=lambda channel: channel.nats)


def _latency(case: Case, champion: Truth, challenger: Truth) -> Histogram:
    slowest = champion.slower(1 + case.spec["margin_latency_rel"])
    p1, r = (latency_bins(truth.latency, case.edges) for truth in (challenger, slowest))
    return Histogram("lat", p1, bound.nearest_latency(p1, r))
