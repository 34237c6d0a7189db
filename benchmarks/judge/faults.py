"""What can be wrong with a challenger, and how a fault develops in time."""

from collections.abc import Callable
from dataclasses import dataclass, replace

import numpy as np

from benchmarks.judge.world import Array, Moment, Truth, blend

Change = Callable[[Truth], Truth]
Strength = Callable[[int], float]


@dataclass(frozen=True)
class Broken:
    """A challenger of whose requests a share, which depends on the minute, is changed."""

    change: Change
    strength: Strength

    def __call__(self, moment: Moment, healthy: Truth) -> Truth:
        """Return the challenger's truth in this minute."""
        if moment.minute < 0:
            return healthy
        return blend(healthy, self.change(healthy), self.strength(moment.minute))


@dataclass(frozen=True)
class Silent:
    """A challenger that answers nothing and counts nothing from a minute on."""

    onset: int = 0

    def __call__(self, moment: Moment, healthy: Truth) -> Truth:
        """Return the challenger's truth in this minute."""
        return replace(healthy, answers=moment.minute < self.onset)


# --- development in time: the share of the fault in a minute


def always(minute: int) -> float:
    """Return 1: the fault is there from the start."""
    return 1.0


def late(onset: int) -> Strength:
    """Return a fault that begins at minute `onset`."""
    return lambda minute: float(minute >= onset)


def ramp(ticks: int) -> Strength:
    """Return a fault that grows evenly to its full size over `ticks` minutes."""
    return lambda minute: min(1.0, (minute + 1) / ticks)


def intermittent(period: int, on: int) -> Strength:
    """Return a fault that shows in `on` of every `period` minutes."""
    return lambda minute: float(minute % period < on)


# --- changes


def failing(share: float) -> Change:
    """Answer a further `share` of requests with 5xx."""
    return lambda truth: replace(truth, e5=truth.e5 + share * (1 - truth.e4 - truth.e5))


def refusing(share: float) -> Change:
    """Answer a further `share` of requests with 4xx."""
    return lambda truth: replace(truth, e4=truth.e4 + share * (1 - truth.e4 - truth.e5))


def dead(truth: Truth) -> Truth:
    """Answer every request with 5xx."""
    return replace(truth, e5=1.0, e4=0.0)


def slow(factor: float) -> Change:
    """Answer every request `factor` times as slowly."""
    return lambda truth: truth.slower(factor)


def some_slow(share: float, factor: float) -> Change:
    """Answer a `share` of requests `factor` times as slowly: a tail, or a second mode."""
    return lambda truth: blend(truth, truth.slower(factor), share)


def timing_out(share: float, limit_us: float) -> Change:
    """Let a `share` of requests run into the time limit, and fail."""

    def change(truth: Truth) -> Truth:
        stuck = replace(truth, e4=0.0, e5=1.0, latency=((1.0, limit_us, 0.01),))
        return blend(truth, stuck, share)

    return change


def scoring(score: Array) -> Change:
    """Give other scores."""
    return lambda truth: replace(truth, score=score)


def shifted(score: Array, bins: float) -> Array:
    """Return scores moved up by a number of bins, which need not be whole."""
    whole, part = int(bins), bins - int(bins)
    return (1 - part) * _moved(score, whole) + part * _moved(score, whole + 1)


def _moved(score: Array, bins: int) -> Array:
    if bins == 0:
        return score
    found = np.concatenate([np.zeros(bins), score[:-bins]])
    found[-1] += score[-bins:].sum()
    return found


def collapsed(score: Array, constant: int) -> Array:
    """Return scores that are all in one bin."""
    found = np.zeros(len(score))
    found[constant] = 1.0
    return found


def tripled(score: Array) -> Array:
    """Return scores with three times the share above one half, or nine tenths if that is less."""
    half = len(score) // 2
    above = float(score[half:].sum())
    wanted = min(0.9, 3 * above)
    return np.concatenate(
        [score[:half] * (1 - wanted) / (1 - above), score[half:] * wanted / above]
    )
