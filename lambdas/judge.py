"""Judge: each minute, measure what has settled, judge it, record it, and tell whoever waits."""

import contextlib
import json
from dataclasses import dataclass, replace
from typing import Any

from lambdas.aws import Alarms, Bakes, Counters, Ledger, LedgerConflict, MetricsUnavailable
from lambdas.event import JUDGED_WORSE, epoch
from lambdas.setting import setting
from steelyard.rollout import judge
from steelyard.rollout.conduct import LEASE_SECONDS
from steelyard.rollout.counters import METRICS, Incomparable, Measurement, measure
from steelyard.rollout.decide import Decision, decide
from steelyard.rollout.judge import State
from steelyard.rollout.ledger import UNDER_WAY, Kind, Lock, Record
from steelyard.rollout.policy import Policy, canonical
from steelyard.rollout.verdict import Verdict
from steelyard.rollout.weights import weights

# Samples before the window are needed to subtract from: three intervals of a minute's publishing.
LEAD_SECONDS = 180
# Ticks that were missed are made up for, one query each, but never further back than this; before
# the first step it is also how much of the champion's past is learned from.
LONGEST_MINUTES = 60


@dataclass(frozen=True)
class Tick:
    """What a tick found: minutes that have settled, and the judge's state with them in it."""

    now: float
    lock: Lock
    policy: Policy
    measurements: list[Measurement]
    state: State
    trouble: str | None


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """
    Judge the rollout that is under way, if there is one, as of the event's time.

    Before its first step the champion's minutes are only learned from.
    """
    now = epoch(event["time"])
    ledger = Ledger(setting("LEDGER"), setting("ENDPOINT"))
    lock = ledger.read()
    if lock is None or not _is_wanted(lock):
        return {"idle": True}
    if lock.lease_until is not None and now + LEASE_SECONDS < lock.lease_until:
        # An old tick that was delivered late: a lease is never made shorter.
        return {"outdated": True}
    tick = _tick(lock, now)
    try:
        if (token := lock.token) is None:
            return _learn(ledger, tick)
        decision, lock = _judge(ledger, tick)
    except LedgerConflict:
        # A duplicate of this tick, or the rollback Lambda, was faster: its word stands.
        return {"outdated": True}
    _tell(ledger, lock, token, decision, now)
    return {"outcome": decision.outcome, "reasons": list(decision.reasons)}


def _is_wanted(lock: Lock) -> bool:
    """Say whether there is something to judge or, before the first step, to learn."""
    if lock.phase not in UNDER_WAY:
        return False
    return lock.step < 0 or (lock.token is not None and lock.since is not None)


def entered(policy: Policy, lock: Lock) -> State:
    """Return the judge's state as the ledger holds it, moved to the bake that the ledger names."""
    state = judge.start(policy) if lock.judge is None else State.from_dict(json.loads(lock.judge))
    if lock.step >= 0 and lock.since is not None:
        state = judge.enter(policy, state, lock.step, lock.since)
    return state


def _tick(lock: Lock, now: float) -> Tick:
    policy = Policy.from_dict(json.loads(lock.policy))
    state, trouble = entered(policy, lock), None
    measurements: list[Measurement] = []
    try:
        measurements = _measured(policy, lock, state, now)
    except (MetricsUnavailable, Incomparable) as error:
        trouble = f"no measurement: {error}"
    for measurement in measurements:
        state = judge.fold(policy, state, measurement)
    return Tick(now, lock, policy, measurements, state, trouble)


def _measured(policy: Policy, lock: Lock, state: State, now: float) -> list[Measurement]:
    """Return the minutes that have settled and were not judged yet."""
    newest = judge.settled(policy, now)
    minutes = range(_oldest(state, newest), newest + 1)
    if not minutes:
        return []
    end = 60 * minutes.stop
    reach = end - 60 * minutes.start + LEAD_SECONDS
    counters = Counters(lock.endpoint)
    samples = {name: counters.samples(name, end, reach) for name in METRICS}
    points = measure(samples, lock.champion, lock.challenger, minutes, since=end - reach)
    if lock.step < 0:
        # The challenger has no weight yet: what it answers was no client's.
        return [Measurement(at, -1, 0, champion, None) for at, champion, _ in points if champion]
    weight = policy.plan()[lock.step].weight
    return [Measurement(at, lock.step, weight, *variants) for at, *variants in points]


