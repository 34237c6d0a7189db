"""The faults that a plan plays: in each channel a ladder of sizes, clearly beyond the tolerated."""

from collections.abc import Mapping, Sequence

from steelyard.planning.traffic import Expected, Fault, Histograms, answers
from steelyard.rollout.policy import Policy

RATES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.3)
"""Shares of requests that fail."""

SLOWER = (1.5, 2.0, 3.0)
"""How many times as long each answer takes."""

ALTERED = (0.1, 0.2, 0.3, 0.5, 0.8)
"""Shares of answers that become another one."""

MOST = 4
"""So many sizes of a channel are played at most, the smallest ones."""

CLEARLY = 1.2
"""By this factor a size must be more than what is tolerated: near the limit nobody can tell."""

Ladders = Mapping[str, tuple[Fault, ...]]


def ladders(policy: Policy, expected: Expected) -> Ladders:
    """Return the faults of each channel that this traffic can show, the smallest first."""
    found = {
        "errors": _errors(tolerated(policy, expected.errors)),
        "client errors": _client_errors(tolerated(policy, expected.client_errors)),
        "latency": _slower(policy) if expected.edges else (),
        "predictions": _altered(policy, expected),
        "silence": (Fault("no answers", "silence", is_silent=True),),
    }
    return {channel: faults for channel, faults in found.items() if faults}


def tolerated(policy: Policy, usual: float) -> float:
    """Return the largest rate of a challenger that is harmless where the champion's is `usual`."""
    tolerance = policy.tolerance
    return (1 + tolerance.errors_relative) * usual + tolerance.errors_absolute


def distance(one: Sequence[int], other: Sequence[int]) -> float:
    """Return the total variation between two histograms, from 0 to 1."""
    n, m = sum(one), sum(other)
    return sum(abs(a / n - b / m) for a, b in zip(one, other, strict=True)) / 2


def _rates(limit: float) -> list[float]:
    return [rate for rate in RATES if rate > CLEARLY * limit][:MOST]


def _errors(limit: float) -> tuple[Fault, ...]:
    return tuple(Fault(f"{100 * it:g}% errors", "errors", errors=it) for it in _rates(limit))


def _client_errors(limit: float) -> tuple[Fault, ...]:
    return tuple(
        Fault(f"{100 * it:g}% client errors", "client errors", client_errors=it)
        for it in _rates(limit)
    )


def _slower(policy: Policy) -> tuple[Fault, ...]:
    slowest = CLEARLY * (1 + policy.tolerance.latency)
    factors = [factor for factor in SLOWER if factor > slowest][:MOST]
    return tuple(Fault(f"{it:g} times as slow", "latency", slower=it) for it in factors)


def _altered(policy: Policy, expected: Expected) -> tuple[Fault, ...]:
    faults = [Fault(f"{100 * it:g}% altered", "predictions", altered=it) for it in ALTERED]
    limit = CLEARLY * (policy.expected.score + policy.tolerance.predictions)
    beyond = [it for it in faults if _apart(expected, answers(expected, it)) > limit]
    # A constant answer may be as near to the champion's as a small alteration: none is larger.
    return (*beyond[: MOST - 1], Fault("constant answers", "predictions", is_constant=True))


def _apart(expected: Expected, answered: Histograms) -> float:
    return distance(answered.score, expected.champion.score)
