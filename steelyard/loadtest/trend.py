"""Whether a quantity grows: Theil and Sen's slope, which a few odd readings cannot move."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

LEAST_READINGS = 10
# Every pair has its slope: a day's 86,400 readings would have 4 billion.
_MOST_READINGS = 1000
_Z = 1.959963984540054  # standard normal, 97.5 %


@dataclass(frozen=True)
class Trend:
    """A slope with its 95 % interval, in the quantity's unit a second, seen over some seconds."""

    slope: float
    low: float
    high: float
    seconds: float

    @property
    def grows(self) -> bool:
        """Whether even the low end of the interval rises."""
        return self.low > 0


def trend(readings: Sequence[tuple[float, float]]) -> Trend | None:
    """
    Return the slope of readings, each seconds and value; None for fewer than ten.

    Of more than a thousand, some are left out evenly.

    The interval is Sen's (JASA 63, 1968, p. 1379), from the variance of Kendall's score.
    """
    if len(readings) < LEAST_READINGS:
        return None
    kept = readings[:: -(-len(readings) // _MOST_READINGS)]
    count = len(kept)
    seconds, values = np.array(kept, float).T
    later, earlier = np.tril_indices(count, -1)
    slopes = np.sort((values[later] - values[earlier]) / (seconds[later] - seconds[earlier]))
    spread = _Z * math.sqrt(count * (count - 1) * (2 * count + 5) / 18)
    low = max(math.floor((len(slopes) - spread) / 2), 0)
    high = min(math.ceil((len(slopes) + spread) / 2), len(slopes) - 1)
    seen = float(seconds[-1] - seconds[0])
    return Trend(float(np.median(slopes)), float(slopes[low]), float(slopes[high]), seen)
