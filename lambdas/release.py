"""Release: the challenger has become champion; the endpoint is free for the next rollout."""

from typing import Any

from lambdas.aws import Endpoint, Ledger, Topic, is_settled
from lambdas.event import epoch
from lambdas.setting import setting
from steelyard.rollout.ledger import Record
from steelyard.rollout.weights import weights


class NotPromoted(Exception):
    """The rollout was stopped, or the challenger does not serve everything."""


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Record the promotion and give the lock back; the previous champion stays warm at weight 0."""
    ledger = Ledger(setting("LEDGER"), setting("ENDPOINT"))
    lock = ledger.read()
    if lock is None or lock.rollout != event["rollout"]:
        raise NotPromoted(f"rollout {event['rollout']} does not hold the lock")
    if lock.phase == "promoted":
        return {}
    full = weights(lock.champion, lock.challenger, 100, lock.others)
    if lock.phase != "progressing" or not is_settled(Endpoint(lock.endpoint).describe(), full):
        raise NotPromoted(f"rollout {lock.rollout} is {lock.phase} and its weights are not {full}")
    reason = f"{lock.challenger} is promoted; {lock.champion} stays warm at weight 0"
    record = Record(
        seq=lock.seq,
        at=epoch(event["now"]),
        kind="acted",
        actor="release",
        step=lock.step,
        weights=full,
        reason=reason,
        body={},
    )
    ledger.append(lock, [record], phase="promoted", reason=reason)
    Topic(setting("TOPIC")).tell(f"{lock.endpoint}: promoted", reason)
    return {}
