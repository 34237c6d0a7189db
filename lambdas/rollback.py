"""Rollback: bring all traffic home to the champion. It can do nothing else."""

import contextlib
from typing import Any

from lambdas.aws import (
    Bakes,
    Endpoint,
    EndpointBusy,
    EndpointGone,
    EndpointRefused,
    Ledger,
    LedgerConflict,
    LedgerUnreachable,
    Topic,
    is_home,
    live_weights,
)
from lambdas.event import Cause, cause_of
from lambdas.setting import setting
from steelyard.rollout.ledger import UNDER_WAY, Lock, Phase, Record
from steelyard.rollout.live import Live, serves_alone
from steelyard.rollout.watch import bring_home
from steelyard.rollout.weights import home

# The mark in the ledger may not delay the weights: reaching it is tried for this long at most.
MARK_SECONDS = 1.0


class ChampionUnknown(Exception):
    """Nobody could say which variant is the champion, so no traffic was moved: a person must."""


class NotReverted(Exception):
    """The promotion cannot be taken back; the message says why."""


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """
    Mark the rollout as aborting, send all weight to its champion, end the waiting bake.

    A rollout that has asked for no weight yet has nothing to bring home, and no weight is changed:
    Preflight may have refused just because the champion it was given does not serve. A promoted
    rollout is left alone unless the event asks to revert it.

    Any number of deliveries changes nothing more. Returns `home`, whether nothing is left to bring
    home: the weights are in force and stayed there, or the event does not concern the rollout in
    progress. Raises EndpointBusy while the endpoint refuses a change, EndpointRefused when the
    call was not taken and LedgerUnreachable when the rollout could not be marked, so that whoever
    called tries again; NotReverted for a revert that is not possible.
    """
    cause = cause_of(event)
    if cause is None:
        return _ignored("nothing failed")
    endpoint = Endpoint(setting("ENDPOINT"))
    ledger = Ledger(setting("LEDGER"), endpoint.name, patience_seconds=MARK_SECONDS)
    phases: tuple[Phase, ...] = UNDER_WAY
    if cause.revert:
        _check_revert(endpoint, ledger.read(), cause)
        phases = ("promoted",)
    try:
        lock, stopped = ledger.mark_aborting(cause.condition, cause.begun_by, phases)
    except LedgerUnreachable as unreachable:
        return _blind(endpoint, cause, unreachable)
    if lock is None or not _concerns(cause, lock):
        return _ignored(f"no rollout in progress is concerned: {cause.reason}")
    if stopped:
        return _first(endpoint, lock, cause)
    try:
        # An alarm's or a rule's time is when it was sent: too old to say how long weights are home.
        return _again(endpoint, lock, cause, is_fresh="now" in event)
    finally:
        # Whoever came first may have died before it could say so.
        _end_bake(lock, cause)


def _ignored(why: str) -> dict[str, Any]:
    # Home is True: the state machine must not wait for a rollout that was promoted after all.
    return {"home": True, "ignored": why}


def _concerns(cause: Cause, lock: Lock) -> bool:
    return (
        lock.phase in ("aborting", "aborted")
        and all(getattr(lock, name) == value for name, value in cause.condition.items())
        and (cause.begun_by is None or lock.began_at <= cause.begun_by)
    )


def _check_revert(endpoint: Endpoint, lock: Lock | None, cause: Cause) -> None:
    """Refuse a revert that has nowhere to go: no weight may be given to what does not run."""
    rollout = cause.condition["rollout"]
    if lock is None or lock.rollout != rollout:
        newest = "there was none" if lock is None else f"it is {lock.rollout}"
        raise NotReverted(f"{rollout} is not the newest rollout of {endpoint.name}: {newest}")
    if lock.phase in UNDER_WAY:
        raise NotReverted(f"rollout {rollout} is {lock.phase}, not promoted: abort it instead")
    running = {
        variant["VariantName"]
        for variant in endpoint.describe()["ProductionVariants"]
        if variant["CurrentInstanceCount"] > 0
    }
    if lock.champion not in running:
        raise NotReverted(
            f"{lock.champion} has no instance any more, {', '.join(sorted(running))} have: "
            f"deploy it again and start a rollout with it as challenger"
        )


