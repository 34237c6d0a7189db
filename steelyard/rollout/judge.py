"""
Judge a rollout: fold measurements into a state, read a verdict from it.

Pure and deterministic: folding the same records from zero gives the same bytes, so the live tick,
crash recovery, backtest and audit are this one function. docs/judge.md has formulas and proofs.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from steelyard.rollout import bursts, channels, protocol
from steelyard.rollout.counters import Measurement
from steelyard.rollout.policy import Policy
from steelyard.rollout.reasons import accuse, summary, weighed
from steelyard.rollout.state import State, Tally, enter, refuse_another

__all__ = ["Judge", "State", "Verdict", "enter", "fold", "settled", "start", "verdict"]

FRESH_SECONDS = 60
"""Beyond settle_seconds, how old a variant's newest minute may be when the challenger advances."""

COMPARED_MINUTES = 2
"""How many minutes of a step must have been compared before the challenger leaves it."""

SUSPICIOUS = 1.0
"""From this evidence on, in all or of the last minutes in a channel, no step is left."""

EXCLUDED = 0.5
"""Below this recent evidence in every channel, an excess that would show by now is excluded."""

CALM_MINUTES = 4
"""How many compared minutes must have passed since one that was alarming: faults come and go."""

TELLING_REQUESTS = 20
"""How many requests of the challenger are worth a further minute until an excess is excluded."""

Outcome = Literal["advance", "continue", "abort", "pause"]


@dataclass(frozen=True)
class Verdict:
    """What to do now, why (each reason with both numbers), and the evidence against its limits."""

    outcome: Outcome
    reasons: tuple[str, ...]
    evidence: dict[str, float]


def start(policy: Policy) -> State:
    """Return the state before any step and any minute."""
    return State(policy=policy.digest(), wealth={})


def settled(policy: Policy, now: float) -> int:
    """Return the newest epoch minute that may be folded at epoch seconds `now`."""
    return math.floor((now - policy.settle_seconds) / 60) - 1


def fold(policy: Policy, state: State, measurement: Measurement) -> State:
    """
    Return the state after one settled minute; minutes come in order, each folded once.

    A minute that is not newer than the last changes nothing. Before the first step, a minute
    without a challenger teaches what the champion is like. A minute of another step, or that began
    before the step's bake, is counted as skipped and not judged. Raises ValueError for another
    policy or for histograms of another length.
    """
    refuse_another(policy, state)
    if state.last_minute is not None and measurement.minute <= state.last_minute:
        return state
    champion, challenger = measurement.champion, measurement.challenger
    state = replace(state, last_minute=measurement.minute)
    if state.step is None and challenger is None and champion is not None:
        return replace(
            bursts.remember(state, champion, None), champion=state.champion.learn(champion)
        )
    if not _belongs(policy, state, measurement):
        return replace(state, skipped=state.skipped + 1)
    state = channels.listen(policy, _seen(state, measurement), measurement)
    return _convicted(policy, channels.compare(policy, state, measurement))


def verdict(policy: Policy, state: State, now: float) -> Verdict:
    """
    Return what to do at epoch seconds `now`.

    abort: the evidence convicts, or a pause outlasted its deadline; pause: the step outlasted
    longest_seconds undecided; advance: baked, fresh data, enough requests, no suspicion, or
    undecided for longest_seconds where the policy then advances; else continue. Raises ValueError
    for another policy.
    """
    refuse_another(policy, state)
    evidence = weighed(policy, state)
    if state.convictions:
        return Verdict("abort", state.convictions, evidence)
    if state.step is None:
        return Verdict("continue", ("no step was entered yet",), evidence)
    missing = _missing(policy, state, state.step, now)
    waited = now - state.entered_at
    is_overdue = waited >= policy.longest_seconds
    undecided = _undecided(policy, state, state.step, waited)
    if is_overdue and (missing or policy.undecided == "pause"):
        outcome, reason = _overdue(policy, state, waited)
        return Verdict(outcome, (reason, *missing, *undecided), evidence)
    if missing or (undecided and not is_overdue):
        return Verdict("continue", (*missing, *undecided), evidence)
    held = f"held for {waited:,.0f} s"
    return Verdict("advance", (f"{held}, {summary(policy, state)}", *undecided), evidence)


def _belongs(policy: Policy, state: State, measurement: Measurement) -> bool:
    """Say whether a minute is judged: one of this step, or one of an earlier step that is late."""
    if state.step is None or not 0 <= measurement.step <= state.step:
        return False
    begun = state.entered_at if measurement.step == state.step else state.began_at
    weight = policy.plan()[measurement.step].weight
    return measurement.weight == weight and 60 * measurement.minute >= begun


def _seen(state: State, measurement: Measurement) -> State:
    """Remember which variant has data of this step, and how new."""
    if measurement.step != state.step:
        return state
    champion, challenger = (
        tally if point is None else replace(tally, newest=measurement.minute)
        for tally, point in (
            (state.champion, measurement.champion),
            (state.challenger, measurement.challenger),
        )
    )
    return replace(state, champion=champion, challenger=challenger)


