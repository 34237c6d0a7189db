"""Judge: each minute, measure what has settled, judge it, record it, and tell the waiting bake."""

import json
from typing import Any

from lambdas.aws import Alarms, Bakes, Counters, Ledger, LedgerConflict, MetricsUnavailable
from lambdas.event import JUDGED_WORSE, epoch
from lambdas.setting import setting
from steelyard.rollout import judge
from steelyard.rollout.counters import METRICS, Incomparable, Measurement, measure
from steelyard.rollout.judge import State, Verdict
from steelyard.rollout.ledger import Lock, Record
from steelyard.rollout.policy import Policy, canonical
from steelyard.rollout.weights import weights

# Samples before the window are needed to subtract from: three intervals of a minute's publishing.
LEAD_SECONDS = 180
# Ticks that were missed are made up for, one query each, but never further back than this.
LONGEST_MINUTES = 60


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Judge the rollout that waits at a bake, if there is one, as of the event's time."""
    now = epoch(event["time"])
    ledger = Ledger(setting("LEDGER"), setting("ENDPOINT"))
    lock = ledger.read()
    if lock is None or lock.phase != "progressing" or lock.token is None or lock.since is None:
        return {"idle": True}
    policy = Policy.from_dict(json.loads(lock.policy))
    state = entered(policy, lock)
    measurements, trouble = _measure(policy, lock, state, now)
    for measurement in measurements:
        state = judge.fold(policy, state, measurement)
    verdict = judge.verdict(policy, state, now)
    ringing = Alarms(lock.endpoint).ringing(lock.challenger)
    if ringing:
        verdict = Verdict("abort", (f"alarm {', '.join(ringing)} is ringing",), verdict.evidence)
    elif trouble is not None:
        verdict = Verdict(verdict.outcome, (*verdict.reasons, trouble), verdict.evidence)
    try:
        ledger.append(lock, _records(lock, now, measurements, verdict), judge=_json(state))
    except LedgerConflict:
        # A duplicate of this tick, or the rollback Lambda, was faster: its word stands.
        return {"outdated": True}
    _tell(lock, verdict)
    return {"outcome": verdict.outcome, "reasons": list(verdict.reasons)}


def entered(policy: Policy, lock: Lock) -> State:
    """Return the judge's state as the ledger holds it, moved to the step that bakes now."""
    state = judge.start(policy) if lock.judge is None else State.from_dict(json.loads(lock.judge))
    if state.step != lock.step and lock.since is not None:
        state = judge.enter(policy, state, lock.step, lock.since)
    return state


def _measure(
    policy: Policy, lock: Lock, state: State, now: float
) -> tuple[list[Measurement], str | None]:
    """Return the minutes that have settled and were not judged yet, and what stood in the way."""
    newest = judge.settled(policy, now)
    minutes = range(_oldest(state, newest), newest + 1)
    if not minutes:
        return [], None
    end = 60 * minutes.stop
    reach = end - 60 * minutes.start + LEAD_SECONDS
    counters = Counters(lock.endpoint)
    try:
        samples = {name: counters.samples(name, end, reach) for name in METRICS}
        points = measure(samples, lock.champion, lock.challenger, minutes, since=end - reach)
    except (MetricsUnavailable, Incomparable) as error:
        return [], f"no measurement: {error}"
    weight = policy.plan()[lock.step].weight
    return [
        Measurement(minute, lock.step, weight, champion, challenger)
        for minute, champion, challenger in points
    ], None


def _oldest(state: State, newest: int) -> int:
    """Return the first minute to measure: after the last one folded, or the bake's own first."""
    begun = state.entered_at // 60
    after = state.last_minute + 1 if state.last_minute is not None else begun
    return max(after, begun, newest + 1 - LONGEST_MINUTES)


def _records(
    lock: Lock, now: float, measurements: list[Measurement], verdict: Verdict
) -> list[Record]:
    policy = Policy.from_dict(json.loads(lock.policy))
    weight = policy.plan()[lock.step].weight
    shared: dict[str, Any] = {
        "at": now,
        "actor": "judge",
        "step": lock.step,
        "weights": weights(lock.champion, lock.challenger, weight, lock.others),
    }
    bodies: list[tuple[Any, str, dict[str, Any]]] = [
        ("measured", f"minute {m.minute}", m.to_dict()) for m in measurements
    ]
    decided = {"outcome": verdict.outcome, "evidence": dict(verdict.evidence)}
    bodies.append(("decided", "; ".join(verdict.reasons), decided))
    return [
        Record(seq=lock.seq + offset, kind=kind, reason=reason, body=body, **shared)
        for offset, (kind, reason, body) in enumerate(bodies)
    ]


def _tell(lock: Lock, verdict: Verdict) -> None:
    if lock.token is None:
        return
    if verdict.outcome == "advance":
        Bakes().succeed(lock.token)
    elif verdict.outcome == "abort":
        Bakes().fail(lock.token, JUDGED_WORSE, "; ".join(verdict.reasons))
    else:
        Bakes().heartbeat(lock.token)


def _json(state: State) -> str:
    return canonical(state.to_dict())
