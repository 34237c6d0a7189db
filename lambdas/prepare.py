"""Prepare: hold the scaling, and give the challenger its instances while it has no weight."""

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from lambdas.aws import Endpoint, EndpointBusy, Ledger, Scaling, Target
from lambdas.aws.scaling import SCALE_IN, WHOLE
from lambdas.event import epoch
from lambdas.setting import setting
from steelyard.rollout.capacity import Counts, above_maximum, needed
from steelyard.rollout.ledger import UNDER_WAY, Lock, Record
from steelyard.rollout.policy import Policy
from steelyard.rollout.watch import IN_FLIGHT_SECONDS

# Instances take minutes to start; those that have not after this long never become healthy.
PATIENCE_SECONDS = 1800


class RolloutEnded(Exception):
    """The rollout no longer holds the endpoint, so nothing is prepared for it."""


class NotPrepared(Exception):
    """The challenger cannot get what its last step needs; the message says why."""


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """
    Hold the scaling of both variants, then ask for the challenger's instances.

    The state machine calls again until `prepared`; a repeated event changes nothing more. Raises
    RolloutEnded and NotPrepared; whichever way the rollout ends, the watchdog lets scaling go.
    """
    now = epoch(event["now"])
    ledger = Ledger(setting("LEDGER"), setting("ENDPOINT"))
    lock = ledger.read()
    if (
        lock is None
        or lock.phase not in UNDER_WAY
        or (lock.rollout, lock.generation) != (event["rollout"], event["generation"])
    ):
        raise RolloutEnded(f"rollout {event['rollout']} is not under way any more")
    if lock.kind == "shadow":
        # Copies are no client's traffic: no weight moves, so scaling holds up nothing.
        return {"prepared": True}
    scaling = Scaling(lock.endpoint)
    targets = scaling.targets([lock.champion, lock.challenger])
    lock = _hold(ledger, lock, now, scaling, targets)
    is_provided = _provide(ledger, lock, now, targets.get(lock.challenger))
    return {"prepared": is_provided and _stays_held(lock, now)}


def _hold(
    ledger: Ledger, lock: Lock, now: float, scaling: Scaling, targets: Mapping[str, Target]
) -> Lock:
    """Suspend what scales of both variants; return the lock that names them."""
    held = _held(lock)
    free = [name for name, found in targets.items() if not held[name] <= found.suspended]
    # Written before the calls: whoever lets scaling go again knows of them beforehand.
    if new := set(free) - set(lock.suspended):
        names = tuple(sorted({*lock.suspended, *new}))
        reason = f"scaling of {', '.join(sorted(new))} is held"
        lock = _record(ledger, lock, now, reason, suspended=names)
    for variant in free:
        scaling.hold(variant, held[variant])
    return lock


def _held(lock: Lock) -> dict[str, frozenset[str]]:
    """Return what of each variant's scaling must be suspended."""
    conduct = Policy.from_dict(json.loads(lock.policy)).conduct
    allowed = conduct.champion_scale_out == "allow"
    return {lock.champion: SCALE_IN if allowed else WHOLE, lock.challenger: WHOLE}


def _stays_held(lock: Lock, now: float) -> bool:
    """Say whether nobody can let scaling go any more who looked before this rollout began."""
    return not lock.suspended or now - lock.began_at >= IN_FLIGHT_SECONDS


def _provide(ledger: Ledger, lock: Lock, now: float, target: Target | None) -> bool:
    """Ask for the challenger's instances unless they are there; say whether they are."""
    endpoint = Endpoint(lock.endpoint)
    description = endpoint.describe()
    if description["EndpointConfigName"] != lock.config:
        raise NotPrepared(
            f"{lock.endpoint} runs on {description['EndpointConfigName']}, "
            f"the rollout began on {lock.config}: start it again"
        )
    counts = Counts.from_description(description)
    instances = json.loads(setting("INSTANCES"))
    wanted = needed(instances, lock.champion, lock.challenger, counts.desired[lock.champion])
    problems = above_maximum(lock.challenger, wanted, target.maximum if target else None)
    if problems:
        raise NotPrepared("; ".join(problems))
    status, current = description["EndpointStatus"], counts.current[lock.challenger]
    if status == "InService" and current >= wanted:
        return True
    if (passed := now - lock.began_at) > PATIENCE_SECONDS:
        raise NotPrepared(
            f"{lock.challenger} has {current} of {wanted} instances and {lock.endpoint} is "
            f"{status} {passed:.0f} s after the rollout began, limit {PATIENCE_SECONDS} s: "
            f"see in its log why its container does not become healthy"
        )
    if status == "InService":
        _ask(ledger, lock, now, endpoint, wanted)
    return False


def _ask(ledger: Ledger, lock: Lock, now: float, endpoint: Endpoint, wanted: int) -> None:
    _record(ledger, lock, now, f"asking for {wanted} instances of {lock.challenger}")
    try:
        endpoint.scale(lock.challenger, wanted)
    except EndpointBusy:
        return


def _record(ledger: Ledger, lock: Lock, now: float, reason: str, **changes: Any) -> Lock:
    record = Record(
        seq=lock.seq,
        at=now,
        kind="acted",
        actor="prepare",
        step=lock.step,
        weights={},
        reason=reason,
        body={},
    )
    ledger.append(lock, [record], **changes)
    return replace(lock, seq=lock.seq + 1, **changes)
