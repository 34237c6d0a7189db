"""
Decide what becomes of a rollout at a tick: the verdict, and what goes before it or holds it.

Pure: the lock as it was read, the verdict on what was measured, the alarms and the time are given.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from steelyard.rollout.conduct import Gate
from steelyard.rollout.ledger import Lock
from steelyard.rollout.policy import Policy
from steelyard.rollout.verdict import Outcome, Verdict


@dataclass(frozen=True)
class Decision:
    """What to do now and why; `gate` is what a person is waited for before it goes on."""

    outcome: Outcome
    reasons: tuple[str, ...]
    gate: Gate | None = None


def decide(
    lock: Lock,
    policy: Policy,
    verdict: Verdict,
    ringing: Sequence[str],
    now: float,
    missing: Sequence[str] = (),
) -> Decision:
    """
    Return what becomes of a rollout that is under way, at epoch seconds `now`.

    abort: the first of deadline, ringing alarms, verdict and the end of a pause that asks for it;
    pause: the evidence is inconclusive and nobody approved the step; advance: it is earned, by the
    verdict or a person's approval, and nothing holds it; else continue. With anything `missing`,
    which is what the step lacks in times and data, nothing advances.
    """
    against = _against(lock, verdict, ringing, now)
    if against:
        return Decision("abort", against, lock.gate)
    if lock.phase == "paused":
        return Decision("continue", (_paused(lock), *verdict.reasons), lock.gate)
    gate, holding = _held(lock, policy, now)
    if _is_earned(lock, verdict, missing):
        if not holding:
            return Decision("advance", _approved(lock, verdict), lock.gate)
        return Decision("continue", (*holding, *verdict.reasons), gate or lock.gate)
    # What is held goes nowhere, whatever a person says of the evidence: there is nothing to ask.
    if verdict.outcome == "pause" and lock.gate is None and not _frozen(policy, lock.step, now):
        return Decision("pause", verdict.reasons)
    return Decision("continue", verdict.reasons, lock.gate)


def unapproved(lock: Lock, policy: Policy, step: int) -> Gate | None:
    """Return the gate before step `step` of the plan that nobody has approved; None: it is open."""
    gates: dict[int, Gate] = {len(policy.steps): "promotion", 0: "start"}
    gate = gates.get(step)
    return gate if gate in policy.conduct.confirm and gate not in lock.approved else None


def utc(at: float) -> str:
    """Return epoch seconds as a reader of the ledger writes them."""
    return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%d %H:%M:%S} UTC"


def _against(lock: Lock, verdict: Verdict, ringing: Sequence[str], now: float) -> tuple[str, ...]:
    """Return why the rollout must end, by what weighs most; empty when nothing says so."""
    if lock.deadline is not None and now >= lock.deadline:
        return (f"the rollout's deadline of {utc(lock.deadline)} has passed",)
    if ringing:
        return (f"alarm {', '.join(ringing)} is ringing",)
    if verdict.outcome == "abort":
        return verdict.reasons
    if lock.phase == "paused" and lock.pause_until is not None and now >= lock.pause_until:
        return (f"nobody ended the pause by {utc(lock.pause_until)}", *verdict.reasons)
    return ()


def _is_earned(lock: Lock, verdict: Verdict, missing: Sequence[str]) -> bool:
    if lock.step < 0:
        return lock.gate == "start"
    is_approved = verdict.outcome == "pause" and str(lock.step) in lock.approved
    return (is_approved or verdict.outcome == "advance") and not missing


def _held(lock: Lock, policy: Policy, now: float) -> tuple[Gate | None, tuple[str, ...]]:
    """Return the gate before the next step, and each thing that keeps its weight from rising."""
    holding = []
    gate = unapproved(lock, policy, lock.step + 1)
    if gate is not None:
        holding.append(f"{gate} waits for a person: steelyard approve {lock.endpoint}")
    until = _frozen(policy, lock.step, now)
    if until is not None:
        holding.append(f"no weight is raised before {utc(until)}, when the freeze ends")
    return gate, tuple(holding)


def _frozen(policy: Policy, step: int, now: float) -> float | None:
    # After the soak no weight rises any more.
    return policy.conduct.frozen_until(now) if step < len(policy.steps) else None


def _paused(lock: Lock) -> str:
    until = f" until {utc(lock.pause_until)}" if lock.pause_until is not None else ""
    return (
        f"paused{until}, then it is aborted: "
        f"steelyard resume {lock.endpoint}, or steelyard abort {lock.endpoint}"
    )


def _approved(lock: Lock, verdict: Verdict) -> tuple[str, ...]:
    if lock.step < 0:
        return ("the start is approved",)
    if verdict.outcome == "pause":
        return (f"step {lock.step} is approved as it is", *verdict.reasons)
    return verdict.reasons
