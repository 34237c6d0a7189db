"""
Weigh the channels in which a challenger can harm, each with its fixed share of the evidence.

The evidence of all channels together is one e-process: it may depend on how they hang together in
any way, and is held against one limit.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from steelyard.rollout import bursts, evidence, silence
from steelyard.rollout.alternatives import (
    LATENCY_STAKES,
    latency_ratios,
    score_ratios,
    score_stakes,
    slowed,
    staked,
)
from steelyard.rollout.counters import Measurement, Point
from steelyard.rollout.effects import effects, growths, rounded, stakes
from steelyard.rollout.evidence import Trials, log_order, log_rates, log_shares
from steelyard.rollout.exclusion import exclude
from steelyard.rollout.policy import Policy
from steelyard.rollout.state import State

SHARES = {
    "errors": 0.42,
    "client_errors": 0.06,
    "latency": 0.14,
    "stall": 0.07,
    "score": 0.15,
    "confidence": 0.02,
    "silence": 0.14,
}
"""How the stake is split; fixed beforehand, whatever a source can measure."""

EARLY, STEPPED, LATER = 0.6, 0.15, 0.25
"""How each stake is split: on faults from the start, that begin with a step, and at any time."""

QUIET_LATER = 0.6
"""The part of the stake on silence that is put on one that begins later."""

HALF_LIFE = 15
"""Minutes after which half of what is staked on later faults is spent."""

NO_DOUBT = -(10**9)
"""The doubt (millionths of a nat) where nothing could show."""

ALARMING = 5.0
"""Recent evidence from which on a channel is remembered as alarming, a while after it calmed."""

PASSING, SHOWING = 0.15, 1 / 3
"""What is staked on a fault that comes and goes, and the share of minutes in which it shows."""

MOST = 50.0
"""No minute's evidence counts for more (nats) there, so that it stays a number."""

VISIBLE = 1.5
"""From this growth (nats a minute) on an effect shows so soon that it can be waited for."""


class Weighed(NamedTuple):
    """What is staked on each effect, 1 in all, a minute's log e-values, and what they would be."""

    stakes: Sequence[float]
    logs: Sequence[float]
    growths: Sequence[float]


class Pair(NamedTuple):
    """A minute's points, the challenger's weight in it, of 100, and whether it was warming up."""

    champion: Point
    challenger: Point
    weight: int
    is_cold: bool


Weigh = Callable[[Policy, State, Pair], Weighed | None]


def compare(policy: Policy, state: State, measurement: Measurement) -> State:
    """Weigh a minute in which both variants reported, then remember it; else change nothing."""
    champion, challenger = measurement.champion, measurement.challenger
    if not (champion and challenger and champion.n and challenger.n):
        return state
    is_cold = 60 * measurement.minute < state.began_at + policy.warmup_seconds
    judged = replace(challenger, lat=()) if is_cold else challenger
    is_current = measurement.step == state.step
    mass = LATER * _spent(state.compared)
    # In the soak nothing is staked anew: no champion runs beside the challenger there.
    is_raised = 0 < measurement.step < len(policy.steps)
    if is_raised and is_current and state.step_compared == 0:
        mass += STEPPED / (len(policy.steps) - 1)
    weighed = _weighed(policy, state, Pair(champion, challenger, measurement.weight, is_cold), mass)
    weighed = exclude(policy, weighed, measurement.step, (champion, judged))
    is_shared = bursts.is_shared(policy, state, champion, challenger)
    return replace(
        bursts.remember(weighed, champion, challenger),
        shared=state.compared + 1 if is_shared else state.shared,
        compared=state.compared + 1,
        step_compared=state.step_compared + is_current,
        champion=state.champion.add(champion, is_current),
        challenger=state.challenger.add(challenger, is_current),
    )


