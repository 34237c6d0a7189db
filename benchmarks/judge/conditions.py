"""What happens to healthy variants: outages, cycles, bursts, warm-up, differences in tolerance."""

from dataclasses import dataclass, replace

import numpy as np

from benchmarks.judge.world import HISTORY, Array, Moment, Truth

Pair = tuple[Truth, Truth]


@dataclass(frozen=True)
class Outage:
    """Both variants fail a further share of requests, `extra[minute]`, for the same reason."""

    extra: Array
    client: bool = False

    def __call__(self, moment: Moment, champion: Truth, challenger: Truth) -> Pair:
        """Return both with the outage of this minute."""
        extra = float(self.extra[moment.minute + HISTORY])
        return self._hit(champion, extra), self._hit(challenger, extra)

    def _hit(self, truth: Truth, extra: float) -> Truth:
        if self.client:
            return replace(truth, e4=truth.e4 + extra * (1 - truth.e4 - truth.e5))
        return replace(truth, e5=truth.e5 + extra * (1 - truth.e4 - truth.e5))


@dataclass(frozen=True)
class Cycle:
    """Errors, latency and scores of both variants move with the hour: `phase` is in -1..1."""

    phase: Array
    errors: float
    latency: float
    other_scores: Array
    share: float

    def __call__(self, moment: Moment, champion: Truth, challenger: Truth) -> Pair:
        """Return both at this hour."""
        phase = float(self.phase[moment.minute + HISTORY])
        return self._at(phase, champion), self._at(phase, challenger)

    def _at(self, phase: float, truth: Truth) -> Truth:
        share = self.share * (1 + phase) / 2
        score = (1 - share) * truth.score + share * self.other_scores
        errors = truth.e5 * (1 + self.errors * phase)
        return replace(truth, e5=errors, score=score).slower(1 + self.latency * phase)


@dataclass(frozen=True)
class Difference:
    """The challenger differs for good, within what is tolerated."""

    errors: float = 0.0
    slower: float = 1.0
    score: Array | None = None

    def __call__(self, moment: Moment, champion: Truth, challenger: Truth) -> Pair:
        """Return the challenger with its own rate, speed and scores."""
        score = challenger.score if self.score is None else self.score
        changed = replace(challenger, e5=challenger.e5 + self.errors, score=score)
        return champion, changed.slower(self.slower)


@dataclass(frozen=True)
class WarmUp:
    """The challenger is slow in its first minutes."""

    ticks: int
    factor: float

    def __call__(self, moment: Moment, champion: Truth, challenger: Truth) -> Pair:
        """Return the challenger, cold at first."""
        if not 0 <= moment.minute < self.ticks:
            return champion, challenger
        left = 1 - moment.minute / self.ticks
        return champion, challenger.slower(1 + (self.factor - 1) * left)


@dataclass(frozen=True)
class Bursts:
    """Bad minutes that hit one variant at a time: extra failures, and slower answers."""

    champion: Array
    challenger: Array
    slower: float = 1.0

    def __call__(self, moment: Moment, champion: Truth, challenger: Truth) -> Pair:
        """Return both, one of them hit if this is a bad minute."""
        at = moment.minute + HISTORY
        return (
            self._hit(champion, float(self.champion[at])),
            self._hit(challenger, float(self.challenger[at])),
        )

    def _hit(self, truth: Truth, extra: float) -> Truth:
        if extra == 0.0:
            return truth
        if self.slower > 1.0:
            return truth.slower(self.slower)
        return replace(truth, e5=truth.e5 + extra * (1 - truth.e4 - truth.e5))


def windows(rng: np.random.Generator, size: int, chance: float, longest: int) -> Array:
    """Return 1 in minutes of windows that begin with `chance` a minute and last 1 to `longest`."""
    hit = np.zeros(size)
    for begin in np.flatnonzero(rng.random(size) < chance):
        hit[begin : begin + rng.integers(1, longest + 1)] = 1.0
    return hit