def _oldest(state: State, newest: int) -> int:
    """Return the first minute to measure: after the last one folded, or the bake's own first."""
    begun = state.entered_at // 60
    after = state.last_minute + 1 if state.last_minute is not None else begun
    return max(after, begun, newest + 1 - LONGEST_MINUTES)


def _learn(ledger: Ledger, tick: Tick) -> dict[str, Any]:
    """Keep what was learned of the champion while nobody waits for a word."""
    if tick.measurements:
        ledger.append(tick.lock, _minutes(tick), judge=_json(tick.state))
    return {"learned": len(tick.measurements)}


def _judge(ledger: Ledger, tick: Tick) -> tuple[Decision, Lock]:
    """Decide and record it, all or nothing; return the lock as it then is."""
    policy, lock, now = tick.policy, tick.lock, tick.now
    verdict = judge.verdict(policy, tick.state, now)
    ringing = Alarms(lock.endpoint).ringing(lock.challenger)
    missing = judge.lacking(policy, tick.state, now)
    decision = decide(lock, policy, verdict, ringing, now, missing)
    if tick.trouble is not None:
        decision = replace(decision, reasons=(*decision.reasons, tick.trouble))
    changes: dict[str, Any] = {"judge": _json(tick.state), "gate": decision.gate}
    if decision.outcome == "pause":
        changes |= {"phase": "paused", "pause_until": now + policy.pause_seconds}
    # Before the first step there is no weight whose lease could end; an abort wants it to.
    if decision.outcome != "abort" and lock.step >= 0:
        changes["lease_until"] = now + LEASE_SECONDS
    records = [*_minutes(tick), _decided(tick, verdict, decision)]
    ledger.append(lock, records, **changes)
    return decision, replace(lock, seq=lock.seq + len(records), **changes)


def _minutes(tick: Tick) -> list[Record]:
    return [
        _record(tick, offset, "measured", f"minute {measurement.minute}", measurement.to_dict())
        for offset, measurement in enumerate(tick.measurements)
    ]


def _decided(tick: Tick, verdict: Verdict, decision: Decision) -> Record:
    """Return what was decided, beside the verdict itself, which can be recomputed from minutes."""
    body = {
        "outcome": decision.outcome,
        "verdict": verdict.to_dict(),
        "evidence": dict(verdict.evidence),
    }
    return _record(tick, len(tick.measurements), "decided", "; ".join(decision.reasons), body)


def _record(tick: Tick, offset: int, kind: Kind, reason: str, body: dict[str, Any]) -> Record:
    lock = tick.lock
    weight = tick.policy.plan()[lock.step].weight if lock.moved else 0
    return Record(
        seq=lock.seq + offset,
        at=tick.now,
        kind=kind,
        actor="judge",
        step=lock.step,
        weights=weights(lock.champion, lock.challenger, weight, lock.others),
        reason=reason,
        body=body,
    )


def _tell(ledger: Ledger, lock: Lock, token: str, decision: Decision, now: float) -> None:
    """Say it to the execution that waits; one that no longer does drives nothing any more."""
    if decision.outcome == "advance":
        # Nobody hears it when a duplicate of this tick was faster.
        Bakes().succeed(token)
        with contextlib.suppress(LedgerConflict):
            ledger.append(lock, [], token=None)
    elif decision.outcome == "abort":
        if not Bakes().fail(token, JUDGED_WORSE, "; ".join(decision.reasons)):
            _end(ledger, lock, "; ".join(decision.reasons), now)
    elif not Bakes().heartbeat(token):
        _end(ledger, lock, "the execution no longer waits", now)


def _end(ledger: Ledger, lock: Lock, why: str, now: float) -> None:
    """Stop the rollout in the ledger: the watchdog brings its weights home."""
    record = Record(
        seq=lock.seq,
        at=now,
        kind="acted",
        actor="judge",
        step=lock.step,
        weights={},
        reason=why,
        body={},
    )
    with contextlib.suppress(LedgerConflict):
        ledger.append(lock, [record], phase="aborting", reason=f"judge: {why}")


def _json(state: State) -> str:
    return canonical(state.to_dict())
