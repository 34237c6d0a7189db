"""When each request is due: fixed before the first is sent, so that no answer can move it."""

from typing import Literal

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Arrivals = Literal["poisson", "constant"]


def schedule(kind: Arrivals, rate: float, start: float, end: float, seed: int) -> Floats:
    """
    Return the rising times, in seconds, at which requests are due from `start` up to `end`.

    `rate` is requests a second. Poisson arrivals come as from many callers who do not know of each
    other: bursts and gaps of a known law, the same for the same seed. Constant ones come evenly.
    At least one request is due, at the start.
    """
    if kind == "constant":
        return start + np.arange(max(1, round(rate * (end - start)))) / rate
    random = np.random.default_rng(seed)
    expected = rate * (end - start)
    # Six standard deviations more than are needed on average: enough but once in a billion runs.
    gaps = random.exponential(1 / rate, int(expected + 6 * expected**0.5 + 16))
    times = start + np.cumsum(gaps) - gaps[0]
    return np.asarray(times[times < end])
