"""Preflight: refuse a rollout on an endpoint that is not as a rollout must find it."""

import datetime
import json
from collections.abc import Mapping
from typing import Any

from lambdas.aws import Alarms, Endpoint, Ledger, Load, Scaling, live_weights
from lambdas.event import epoch
from lambdas.setting import is_set, setting
from steelyard.rollout.capacity import Counts, above_maximum, needed, without_headroom
from steelyard.rollout.ledger import ACTIVE, UNDER_WAY, Lock, Record
from steelyard.rollout.policy import Policy
from steelyard.rollout.shadow import hindrances


class NotReady(Exception):
    """The endpoint is not as a rollout must find it; the message says everything that is wrong."""


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """
    Check the endpoint for the rollout that holds the lock, and record that it is ready.

    With `dry_run`, check it for a rollout that could begin now and write nothing. Raises NotReady.
    """
    now = epoch(event["now"])
    ledger = Ledger(setting("LEDGER"), setting("ENDPOINT"))
    dry_run = event.get("dry_run") is True
    lock, problems = _imagined(ledger, now) if dry_run else (_held(ledger, event), [])
    description = Endpoint(lock.endpoint).describe()
    problems += shortcomings(description, lock)
    problems += _of_the_time(lock, now)
    if lock.kind == "rollout":
        problems += _of_capacity(description, lock, now)
    problems += _unproved(lock)
    if problems:
        raise NotReady(f"{lock.endpoint} is not ready: {'; '.join(problems)}")
    if not dry_run:
        ledger.append(lock, [_record(lock, now, description)])
    return {"ready": True}


def _held(ledger: Ledger, event: Mapping[str, Any]) -> Lock:
    """Return the lock that the event's rollout holds."""
    lock = ledger.read()
    if (
        lock is None
        or lock.phase not in UNDER_WAY
        or (lock.rollout, lock.generation) != (event["rollout"], event["generation"])
    ):
        raise NotReady(
            f"rollout {event['rollout']} does not hold the lock of {setting('ENDPOINT')}"
        )
    return lock


def _imagined(ledger: Ledger, now: float) -> tuple[Lock, list[str]]:
    """Return the lock that a rollout would take now, and what keeps it from that."""
    if not is_set("CHALLENGER"):
        raise NotReady(
            f"{setting('ENDPOINT')} was deployed without a challenger: "
            f"give a variant of its file this role and deploy"
        )
    champion, challenger = setting("CHAMPION"), setting("CHALLENGER")
    held = ledger.read()
    lock = Lock(
        endpoint=setting("ENDPOINT"),
        rollout="",
        generation=0,
        phase="progressing",
        champion=champion,
        challenger=challenger,
        others=tuple(sorted(set(setting("VARIANTS").split(",")) - {champion, challenger})),
        policy=setting("POLICY"),
        seq=0,
        began_at=now,
        kind="shadow" if is_set("SHADOW") else "rollout",
        passed=held.passed if held is not None else None,
    )
    return lock, _taken(ledger, held, now)


def _taken(ledger: Ledger, held: Lock | None, now: float) -> list[str]:
    """Return a sentence for each thing that holds the endpoint now."""
    problems, claim = [], ledger.claimed()
    if held is not None and held.phase in ACTIVE:
        problems.append(f"rollout {held.rollout} is {held.phase}: wait until it ends, or abort it")
    elif held is not None and held.suspended:
        problems.append(f"scaling of {', '.join(held.suspended)} is still held: wait a minute")
    if claim is not None and claim.until > now:
        problems.append(
            f"a deploy of {claim.stack} holds rollouts off until {_iso(claim.until)} at the "
            f"latest: wait until it has ended"
        )
    return problems


def shortcomings(description: dict[str, Any], lock: Lock) -> list[str]:
    """Return a sentence for each thing about the endpoint that forbids a start."""
    problems = []
    if description["EndpointStatus"] != "InService":
        problems.append(f"its status is {description['EndpointStatus']}, not InService")
    live = live_weights(description)
    known = {lock.champion, *lock.others}
    if lock.kind == "shadow":
        problems += hindrances(description, lock.champion, lock.challenger)
    else:
        known.add(lock.challenger)
    if set(live) != known:
        problems.append(
            f"its variants are {', '.join(sorted(live))}, the file names {', '.join(sorted(known))}"
        )
    problems += [
        f"{variant} has weight {weight:g} before the rollout has begun: only the champion "
        f"{lock.champion} may have any"
        for variant, weight in sorted(live.items())
        if variant != lock.champion and weight != 0
    ]
    if live.get(lock.champion, 0) == 0:
        problems.append(f"the champion {lock.champion} has no weight")
    return problems


def _unproved(lock: Lock) -> list[str]:
    """Return why the challenger may not serve yet, where the policy asks for a shadow run."""
    if not is_set("PASSED") or lock.passed == setting("PASSED"):
        return []
    return [
        f"rollout.shadow.required: asked for is a shadow run that passed, {setting('PASSED')}; "
        f"the ledger holds {lock.passed or 'none'}: give {lock.challenger} the role shadow, "
        f"deploy, start the run, and deploy it as challenger when it has passed"
    ]


def _of_the_time(lock: Lock, now: float) -> list[str]:
    """Return a sentence for each thing that forbids a start just now."""
    ringing = Alarms(lock.endpoint).ringing(lock.challenger)
    problems = [f"alarm {name} is ringing" for name in ringing]
    until = _policy(lock).conduct.frozen_until(now)
    if until is not None:
        problems.append(f"no weight is raised before {_iso(until)}: rollout.freeze says so")
    return problems


def _of_capacity(description: dict[str, Any], lock: Lock, now: float) -> list[str]:
    """Return a sentence for each thing about instances and scaling that forbids a start."""
    scaling, conduct = Scaling(lock.endpoint), _policy(lock).conduct
    targets, problems = scaling.targets([lock.champion, lock.challenger]), []
    champion, challenger = targets.get(lock.champion), targets.get(lock.challenger)
    count = Counts.from_description(description).desired.get(lock.champion, 0)
    wanted = needed(json.loads(setting("INSTANCES")), lock.champion, lock.challenger, count)
    problems += above_maximum(lock.challenger, wanted, challenger.maximum if challenger else None)
    if champion is not None and conduct.champion_scale_out == "hold":
        highest = Load(lock.endpoint).highest(lock.champion, now)
        target = scaling.requests_per_instance(lock.champion)
        problems += without_headroom(lock.champion, highest, target, conduct.headroom)
    return problems


def _policy(lock: Lock) -> Policy:
    return Policy.from_dict(json.loads(lock.policy))


def _iso(at: float) -> str:
    return datetime.datetime.fromtimestamp(at, datetime.UTC).isoformat(timespec="minutes")


def _record(lock: Lock, now: float, description: dict[str, Any]) -> Record:
    return Record(
        seq=lock.seq,
        at=now,
        kind="acted",
        actor="preflight",
        step=lock.step,
        weights={name: int(weight) for name, weight in live_weights(description).items()},
        reason="the endpoint is in service and all traffic is the champion's",
        body={"config": lock.config},
    )