def _weighed(policy: Policy, state: State, pair: Pair, mass: float) -> State:
    """Return the state with the evidence of a minute in which `mass` is put on new faults."""
    wealth, recent, doubts = dict(state.wealth), dict(state.recent), dict(state.doubts)
    for channel, weigh in CHANNELS.items():
        found = weigh(policy, state, pair)
        if found is not None:
            limit = bursts.limit(policy, state, channel, pair.champion, pair.challenger)
            found = _with_comings_and_goings(found, limit)
            wealth[channel] = _grown(channel, wealth.get(channel), mass, found, limit)
            if channel == "stall":  # Latency says sooner what is suspicious or excluded.
                continue
            recent[channel] = evidence.recent(recent.get(channel), found.stakes, found.logs)
            doubts[channel] = _doubt(recent[channel], found)
    is_alarming = _highest(recent) > math.log(ALARMING)
    alarmed = state.compared if is_alarming else state.alarmed
    return replace(state, wealth=wealth, recent=recent, doubts=doubts, alarmed=alarmed)


def listen(
    policy: Policy, state: State, measurement: Measurement, lost: float = silence.LOST
) -> State:
    """
    Weigh whether the challenger said anything in a minute in which the champion did.

    `lost` is how often a healthy variant's minute may be absent as long after its end.
    """
    if measurement.champion is None or measurement.weight == 100 or not measurement.champion.n:
        return state
    log = silence.log_e(measurement.weight, measurement.champion, measurement.challenger, lost)
    stake, later = SHARES["silence"], QUIET_LATER * _spent(state.listened)
    before = state.wealth.get("silence") or evidence.start([stake * (1 - QUIET_LATER)])
    grown = evidence.update(before, [stake * later], [log])
    return replace(state, listened=state.listened + 1, wealth={**state.wealth, "silence": grown})


def _spent(minutes: int) -> float:
    """Return which share of all stakes on later faults is put in after so many minutes."""
    done = minutes + HALF_LIFE
    # HALF_LIFE / (done (done + 1)) telescopes to 1 over all minutes and is never used up.
    return HALF_LIFE / (done * (done + 1))


def _grown(
    channel: str, wealth: tuple[int, ...] | None, mass: float, found: Weighed, limit: float
) -> tuple[int, ...]:
    share, (stakes, logs, _) = SHARES[channel], found
    before = wealth or evidence.start([share * EARLY * stake for stake in stakes])
    grown = evidence.update(before, [share * mass * stake for stake in stakes], logs)
    return evidence.capped(grown, before, [share * stake for stake in stakes], limit)


def _with_comings_and_goings(found: Weighed, limit: float) -> Weighed:
    """Return it with a fault, too, that shows in some minutes only, whatever it is then."""
    stakes, logs, growths = found
    mixed = evidence.log_sum([math.log(s) + log for s, log in zip(stakes, logs, strict=True)])
    shows = math.exp(min(mixed, limit, MOST)) * SHOWING + 1 - SHOWING
    stakes = [(1 - PASSING) * stake for stake in stakes]
    return Weighed([*stakes, PASSING], [*logs, math.log(shows)], [*growths, 0.0])


def _doubt(recent: tuple[int, ...], found: Weighed) -> int:
    """Return the recent evidence (millionths of a nat) of the effect least excluded."""
    return max(
        (
            log - math.ceil(evidence.MICRO * math.log(stake))
            for log, stake, growth in zip(recent, found.stakes, found.growths, strict=True)
            if growth >= VISIBLE
        ),
        default=NO_DOUBT,
    )


def _rates(channel: str, count: Callable[[Point], int]) -> Weigh:
    def weigh(policy: Policy, state: State, pair: Pair) -> Weighed | None:
        rho, delta = 1 + policy.tolerance.errors_relative, policy.tolerance.errors_absolute
        ours, theirs = (Trials(point.n, count(point)) for point in (pair.challenger, pair.champion))
        foreseen = *_foreseen(state, channel, pair.weight), rho, delta
        found = effects(foreseen[0], rounded(ours.n / theirs.n), rho, delta)
        logs = [log_rates(effect, ours, theirs, rho, delta) for effect in found]
        return Weighed(stakes(*foreseen), logs, growths(*foreseen))

    return weigh