def _first(endpoint: Endpoint, lock: Lock, cause: Cause) -> dict[str, Any]:
    """Send the weights before anything else is said or written."""
    moved = lock.moved
    refused = _send(endpoint, lock) if moved else None
    done = "weights asked for" if moved else "no weight was asked for"
    # The way home does not wait for its record; a conflict means that another delivery wrote it.
    with contextlib.suppress(LedgerConflict, LedgerUnreachable):
        _record(lock, cause, done if refused is None else str(refused), reason=_said(cause))
    try:
        _end_bake(lock, cause)
    finally:
        what = "rollout reverted" if cause.revert else "rollout aborted"
        Topic(setting("TOPIC")).tell(f"{endpoint.name}: {what}", cause.reason)
    if refused is not None:
        raise refused
    return {"home": False, "reason": cause.reason}


def _send(endpoint: Endpoint, lock: Lock) -> EndpointRefused | None:
    """Ask for the weights; return why SageMaker did not take them, None when it did."""
    try:
        endpoint.shift(home(lock.champion, (lock.challenger, *lock.others)))
    except (EndpointBusy, EndpointGone) as refused:
        return refused
    except EndpointRefused as refused:
        # A deploy may have taken a variant away, or its answer was lost: look, and ask once more.
        try:
            description = endpoint.describe()
            if description["EndpointStatus"] == "InService":
                endpoint.shift(home(lock.champion, live_weights(description)))
                return None
        except EndpointRefused as again:
            return again
        return refused
    return None


def _again(endpoint: Endpoint, lock: Lock, cause: Cause, is_fresh: bool) -> dict[str, Any]:
    """Finish what an earlier delivery began; the state machine calls until weights are home."""
    live, reason = _look(endpoint), lock.reason or _said(cause)
    if lock.moved and live is not None and not _is_home(lock, live):
        if live.status != "InService":
            raise EndpointBusy(f"{endpoint.name} is {live.status}")
        endpoint.shift(home(lock.champion, live.weights))
        return {"home": False, "reason": reason}
    if lock.phase == "aborting":
        action = bring_home(lock, live, cause.at)
        if action.deed == "note" and is_fresh:
            _record(lock, cause, action.reason, **action.changes)
        if action.deed != "end":
            return {"home": False, "reason": reason}
        _record(lock, cause, action.reason, phase="aborted", reason=reason, token=None)
        Topic(setting("TOPIC")).tell(f"{endpoint.name}: rollout has ended", action.reason)
    return {"home": True, "reason": reason}


def _end_bake(lock: Lock, cause: Cause) -> None:
    if lock.phase == "aborting" and lock.token is not None:
        Bakes().fail(lock.token, "Aborted", cause.reason)


def _is_home(lock: Lock, live: Live) -> bool:
    # A rollout that has ended asked for nothing that could still be under way.
    is_still = live.is_still or lock.phase == "aborted"
    return is_still and serves_alone(live.weights, lock.champion)


def _look(endpoint: Endpoint) -> Live | None:
    try:
        return Live.from_description(endpoint.describe())
    except EndpointGone:
        return None


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


def _record(lock: Lock, cause: Cause, done: str, **changes: Any) -> None:
    """Write what was done; raises LedgerConflict when another delivery was faster."""
    moved = lock.moved
    record = Record(
        seq=lock.seq,
        at=cause.at,
        kind="acted",
        actor="rollback",
        step=lock.step,
        weights=home(lock.champion, (lock.challenger, *lock.others)) if moved else {},
        reason=_said(cause),
        body={"done": done},
    )
    Ledger(setting("LEDGER"), lock.endpoint).append(lock, [record], **changes)


def _said(cause: Cause) -> str:
    return f"{cause.actor}: {cause.reason}"
