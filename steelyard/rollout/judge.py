"""
Judge a rollout: fold measurements into a state, read a verdict from it.

Pure and deterministic: folding the same records from zero gives the same bytes, so the live tick,
crash recovery, backtest and audit are this one function. docs/judge.md has formulas and proofs.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any, Literal

from steelyard.rollout.channels import against, compare, convict, summary
from steelyard.rollout.counters import Measurement, Point
from steelyard.rollout.policy import Expected, Policy, Step, Tolerance
from steelyard.rollout.state import State, Tally, enter, refuse_another, start

__all__ = ["Judge", "State", "Verdict", "enter", "fold", "settled", "start", "verdict"]

FRESH_SECONDS = 180
"""Beyond settle_seconds, how old a variant's newest minute may be when the challenger advances."""

Outcome = Literal["advance", "continue", "abort", "pause"]


@dataclass(frozen=True)
class Verdict:
    """What to do now, why (each reason with both numbers), and the evidence against its limits."""

    outcome: Outcome
    reasons: tuple[str, ...]
    evidence: dict[str, float]


def settled(policy: Policy, now: float) -> int:
    """Return the newest epoch minute that may be folded at epoch seconds `now`."""
    return math.floor((now - policy.settle_seconds) / 60) - 1


def fold(policy: Policy, state: State, measurement: Measurement) -> State:
    """
    Return the state after one settled minute; minutes come in order, each folded once.

    A minute that is not newer than the last changes nothing. A minute of another step, or that
    began before the step's bake, is counted as skipped and not judged. Raises ValueError for
    another policy or for histograms of another length.
    """
    refuse_another(policy, state)
    if state.last_minute is not None and measurement.minute <= state.last_minute:
        return state
    state = replace(state, last_minute=measurement.minute)
    if not _belongs(policy, state, measurement):
        return replace(state, skipped=state.skipped + 1)
    champion, challenger = measurement.champion, measurement.challenger
    if champion is not None:
        state = replace(state, champion=replace(state.champion, newest=measurement.minute))
    if challenger is not None:
        state = replace(state, challenger=replace(state.challenger, newest=measurement.minute))
    if champion is None or challenger is None:
        return state  # fresh or not, there is nothing to compare with
    return convict(policy, compare(policy, state, champion, challenger))


def verdict(policy: Policy, state: State, now: float) -> Verdict:
    """
    Return what to do at epoch seconds `now`.

    abort: a channel convicts, or a pause outlasted its deadline; pause: the step outlasted
    longest_seconds; advance: baked, fresh data, enough requests, nothing convicts; else continue.
    Raises ValueError for another policy.
    """
    refuse_another(policy, state)
    evidence = against(policy, state)
    if state.convictions:
        return Verdict("abort", state.convictions, evidence)
    if state.step is None:
        return Verdict("continue", ("no step was entered yet",), evidence)
    missing = _missing(policy, state, state.step, now)
    overdue = _overdue(policy, state, now)
    if overdue is not None:
        outcome, reason = overdue
        return Verdict(outcome, (reason, *missing), evidence)
    if missing:
        return Verdict("continue", missing, evidence)
    held = f"held for {now - state.entered_at:,.0f} s"
    return Verdict("advance", (f"{held}, {summary(policy, state)}",), evidence)


def _belongs(policy: Policy, state: State, measurement: Measurement) -> bool:
    if state.step is None or measurement.step != state.step:
        return False
    weight = policy.plan()[state.step].weight
    return measurement.weight == weight and 60 * measurement.minute >= state.entered_at


def _overdue(policy: Policy, state: State, now: float) -> tuple[Outcome, str] | None:
    waited = now - state.entered_at
    longest, deadline = policy.longest_seconds, policy.longest_seconds + policy.pause_seconds
    undecided = f"step {state.step} undecided for {waited:,.0f} s"
    if waited >= deadline:
        return "abort", f"{undecided}, deadline of its pause {deadline:,} s"
    if waited >= longest:
        return "pause", f"{undecided}, longest {longest:,} s"
    return None


def _missing(policy: Policy, state: State, index: int, now: float) -> tuple[str, ...]:
    """Return what still stands between step `index`, the current one, and the next."""
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
        if state.challenger.step_requests < policy.minimum_requests:
            reasons.append(
                f"challenger {state.challenger.step_requests:,} of "
                f"{policy.minimum_requests:,} requests in this step"
            )
    return tuple(reasons)


def _stale(policy: Policy, role: str, tally: Tally, now: float) -> list[str]:
    allowed = policy.settle_seconds + FRESH_SECONDS
    if tally.newest is None:
        return [f"{role} has no judged minute in this step, needed one in the last {allowed} s"]
    age = now - 60 * (tally.newest + 1)
    if age > allowed:
        return [f"{role} data is {age:,.0f} s old, allowed {allowed} s"]
    return []


DWELL_TICKS = 10
ALL_TICKS = 160


class Judge:
    """
    Plays this judge by the judge protocol, version 1: one object per rollout, one call per tick.

    e5 stands for model errors and a tick for a minute; latency is not judged. A minute is folded
    once it can no longer be revised, `max_metric_delay` ticks later.
    """

    def __init__(self, start_message: Mapping[str, Any]) -> None:
        self._weights: list[float] = start_message["spec"]["steps"]
        self._delay: int = start_message["spec"]["max_metric_delay"]
        self._policy = _protocol_policy(start_message)
        self._state = start(self._policy)
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
            measurement = self._measurement(minute, self._pending.pop(minute))
            self._state = fold(self._policy, self._state, measurement)
        found = verdict(self._policy, self._state, 60 * (now + 1))
        word = {"advance": "PROMOTE", "abort": "ROLLBACK"}.get(found.outcome, "CONTINUE")
        return {"verdict": word, "reason": "; ".join(found.reasons), "evidence": found.evidence}

    __call__ = tick

    def _measurement(self, minute: int, point: Mapping[str, Any]) -> Measurement:
        gaps = [abs(weight - point["weight"]) for weight in self._weights]
        step = gaps.index(min(gaps))
        champion, challenger = (_point(point.get(role)) for role in ("champion", "challenger"))
        weight = self._policy.steps[step].weight
        return Measurement(minute, step, weight, champion, challenger)


def _point(value: Mapping[str, Any] | None) -> Point | None:
    if value is None:
        return None
    return Point(value["n"], value["e4"], value["e5"], tuple(value["score"]), ())


def _protocol_policy(message: Mapping[str, Any]) -> Policy:
    """
    Translate a start message; the margin of scores counts from equality.

    Each step is given the same ticks, so that all of them fit well before a rollout counts as
    stuck, and asks for half of the requests that the history promises for it.
    """
    spec = message["spec"]
    delay, steps = spec["max_metric_delay"], spec["steps"]
    ticks = max(1, min(DWELL_TICKS, ALL_TICKS * 3 // 4 // len(steps) - delay))
    champions = [point["champion"] for point in message["history"]]
    counts = [champion["n"] for champion in champions if champion is not None]
    promised = steps[0] * ticks * sum(counts) / max(1, len(counts))
    margins = Tolerance(spec["margin_err_rel"], spec["margin_err_abs"], spec["margin_score_tv"])
    return Policy(
        steps=tuple(Step(round(100 * weight), 60 * (ticks + delay)) for weight in steps),
        soak_seconds=0,
        longest_seconds=60 * ALL_TICKS,
        pause_seconds=0,
        settle_seconds=60 * delay,
        false_rollback=spec["alpha"],
        tolerance=margins,
        expected=Expected(0.0, 0.0),
        minimum_requests=max(1, min(50, round(promised / 2))),
    )
