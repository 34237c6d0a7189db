"""
Keep one variant's bad minute from being taken for a bad model.

Minutes, not requests, are what repeats: a burst of errors or a noisy neighbour hits one variant for
a minute. What the champion's own minutes show limits what one minute of the challenger may prove.
"""

import math
from dataclasses import replace

from steelyard.rollout.counters import Point
from steelyard.rollout.distribution import past_quantile
from steelyard.rollout.policy import Policy
from steelyard.rollout.state import KEPT, State

MICRO = 1_000_000

GROSS = {"errors": 0.1, "client_errors": 0.1, "latency": 1.0, "latency_tail": 1.0}
"""No burst, unless one was seen, hits a larger share of a variant's requests in a minute."""

MEASURES = {
    "errors": ("errors",),
    "client_errors": ("client_errors",),
    "latency": ("latency", "latency_tail"),
    "stall": ("latency", "latency_tail"),
}
"""By what it is measured how bad a minute was in a channel; the others know no bursts."""

CLEAN_MINUTES = 30
"""How many quiet minutes of the champion are taken for granted."""

PATIENT = math.log(16)
"""What one minute may prove (nats) where the policy asks for two."""

NOISE = 4.0
"""By how many standard errors a minute must be worse for both, to be an outage that they share."""

HIT, COLD = 2.0, 4.0
"""How many times as slow a hit minute makes answers at most, and an instance that warms up."""

LATE = 0.9
"""The champion's quantile of latency past which an answer counts as late."""

VERY_LATE = 0.99
"""And past which it counts as very late."""

QUANTILES = {"latency": LATE, "latency_tail": VERY_LATE}
"""Past which quantiles late answers are counted: many that are late, and few that are very late."""


def limit(policy: Policy, state: State, channel: str, champion: Point, challenger: Point) -> float:
    """Return by how much (nats) this minute may raise the evidence of a channel."""
    limits = (
        math.inf
        if _is_gross(state, channel, measure, champion, challenger)
        else _odds(state, measure, champion, challenger)
        for measure in MEASURES.get(channel, ())
    )
    most = max(limits, default=math.inf)
    return min(most, PATIENT) if policy.patience_minutes > 1 else most


def _is_gross(state: State, channel: str, measure: str, champion: Point, challenger: Point) -> bool:
    """Say whether no burst of the model's can have made a minute as bad as it is."""
    share, usual = _share(state, measure, challenger), _share(state, measure, champion)
    highest = max(state.worst.get(measure, ()), default=0) / MICRO
    if channel == "stall":  # whose e-value allows for what a hit minute does, and for noise
        return share - usual > 2 * highest
    noise = math.sqrt(share * (1 - share) / max(1, challenger.n))
    return share - usual - noise > max(GROSS[measure], 2 * highest)


def _odds(state: State, measure: str, champion: Point, challenger: Point) -> float:
    """Return the log of the odds of a minute's rank among those of the champion."""
    excess = _share(state, measure, challenger) - _share(state, measure, champion)
    as_bad = sum(2 * other >= MICRO * excess for other in state.worst.get(measure, ()))
    return math.log((max(state.champion_minutes, CLEAN_MINUTES) + 1) / (as_bad + 1))


def remember(state: State, champion: Point, challenger: Point | None) -> State:
    """Return the state with the champion's minute among its worst, if it is one of those."""
    worst, usual = {}, {}
    for channel in GROSS:
        bad, of = state.usual.get(channel, (0, 0))
        more = _bad(state, channel, champion)
        usual[channel] = (bad + more[0], of + more[1])
        share = _share(state, channel, champion)
        # What the challenger suffers, too, is no burst but an outage that they share.
        others = [bad / of if of else share]
        others += [_share(state, channel, challenger)] if challenger is not None else []
        excess = math.ceil(MICRO * max(0.0, share - max(others)))
        worst[channel] = tuple(sorted((*state.worst.get(channel, ()), excess))[: -KEPT - 1 : -1])
    minutes = state.champion_minutes + 1
    return replace(state, worst=worst, usual=usual, champion_minutes=minutes)


def is_shared(policy: Policy, state: State, champion: Point, challenger: Point) -> bool:
    """Say whether both variants failed more in a minute than usual and tolerated, beyond chance."""
    return any(
        all(_is_worse(policy, state, channel, point) for point in (champion, challenger))
        for channel in ("errors", "client_errors")
    )


def _is_worse(policy: Policy, state: State, channel: str, point: Point) -> bool:
    (bad, of), (more, n) = state.usual.get(channel, (0, 0)), _bad(state, channel, point)
    if not of:
        return False
    tolerance = policy.tolerance
    allowed = (1 + tolerance.errors_relative) * bad / of + tolerance.errors_absolute
    return more > n * allowed + NOISE * math.sqrt(n * allowed)


def _share(state: State, channel: str, point: Point) -> float:
    bad, of = _bad(state, channel, point)
    return bad / max(1, of)


def _bad(state: State, channel: str, point: Point) -> tuple[int, int]:
    """Return how many of a minute's requests were bad in a channel, and of how many."""
    if channel in QUANTILES:
        return _late(state.champion.latency.used, point.lat, QUANTILES[channel])
    return (point.em if channel == "errors" else point.e4), point.n


def _late(usual: tuple[int, ...], histogram: tuple[int, ...], quantile: float) -> tuple[int, int]:
    if not sum(usual):
        return 0, 0
    return sum(histogram[past_quantile(usual, quantile) :]), sum(histogram)
