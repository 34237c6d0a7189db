"""Rollback: bring all traffic home to the champion. It can do nothing else."""

import contextlib
from typing import Any

from lambdas.aws import (
    Bakes,
    Endpoint,
    EndpointBusy,
    Ledger,
    LedgerConflict,
    LedgerUnreachable,
    Topic,
    is_home,
    live_weights,
)
from lambdas.event import Cause, cause_of
from lambdas.setting import setting
from steelyard.rollout.ledger import Lock, Record
from steelyard.rollout.weights import home

# The mark in the ledger may not delay the weights: reaching it is tried for this long at most.
MARK_SECONDS = 1.0


class ChampionUnknown(Exception):
    """Nobody could say which variant is the champion, so no traffic was moved: a person must."""


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """
    Mark the rollout as aborting, send all weight to its champion, end the waiting bake.

    A rollout that has asked for no weight yet has nothing to bring home, and no weight is changed:
    Preflight may have refused just because the champion it was given does not serve.

    Any number of deliveries changes nothing more. Returns `home`, whether nothing is left to bring
    home: the weights are in force, or the event does not concern the rollout in progress. Raises
    EndpointBusy while the endpoint refuses a change and LedgerUnreachable when the rollout could
    not be marked, so that whoever called tries again.
    """
    cause = cause_of(event)
    if cause is None:
        return _ignored("the alarm is not in ALARM")
    endpoint = Endpoint(setting("ENDPOINT"))
    try:
        ledger = Ledger(setting("LEDGER"), endpoint.name, patience_seconds=MARK_SECONDS)
        lock, stopped = ledger.mark_aborting(cause.condition)
    except LedgerUnreachable as unreachable:
        return _blind(endpoint, cause, unreachable)
    if lock is None or not _concerns(cause, lock):
        return _ignored(f"no rollout in progress is concerned: {cause.reason}")
    if lock.step < 0:
        return _unmoved(endpoint, lock, cause)
    goal = home(lock.champion, (lock.challenger, *lock.others))
    if stopped:
        return _first(endpoint, lock, cause, goal)
    return _again(endpoint, lock, cause, goal)


def _ignored(why: str) -> dict[str, Any]:
    # Home is True: the state machine must not wait for a rollout that was promoted after all.
    return {"home": True, "ignored": why}


def _concerns(cause: Cause, lock: Lock) -> bool:
    return lock.phase in ("aborting", "aborted") and all(
        getattr(lock, name) == value for name, value in cause.condition.items()
    )


def _unmoved(endpoint: Endpoint, lock: Lock, cause: Cause) -> dict[str, Any]:
    if lock.phase == "aborting":
        _record(lock, cause, {}, "no weight was asked for", phase="aborted")
        Topic(setting("TOPIC")).tell(f"{endpoint.name}: rollout aborted", cause.reason)
    return {"home": True, "reason": _first_reason(lock, cause.reason)}


def _first(endpoint: Endpoint, lock: Lock, cause: Cause, goal: dict[str, int]) -> dict[str, Any]:
    """Send the weights before anything else is said or written."""
    refused: EndpointBusy | None = None
    try:
        endpoint.shift(goal)
    except EndpointBusy as busy:
        refused = busy
    # The way home does not wait for its record; a conflict means that another delivery wrote it.
    with contextlib.suppress(LedgerConflict, LedgerUnreachable):
        _record(lock, cause, goal, "weights asked for" if refused is None else str(refused))
    if lock.token is not None:
        Bakes().fail(lock.token, "Aborted", cause.reason)
    Topic(setting("TOPIC")).tell(f"{endpoint.name}: rollout aborted", cause.reason)
    if refused is not None:
        raise refused
    return {"home": False, "reason": cause.reason}


def _again(endpoint: Endpoint, lock: Lock, cause: Cause, goal: dict[str, int]) -> dict[str, Any]:
    """Finish what an earlier delivery began; the state machine calls until weights are home."""
    description = endpoint.describe()
    if is_home(description, lock.champion):
        if lock.phase == "aborting":
            _record(lock, cause, goal, "weights are home", phase="aborted")
        return {"home": True, "reason": _first_reason(lock, cause.reason)}
    if description["EndpointStatus"] != "InService":
        raise EndpointBusy(f"{endpoint.name} is {description['EndpointStatus']}")
    endpoint.shift(goal)
    return {"home": False, "reason": cause.reason}


def _blind(endpoint: Endpoint, cause: Cause, unreachable: LedgerUnreachable) -> dict[str, Any]:
    """
    Without the ledger, trust the environment's champion only while it serves.

    After a promotion the environment still names the previous champion until the next deploy:
    its weight is 0 then, and moving traffic to it could be the very harm to be averted.
    """
    champion = setting("CHAMPION")
    if cause.condition.get("challenger") == champion:
        return _ignored(f"the champion itself is concerned: {cause.reason}")
    description = endpoint.describe()
    live = live_weights(description)
    if live.get(champion, 0) == 0:
        message = f"{champion} has no weight and the ledger cannot say who the champion is"
        Topic(setting("TOPIC")).tell(f"{endpoint.name}: rollback needs a person", message)
        raise ChampionUnknown(f"{message}: {unreachable}") from unreachable
    if not is_home(description, champion):
        endpoint.shift(home(champion, live))
    # Until the rollout is marked, it goes on: somebody must come again.
    raise LedgerUnreachable(f"all weight was sent to {champion}, but no rollout was marked") from (
        unreachable
    )


def _record(lock: Lock, cause: Cause, goal: dict[str, int], done: str, **changes: Any) -> None:
    """Write what was done; raises LedgerConflict when another delivery was faster."""
    reason = f"{cause.actor}: {cause.reason}"
    record = Record(
        seq=lock.seq,
        at=cause.at,
        kind="acted",
        actor="rollback",
        step=lock.step,
        weights=goal,
        reason=reason,
        body={"done": done},
    )
    Ledger(setting("LEDGER"), lock.endpoint).append(
        lock, [record], reason=_first_reason(lock, reason), **changes
    )


def _first_reason(lock: Lock, reason: str) -> str:
    return reason if lock.reason is None else lock.reason
