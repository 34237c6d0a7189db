"""Release: the challenger has become champion, or its shadow run has passed; the lock is free."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from lambdas.aws import Endpoint, Ledger, Topic, is_settled
from lambdas.event import epoch
from lambdas.setting import setting
from steelyard.rollout.decide import unapproved
from steelyard.rollout.ledger import UNDER_WAY, Lock, Phase, Record
from steelyard.rollout.policy import Policy
from steelyard.rollout.shadow import STEP, evidence, hindrances
from steelyard.rollout.weights import home, weights


class NotPromoted(Exception):
    """The rollout was stopped, nobody approved it, or the endpoint is not as it must be now."""


@dataclass(frozen=True)
class End:
    """How it ends well: phase, weights in force, the sentence, what else the lock keeps of it."""

    phase: Phase
    weights: Mapping[str, int]
    reason: str
    changes: Mapping[str, Any] = field(default_factory=dict)


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """
    Record the promotion, or what a shadow run has shown, and give the lock back.

    After a promotion the previous champion stays warm at weight 0; a shadow run moved nothing.
    Raises NotPromoted.
    """
    ledger = Ledger(setting("LEDGER"), setting("ENDPOINT"))
    lock = ledger.read()
    if (
        lock is None
        or lock.rollout != event["rollout"]
        or lock.generation != int(event["generation"])
    ):
        raise NotPromoted(f"rollout {event['rollout']} does not hold the lock")
    if lock.phase in ("promoted", "passed"):
        return {}
    end = _passed(lock) if lock.kind == "shadow" else _promoted(lock)
    record = Record(
        seq=lock.seq,
        at=epoch(event["now"]),
        kind="acted",
        actor="release",
        step=lock.step,
        weights=end.weights,
        reason=end.reason,
        body={"phase": end.phase, **end.changes},
    )
    ledger.append(lock, [record], phase=end.phase, reason=end.reason, **end.changes)
    Topic(setting("TOPIC")).tell(f"{lock.endpoint}: {end.phase}", end.reason)
    return {}


def _promoted(lock: Lock) -> End:
    """Return the end of a rollout whose challenger serves everything."""
    full = weights(lock.champion, lock.challenger, 100, lock.others)
    # A pause that came after the soak was over finds nothing left to hold: no weight rises.
    if lock.phase not in UNDER_WAY or not is_settled(Endpoint(lock.endpoint).describe(), full):
        raise NotPromoted(f"rollout {lock.rollout} is {lock.phase} and its weights are not {full}")
    policy = Policy.from_dict(json.loads(lock.policy))
    if lock.step != len(policy.steps) or unapproved(lock, policy, lock.step) is not None:
        raise NotPromoted(f"rollout {lock.rollout} is at step {lock.step}, or nobody approved it")
    reason = f"{lock.challenger} is promoted; {lock.champion} stays warm at weight 0"
    return End("promoted", full, reason)


def _passed(lock: Lock) -> End:
    """Return the end of a shadow run that is as it was when it was judged."""
    wrong = hindrances(Endpoint(lock.endpoint).describe(), lock.champion, lock.challenger)
    if lock.phase not in UNDER_WAY or lock.step != STEP or lock.since is None:
        wrong.append(f"it is {lock.phase} at step {lock.step}")
    if wrong:
        raise NotPromoted(f"shadow run {lock.rollout} has not passed: {'; '.join(wrong)}")
    policy = Policy.from_dict(json.loads(lock.policy))
    passed = evidence(lock.champion, lock.challenger, policy.digest())
    reason = f"{lock.challenger} passed its shadow run; {lock.champion} serves as before"
    return End(
        "passed",
        home(lock.champion, (lock.challenger, *lock.others)),
        reason,
        {"passed": passed},
    )
