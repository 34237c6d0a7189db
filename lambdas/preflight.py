"""Preflight: refuse a rollout on an endpoint that is not as a rollout must find it."""

from typing import Any

from lambdas.aws import Alarms, Endpoint, Ledger, live_weights
from lambdas.event import epoch
from lambdas.setting import setting
from steelyard.rollout.ledger import Lock, Record


class NotReady(Exception):
    """The endpoint is not as a rollout must find it; the message says everything that is wrong."""


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Check the endpoint for the rollout that holds the lock, and record that it is ready."""
    ledger = Ledger(setting("LEDGER"), setting("ENDPOINT"))
    lock = ledger.read()
    if lock is None or lock.rollout != event["rollout"] or lock.phase != "progressing":
        raise NotReady(
            f"rollout {event['rollout']} does not hold the lock of {setting('ENDPOINT')}"
        )
    description = Endpoint(lock.endpoint).describe()
    problems = shortcomings(description, lock)
    problems += [
        f"alarm {name} is ringing" for name in Alarms(lock.endpoint).ringing(lock.challenger)
    ]
    if problems:
        raise NotReady(f"{lock.endpoint} is not ready: {'; '.join(problems)}")
    record = Record(
        seq=lock.seq,
        at=epoch(event["now"]),
        kind="acted",
        actor="preflight",
        step=lock.step,
        weights={name: int(weight) for name, weight in live_weights(description).items()},
        reason="the endpoint is in service and all traffic is the champion's",
        body={"config": lock.config},
    )
    ledger.append(lock, [record])
    return {}


def shortcomings(description: dict[str, Any], lock: Lock) -> list[str]:
    """Return a sentence for each thing that forbids a start."""
    problems = []
    if description["EndpointStatus"] != "InService":
        problems.append(f"its status is {description['EndpointStatus']}, not InService")
    live = live_weights(description)
    known = {lock.champion, lock.challenger, *lock.others}
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