def _foreseen(state: State, channel: str, weight: int) -> tuple[float, int, int]:
    """Return what to expect of a minute: the champion's rate, and both variants' requests."""
    bad, of = state.usual.get(channel, (0, 0))
    requests = (of + state.challenger.requests) / max(1, state.champion_minutes)
    n_c = max(1, round(requests * weight / 100))
    # To two digits: stakes are derived anew only where that matters.
    return rounded((bad + 0.5) / (of + 100)), n_c, max(1, round(requests) - n_c)


def _latency(policy: Policy, state: State, pair: Pair) -> Weighed | None:
    return None if pair.is_cold else _slower(policy, state, pair, policy.tolerance.latency)


def _stall(policy: Policy, state: State, pair: Pair) -> Weighed | None:
    healthy = bursts.COLD if pair.is_cold else bursts.HIT
    return _slower(policy, state, pair, max(policy.tolerance.latency, healthy - 1))


def _slower(policy: Policy, state: State, pair: Pair, tolerance: float) -> Weighed | None:
    """Weigh answers against the champion's, were each to take 1 + `tolerance` times as long."""
    used, edges = state.champion.latency.used, policy.latency_edges
    if not edges or not all(map(sum, (used, pair.champion.lat, pair.challenger.lat))):
        return None
    spread, ways = slowed(edges, 1 + tolerance), latency_ratios(used, edges, tolerance)
    logs = [log_order(ratios, spread, pair.challenger.lat, pair.champion.lat) for ratios in ways]
    return Weighed(staked(LATENCY_STAKES, ways), logs, [0.0] * len(ways))


def _predictions(name: str, histogram: Callable[[Point], tuple[int, ...]]) -> Weigh:
    def weigh(policy: Policy, state: State, pair: Pair) -> Weighed | None:
        ours, theirs = histogram(pair.challenger), histogram(pair.champion)
        used, learned = getattr(state.champion, name).used, getattr(state.challenger, name).used
        if not all(map(sum, (used, ours, theirs))):
            return None
        distance = allowed(policy, name)
        ways = score_ratios(used, learned, pair.weight / 100, distance)
        logs = [log_shares(ratios, ours, theirs, distance) for ratios in ways]
        return Weighed(staked(score_stakes(len(used)), ways), logs, [0.0] * len(ways))

    return weigh


def allowed(policy: Policy, name: str) -> float:
    """Return the tolerated total variation of "score" or "confidence"."""
    expected: float = getattr(policy.expected, name)
    return min(1.0, expected + policy.tolerance.predictions)


CHANNELS: Mapping[str, Weigh] = {
    "errors": _rates("errors", lambda point: point.em),
    "client_errors": _rates("client_errors", lambda point: point.e4),
    "latency": _latency,
    "stall": _stall,
    "score": _predictions("score", lambda point: point.score),
    "confidence": _predictions("confidence", lambda point: point.conf),
}


def logs(state: State) -> dict[str, float]:
    """Return each channel's evidence so far (log, nats)."""
    return {channel: evidence.log_total(wealth) for channel, wealth in state.wealth.items()}


def log_total(state: State) -> float:
    """Return the evidence of all channels together (log, nats), -inf before any minute."""
    found = tuple(logs(state).values())
    return evidence.log_sum(found) if found else -math.inf


def log_recent(state: State) -> float:
    """Return the recent evidence of the channel that has most (log, nats)."""
    return _highest(state.recent)


def log_doubt(state: State) -> float:
    """Return the recent evidence (log, nats) of the visible effect that is least excluded."""
    return max(state.doubts.values(), default=NO_DOUBT) / evidence.MICRO


def _highest(recent: Mapping[str, tuple[int, ...]]) -> float:
    return max(map(evidence.log_total, recent.values()), default=-math.inf)
