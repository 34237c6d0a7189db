"""
Keep one variant's bad minute from being taken for a bad model.

Minutes, not requests, are what repeats: a burst of errors or a noisy neighbour hits one variant for
a minute. What the champion's own minutes show limits what one minute of the challenger may prove.
"""

import math
from dataclasses import replace

from steelyard.rollout.counters import Point
from steelyard.rollout.policy import Policy
from steelyard.rollout.state import KEPT, State

MICRO = 1_000_000

GROSS = {"errors": 0.1, "client_errors": 0.1, "latency": 1.0}
"""No burst, unless one was seen, hits a larger share of a variant's requests in a minute."""

CLEAN_MINUTES = 30
"""How many quiet minutes of the champion are taken for granted."""

PATIENT = math.log(16)
"""What one minute may prove (nats) where the policy asks for two."""

LATE = 0.9
"""The champion's quantile of latency past which an answer counts as late."""


def limit(policy: Policy, state: State, channel: str, champion: Point, challenger: Point) -> float:
    """Return by how much (nats) this minute may raise the evidence of a channel."""
    patient = policy.patience_minutes > 1
    if channel not in GROSS:
        return PATIENT if patient else math.inf
    share, usual = _share(state, channel, challenger), _share(state, channel, champion)
    excess = share - usual
    worst = state.worst.get(channel, ())
    highest = worst[0] / MICRO if worst else 0.0
    noise = math.sqrt(share * (1 - share) / max(1, challenger.n))
    if not patient and excess - noise > max(GROSS[channel], 2 * highest):
        return math.inf
    as_bad = sum(2 * other >= MICRO * excess for other in worst)
    seen = math.log((max(state.champion_minutes, CLEAN_MINUTES) + 1) / (as_bad + 1))
    return min(seen, PATIENT) if patient else seen


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


def _share(state: State, channel: str, point: Point) -> float:
    bad, of = _bad(state, channel, point)
    return bad / max(1, of)


def _bad(state: State, channel: str, point: Point) -> tuple[int, int]:
    """Return how many of a minute's requests were bad in a channel, and of how many."""
    if channel == "latency":
        return _late(state.champion.latency.used, point.lat)
    return (point.em if channel == "errors" else point.e4), point.n


def _late(usual: tuple[int, ...], histogram: tuple[int, ...]) -> tuple[int, int]:
    total, below, cut = sum(usual), 0, 0
    while below < LATE * total:
        below += usual[cut]
        cut += 1
    return (sum(histogram[cut:]), sum(histogram)) if total else (0, 0)
