"""
Weigh that a challenger with traffic says nothing.

A minute counts as one trial. A healthy variant's measurements go missing independently from minute
to minute, with probability at most `LOST`, and are late with at most `LATE`; and by chance it may
have had no request at all.
"""

import math

from steelyard.rollout.counters import Point

LOST = 0.05
"""The share of minutes that a healthy variant's measurements may lack for good."""

LATE = 1 / 3
"""The share of minutes that they may lack at first, where points may come late."""

DEAD = 0.99
"""The share of minutes that a dead challenger's lack."""


def absent(age: int, delay: int) -> float:
    """
    Return how often a healthy variant's minute may be absent, `age` ticks after its end.

    From `delay` ticks on no point can come any more. In between it falls evenly.
    """
    return LATE + (LOST - LATE) * min(1.0, age / max(1, delay)) if delay else LOST


def log_e(weight: int, champion: Point, challenger: Point | None, lost: float = LOST) -> float:
    """
    Return the log e-value (nats) of one minute in which the champion answered.

    `weight` is the challenger's, below 100; `lost` how often a minute may be absent so long after
    its end. Mean 1 where points are absent as often as they may.
    """
    expected = champion.n * weight / (100 - weight)
    chance = lost + (1 - lost) * math.exp(-expected)
    if chance >= DEAD:
        return 0.0
    is_silent = challenger is None or challenger.n == 0
    return math.log(DEAD / chance if is_silent else (1 - DEAD) / (1 - chance))