def _convicted(policy: Policy, state: State) -> State:
    """Remember the first minute that convicts."""
    if state.convictions or channels.log_total(state) < -math.log(policy.false_rollback):
        return state
    return replace(state, convictions=accuse(policy, state))


def _overdue(policy: Policy, state: State, waited: float) -> tuple[Outcome, str]:
    longest, deadline = policy.longest_seconds, policy.longest_seconds + policy.pause_seconds
    undecided = f"step {state.step} undecided for {waited:,.0f} s"
    if waited >= deadline:
        return "abort", f"{undecided}, deadline of its pause {deadline:,} s"
    return "pause", f"{undecided}, longest {longest:,} s"


def _missing(policy: Policy, state: State, index: int, now: float) -> tuple[str, ...]:
    """Return which times and data step `index`, the current one, still lacks."""
    step = policy.plan()[index]
    is_soak = index == len(policy.steps)
    waited = now - state.entered_at
    reasons = []
    if waited < step.bake_seconds:
        word = "soak" if is_soak else "bake"
        reasons.append(f"{word} {waited:,.0f} s of {step.bake_seconds:,} s")
    reasons += _stale(policy, "challenger", state.challenger, now)
    if not is_soak:
        reasons += _stale(policy, "champion", state.champion, now)
        if not reasons and state.step_compared < COMPARED_MINUTES:
            reasons.append(
                f"{state.step_compared} of {COMPARED_MINUTES} minutes compared in this step"
            )
    return tuple(reasons)


def _undecided(policy: Policy, state: State, index: int, waited: float) -> tuple[str, ...]:
    """Return what the evidence still lacks in step `index`, the current one."""
    if index == len(policy.steps):
        return ()
    recent, requests = channels.log_recent(state), state.challenger.step_requests
    patience = policy.plan()[index].bake_seconds + 60 * requests / TELLING_REQUESTS
    reasons = []
    if requests < policy.minimum_requests:
        reasons.append(
            f"challenger {requests:,} of {policy.minimum_requests:,} requests in this step"
        )
    if max(recent, channels.log_total(state)) > math.log(SUSPICIOUS):
        reasons.append(f"suspicious: {summary(policy, state)}")
    elif state.alarmed is not None and state.compared - state.alarmed <= CALM_MINUTES:
        reasons.append(f"alarming in the last {CALM_MINUTES} minutes: {summary(policy, state)}")
    elif recent > math.log(EXCLUDED) and waited < patience:
        reasons.append(f"no excess excluded yet: {summary(policy, state)}")
    return tuple(reasons)


def _stale(policy: Policy, role: str, tally: Tally, now: float) -> list[str]:
    allowed = policy.settle_seconds + FRESH_SECONDS
    if tally.newest is None:
        return [f"{role} has no judged minute in this step, needed one in the last {allowed} s"]
    age = now - 60 * (tally.newest + 1)
    if age > allowed:
        return [f"{role} data is {age:,.0f} s old, allowed {allowed} s"]
    return []


class Judge:
    """
    Plays this judge by the judge protocol, version 1: one object per rollout, one call per tick.

    A minute is folded for good once it can no longer be revised, `max_metric_delay` ticks later.
    Until then each tick folds what is known of it anew, on top of what is settled.
    """

    def __init__(self, start_message: Mapping[str, Any]) -> None:
        self._delay: int = start_message["spec"]["max_metric_delay"]
        self._policy = protocol.policy(start_message)
        self._state = start(self._policy)
        for measurement in protocol.history(start_message):
            self._state = fold(self._policy, self._state, measurement)
        self._pending: dict[int, dict[str, Any]] = {}

    def tick(self, message: Mapping[str, Any]) -> dict[str, Any]:
        """Take one tick's points and return the verdict, its reason and its evidence."""
        now = message["now"]
        if message["stage"] != self._state.step:
            self._state = enter(self._policy, self._state, message["stage"], 60 * now)
        for point in message["points"]:
            known = {role: point[role] for role in point if point[role] is not None}
            self._pending.setdefault(point["minute"], {}).update(known)
        for minute in sorted(m for m in self._pending if m <= now - self._delay):
            point = self._pending.pop(minute)
            self._state = self._fold(self._state, minute, point)
        found = verdict(self._policy, self._provisional(), 60 * (now + 1))
        word = {"advance": "PROMOTE", "abort": "ROLLBACK"}.get(found.outcome, "CONTINUE")
        return {"verdict": word, "reason": "; ".join(found.reasons), "evidence": found.evidence}

    __call__ = tick

    def _provisional(self) -> State:
        """Return the state as it were if nothing more came of the minutes that are known."""
        state = self._state
        for minute in sorted(self._pending):
            point = self._pending[minute]
            if "champion" in point and "challenger" in point:
                state = self._fold(state, minute, point)
        return state

    def _fold(self, state: State, minute: int, point: Mapping[str, Any]) -> State:
        return fold(self._policy, state, protocol.measurement(self._policy, minute, point))
