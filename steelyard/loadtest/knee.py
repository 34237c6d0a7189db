"""The knee: the highest rate that is still good, found with few runs."""

import math
from collections.abc import Generator
from dataclasses import dataclass
from typing import Literal

from steelyard.loadtest.measurement import Measurement

Finding = Literal["good", "over", "unsure"]
LEAST_THROUGHPUT = 0.95
PRECISION = 1.1
_GROWTH = 2.0


@dataclass(frozen=True)
class Knee:
    """
    Between which two rates, in requests a second, the knee lies.

    `good` is the highest rate that was good, None if none was; `bad` the lowest that was not, and
    `why` what it was: over the limit, or more than the generator can send. Both are None when every
    rate up to the highest allowed was good.
    """

    good: float | None
    bad: float | None
    why: Literal["over", "unsure"] | None


def finding(run: Measurement, limit: float) -> Finding:
    """
    Say whether a rate is good: p99 within the limit (seconds), and 95 % of the offer answered.

    Unsure when the generator was the bottleneck, or the samples are too few for a p99.
    """
    if run.is_generators or run.p99.seconds is None:
        return "unsure"
    is_good = run.p99.seconds <= limit and run.throughput >= LEAST_THROUGHPUT * run.offered
    return "good" if is_good else "over"


def search(first: float, least: float, most: float) -> Generator[float, Finding, Knee]:
    """
    Yield rates to try, is sent what each was, and returns the knee to a tenth.

    Rates double until one is not good, or fall by half until one is; then the gap is halved, on a
    logarithmic scale. Nothing but the first is tried below `least` or above `most`.
    """
    good, bad, why = None, None, None
    rate = first
    while good is None or bad is None:
        found = yield rate
        if found == "good":
            good, rate = rate, min(rate * _GROWTH, most)
            if good >= most:
                return Knee(good, None, None)
        else:
            bad, why, rate = rate, found, rate / _GROWTH
            if rate < least:
                return Knee(None, bad, why)
    while bad / good > PRECISION:
        rate = math.sqrt(good * bad)
        found = yield rate
        if found == "good":
            good = rate
        else:
            bad, why = rate, found
    return Knee(good, bad, why)
