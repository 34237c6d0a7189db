"""
Play the soak: no champion runs beside the challenger, so only its static alarms watch it.

Points and periods are those of the deployed alarms (`stacks/signals.py`).
"""

from collections.abc import Sequence
from dataclasses import dataclass

from steelyard.planning.traffic import Expected, Fault, Traffic

ERROR_RATE = (2, 3)
"""So many of so many minutes with a breach ring the alarm on errors."""

LATENCY = (3, 5)
"""The same for the alarm on the 99th percentile of latency."""


@dataclass(frozen=True)
class Alarms:
    """Limits: a share of requests, seconds, and how many requests a minute must have to count."""

    error_rate: float
    latency_p99: float
    minimum_requests: int


def rings(
    alarms: Alarms, expected: Expected, traffic: Traffic, fault: Fault, minutes: int
) -> int | None:
    """Return in which minute, from 1, an alarm rings on a fault from the first; None: in none."""
    # To the endpoint, who is silent has failed every request.
    seen = Fault(fault.name, errors=1.0) if fault.is_silent else fault
    failing, late = list[bool](), list[bool]()
    for minute in range(1, minutes + 1):
        _, point = traffic.minute(100, seen)
        n, failed = (point.n, point.em) if point is not None else (0, 0)
        counts = n >= alarms.minimum_requests
        failing.append(counts and failed > alarms.error_rate * n)
        beyond = traffic.count(n * expected.later(alarms.latency_p99, fault.slower))
        late.append(counts and beyond > 0.01 * n)
        if _raised(failing, *ERROR_RATE) or _raised(late, *LATENCY):
            return minute
    return None


def _raised(breaches: Sequence[bool], points: int, periods: int) -> bool:
    return sum(breaches[-periods:]) >= points
