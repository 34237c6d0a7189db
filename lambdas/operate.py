"""Operate: carry out a person's order to pause, resume or approve the rollout under way."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from lambdas.aws import Ledger, LedgerConflict
from lambdas.event import epoch
from lambdas.setting import setting
from steelyard.rollout.decide import utc
from steelyard.rollout.ledger import UNDER_WAY, Lock, Record
from steelyard.rollout.policy import Policy

# The judge writes the same lock each minute: an order that meets it is given again.
ATTEMPTS = 5


class Refused(Exception):
    """The order cannot be carried out now; the message says why and what can be done."""


@dataclass(frozen=True)
class Effect:
    """What an order changes in the lock, and the sentence that says so."""

    said: str
    changes: Mapping[str, Any]


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """
    Carry out `event["order"]`, one of pause, resume and approve, and record who gave it and why.

    Returns `done`, and in `said` what happened, or why the order was refused. Abort and revert are
    not among the orders: they go to the rollback Lambda, which needs nothing of this.
    """
    ledger = Ledger(setting("LEDGER"), setting("ENDPOINT"))
    try:
        order = ORDERS.get(event["order"])
        if order is None:
            raise Refused(f"order is {event['order']!r}: give one of {', '.join(ORDERS)}")
        for _ in range(ATTEMPTS):
            lock = _under_way(ledger, event.get("rollout"))
            effect = order(lock, epoch(event["now"]))
            try:
                ledger.append(lock, [_record(lock, event, effect)], **effect.changes)
            except LedgerConflict:
                continue
            return {"done": True, "rollout": lock.rollout, "said": effect.said}
        raise Refused("others wrote the ledger at every attempt: give the order again")
    except Refused as refusal:
        return {"done": False, "said": str(refusal)}


def _under_way(ledger: Ledger, rollout: str | None) -> Lock:
    lock = ledger.read()
    if lock is None or lock.phase not in UNDER_WAY:
        last = (
            "there was none yet" if lock is None else f"the last, {lock.rollout}, is {lock.phase}"
        )
        raise Refused(f"no rollout of {setting('ENDPOINT')} is under way: {last}")
    if rollout is not None and lock.rollout != rollout:
        raise Refused(
            f"rollout is {rollout!r}, under way is {lock.rollout}: name that one, or none"
        )
    return lock


def _pause(lock: Lock, now: float) -> Effect:
    policy = _policy(lock)
    if lock.phase == "paused":
        raise Refused(f"rollout {lock.rollout} is paused already{_until(lock)}: resume it")
    if policy.pause_seconds == 0:
        raise Refused("the policy gives a pause 0 s: set rollout.pause in the endpoint file")
    if lock.step == len(policy.steps) and lock.since is not None and lock.token is None:
        raise Refused(f"the soak of {lock.challenger} is over, it is being released: revert it")
    until = now + policy.pause_seconds
    said = f"paused at {_place(lock)}: it is aborted at {utc(until)} unless somebody resumes it"
    return Effect(said, {"phase": "paused", "pause_until": until})


def _resume(lock: Lock, now: float) -> Effect:
    if lock.phase != "paused":
        raise Refused(f"rollout {lock.rollout} is not paused: there is nothing to resume")
    changes: dict[str, Any] = {"phase": "progressing", "pause_until": None}
    if lock.since is not None:
        return Effect(
            f"resumed at {_place(lock)}, whose bake begins anew; the evidence is kept",
            changes | {"since": now, "gate": None},
        )
    # Its weights are not in force yet: the patience with the platform begins anew instead.
    return Effect(f"resumed at {_place(lock)}", changes | {"asked_at": now})


def _approve(lock: Lock, _now: float) -> Effect:
    what = _awaited(lock)
    if what is None:
        raise Refused(
            f"rollout {lock.rollout} at {_place(lock)} waits for nobody's approval: "
            "a gate of rollout.confirm does, or a step that was paused"
        )
    approved = {"approved": tuple(dict.fromkeys((*lock.approved, what)))}
    if what == lock.gate:
        return Effect(f"the {what} is approved", approved)
    said = f"step {what} is approved as it is, and advances if its data are fresh"
    return Effect(said, approved | {"phase": "progressing", "pause_until": None})


ORDERS: Mapping[str, Callable[[Lock, float], Effect]] = {
    "pause": _pause,
    "resume": _resume,
    "approve": _approve,
}


def _awaited(lock: Lock) -> str | None:
    """Return what an approval is for: the gate that waits, else the step that was paused."""
    if lock.gate is not None and lock.gate not in lock.approved:
        return lock.gate
    if lock.phase == "paused" and lock.step >= 0:
        return str(lock.step)
    return None


def _record(lock: Lock, event: Mapping[str, Any], effect: Effect) -> Record:
    return Record(
        seq=lock.seq,
        at=epoch(event["now"]),
        kind="acted",
        actor="operator",
        step=lock.step,
        weights={},
        reason=str(event.get("reason", "no reason given")),
        body={"order": event["order"], "by": str(event["actor"]), "done": effect.said},
    )


def _place(lock: Lock) -> str:
    return f"step {lock.step}" if lock.step >= 0 else "the start"


def _until(lock: Lock) -> str:
    return f" until {utc(lock.pause_until)}" if lock.pause_until is not None else ""


def _policy(lock: Lock) -> Policy:
    return Policy.from_dict(json.loads(lock.policy))
