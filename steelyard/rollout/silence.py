"""
Weigh that a challenger with traffic says nothing.

A minute counts as one trial. A healthy variant's measurements go missing independently from minute
to minute, with probability at most `LOST`; and by chance it may have had no request at all.
"""

import math

from steelyard.rollout.counters import Point

LOST = 0.2
"""The share of minutes that a healthy variant's measurements may lack."""

DEAD = 0.99
"""The share of minutes that a dead challenger's lack."""


def log_e(weight: int, champion: Point, challenger: Point | None) -> float:
    """
    Return the log e-value (nats) of one settled minute in which the champion answered.

    `weight` is the challenger's, below 100. Mean 1 where points go missing as often as they may.
    """
    expected = champion.n * weight / (100 - weight)
    chance = LOST + (1 - LOST) * math.exp(-expected)
    if chance >= DEAD:
        return 0.0
    is_silent = challenger is None or challenger.n == 0
    return math.log(DEAD / chance if is_silent else (1 - DEAD) / (1 - chance))
