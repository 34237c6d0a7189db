"""
Judge a rollout: fold measurements into a state, read a verdict from it.

Pure and deterministic: folding the same records from zero gives the same bytes, so the live tick,
crash recovery, backtest and audit are this one function. docs/judge.md has formulas and proofs.
"""

import math
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from steelyard.rollout import bursts, channels, hold, protocol, silence
from steelyard.rollout.blame import blamed
from steelyard.rollout.counters import Measurement
from steelyard.rollout.policy import Policy
from steelyard.rollout.reasons import accuse, bounds, summary, weighed
from steelyard.rollout.state import State, enter, refuse_another
from steelyard.rollout.verdict import Outcome, Verdict

__all__ = ["Judge", "State", "enter", "fold", "lacking", "settled", "start", "verdict"]


def start(policy: Policy) -> State:
    """Return the state before any step and any minute."""
    return State(policy=policy.digest(), wealth={})


def settled(policy: Policy, now: float) -> int:
    """Return the newest epoch minute that may be folded at epoch seconds `now`."""
    return math.floor((now - policy.settle_seconds) / 60) - 1


def lacking(policy: Policy, state: State, now: float) -> tuple[str, ...]:
    """Return which times and data the current step lacks: with any of it, it is never left."""
    return () if state.step is None else hold.missing(policy, state, state.step, now)


def fold(
    policy: Policy, state: State, measurement: Measurement, lost: float = silence.LOST
) -> State:
    """
    Return the state after one settled minute; minutes come in order, each folded once.

    Of a minute that has not settled, `lost` says how often a healthy variant's is still absent.

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
    state = channels.listen(policy, _seen(state, measurement), measurement, lost)
    return _convicted(policy, channels.compare(policy, state, measurement))


def verdict(policy: Policy, state: State, now: float) -> Verdict:
    """
    Return what to do at epoch seconds `now`.

    abort: the evidence convicts; pause: the step outlasted longest_seconds undecided; advance:
    baked, fresh data, enough requests, no suspicion, or undecided for longest_seconds where the
    policy then advances; else continue. Raises ValueError for another policy.
    """
    refuse_another(policy, state)
    if state.convictions:
        return Verdict("abort", state.convictions, weighed(policy, state), "challenger")
    if state.step is None:
        return Verdict("continue", ("no step was entered yet",), weighed(policy, state))
    lacking = hold.missing(policy, state, state.step, now)
    waited = now - state.entered_at
    undecided = hold.undecided(policy, state, state.step, waited)
    outcome, reason = _outcome(policy, state, waited, bool(lacking), bool(undecided))
    is_proven = outcome == "advance" and not undecided and policy.promotion_margin is not None
    limits = bounds(policy, state) if is_proven else ()
    return Verdict(
        outcome,
        tuple(filter(None, (reason, *lacking, *undecided, *limits))),
        weighed(policy, state),
        blamed(policy, state, hold.late(policy, state, now), hold.suspicious(policy, state)),
        is_proven and state.step < len(policy.steps),
    )


def _outcome(
    policy: Policy, state: State, waited: float, is_lacking: bool, is_undecided: bool
) -> tuple[Outcome, str | None]:
    """Return what to do in a step without a conviction, and why, beyond what is lacking."""
    is_overdue = waited >= policy.longest_seconds
    if is_overdue and (is_lacking or (is_undecided and policy.undecided == "pause")):
        # Who waits for that person, and until when, is not the judge's: a pause has its own end.
        undecided = f"step {state.step} undecided for {waited:,.0f} s"
        return "pause", f"{undecided}, longest {policy.longest_seconds:,} s"
    if is_lacking or (is_undecided and not is_overdue):
        return "continue", None
    return "advance", f"held for {waited:,.0f} s, {summary(policy, state)}"


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
        """Take one tick's points and return the verdict, its reason, its evidence and the blame."""
        now = message["now"]
        if message["stage"] != self._state.step:
            self._state = enter(self._policy, self._state, message["stage"], 60 * now)
        for point in message["points"]:
            known = {role: point[role] for role in point if point[role] is not None}
            self._pending.setdefault(point["minute"], {}).update(known)
        for minute in sorted(m for m in self._pending if m <= now - self._delay):
            point = self._pending.pop(minute)
            self._state = self._fold(self._state, minute, point)
        found = verdict(self._policy, self._provisional(now), 60 * (now + 1))
        return {
            "verdict": self._word(found, 60 * (now + 1)),
            "reason": "; ".join(found.reasons),
            "evidence": found.evidence,
            "blame": found.blame,
            "proven": found.proven,
        }

    __call__ = tick

    def _word(self, found: Verdict, now: float) -> str:
        # The protocol knows no person who could end a pause: at its deadline traffic goes home.
        deadline = self._policy.longest_seconds + self._policy.pause_seconds
        if found.outcome == "pause" and now - self._state.entered_at >= deadline:
            return "ROLLBACK"
        return {"advance": "PROMOTE", "abort": "ROLLBACK"}.get(found.outcome, "CONTINUE")

    def _provisional(self, now: int) -> State:
        """Return the state as it were if nothing more came of the minutes that are known."""
        state = self._state
        for minute in sorted(m for m in self._pending if "champion" in self._pending[m]):
            lost = silence.absent(now - minute, self._delay)
            state = self._fold(state, minute, self._pending[minute], lost)
        return state

    def _fold(
        self, state: State, minute: int, point: Mapping[str, Any], lost: float = silence.LOST
    ) -> State:
        measured = protocol.measurement(self._policy, minute, point)
        return fold(self._policy, state, measured, lost)
