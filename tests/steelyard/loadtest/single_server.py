"""A server that exists only as arithmetic: one at a time, each request as long as the other."""

import numpy as np

from steelyard.loadtest.arrivals import Floats, schedule
from steelyard.loadtest.measurement import Measurement, measure
from steelyard.loadtest.samples import Samples


def answers(arrivals: Floats, seconds_each: float, stall: tuple[float, float] = (0, 0)) -> Samples:
    """Return what a generator sees that is never late; nothing is begun during the stall."""
    done, free = np.empty(len(arrivals)), -np.inf
    for index, due in enumerate(arrivals):
        begin = max(due, free)
        if stall[0] <= begin < stall[1]:
            begin = stall[1]
        free = done[index] = begin + seconds_each
    return Samples(arrivals, arrivals, arrivals, done, [""] * len(arrivals))


def measured(rate: float, seconds_each: float, seconds: float = 20.0) -> Measurement:
    """Return a run against it."""
    arrivals = schedule("poisson", rate, -2.0, seconds, 3)
    return measure(answers(arrivals, seconds_each), rate, seconds, 0.001)


def still(count: int = 1000, seconds_each: float = 0.005) -> Samples:
    """Return answers that all take the same time, ten a second."""
    arrivals = np.arange(count) / 10
    return Samples(arrivals, arrivals, arrivals, arrivals + seconds_each, [""] * count)
