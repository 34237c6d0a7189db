"""SetWeights: ask for a step's weights, and say when they are in force."""

import json
from collections.abc import Mapping
from typing import Any

from lambdas.aws import Alarms, Endpoint, EndpointBusy, Ledger, is_settled
from lambdas.event import epoch
from lambdas.setting import setting
from steelyard.rollout.conduct import LEASE_SECONDS
from steelyard.rollout.decide import unapproved, utc
from steelyard.rollout.ledger import UNDER_WAY, Lock, Record
from steelyard.rollout.policy import Policy
from steelyard.rollout.shadow import hindrances, is_answering
from steelyard.rollout.weights import home, weights

# A change of weights alone takes seconds; scaling under way can hold the endpoint for minutes.
PATIENCE_SECONDS = 1800


class RolloutEnded(Exception):
    """The rollout no longer holds the endpoint, or may not raise a weight."""


class WeightsRefused(Exception):
    """The platform did not take the weights, or the endpoint is no longer the one it was."""


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """
    Ask for the step's weights unless they are already in force; in a shadow run, ask for none.

    The 200 of the call proves nothing, so the state machine calls again until `settled`; each call
    renews the lease. A paused rollout asks for no weight. Raises RolloutEnded and WeightsRefused.
    """
    now, index, weight = epoch(event["now"]), int(event["index"]), int(event["weight"])
    ledger = Ledger(setting("LEDGER"), setting("ENDPOINT"))
    lock = ledger.read()
    if (
        lock is None
        or (lock.rollout, lock.generation) != (event["rollout"], int(event["generation"]))
        or lock.phase not in UNDER_WAY
    ):
        raise RolloutEnded(f"rollout {event['rollout']} is no longer under way")
    _refuse_to_raise(lock, index, now)
    endpoint = Endpoint(lock.endpoint)
    description = endpoint.describe()
    if description["EndpointConfigName"] != lock.config:
        raise WeightsRefused(
            f"{lock.endpoint} runs on {description['EndpointConfigName']}, "
            f"the rollout began on {lock.config}"
        )
    if lock.kind == "shadow":
        return {"settled": _stand(ledger, lock, now, index, description)}
    asked = weights(lock.champion, lock.challenger, weight, lock.others)
    if lock.step == index and is_settled(description, asked):
        settled = _record(lock, now, index, asked, "weights are in force")
        ledger.append(lock, [settled], since=now, token=None, lease_until=now + LEASE_SECONDS)
        return {"settled": True}
    if lock.phase == "paused":
        _wait(ledger, lock, now)
    else:
        _refuse_to_wait(lock, index, now, asked, description["EndpointStatus"])
        _ask(ledger, lock, endpoint, now, index, asked, description["EndpointStatus"])
    return {"settled": False}


def _stand(
    ledger: Ledger, lock: Lock, now: float, index: int, description: Mapping[str, Any]
) -> bool:
    """Open the bake of a shadow run once its shadow variant answers; move nothing."""
    wrong = hindrances(description, lock.champion, lock.challenger)
    if wrong:
        raise WeightsRefused(f"no shadow run on {lock.endpoint}: {'; '.join(wrong)}")
    asked = home(lock.champion, (lock.challenger, *lock.others))
    if is_answering(description, lock.challenger):
        record = _record(lock, now, index, asked, "weights are in force")
        ledger.append(lock, [record], step=index, since=now, token=None)
        return True
    if now - lock.began_at > PATIENCE_SECONDS:
        raise WeightsRefused(
            f"the shadow variant {lock.challenger} does not answer {now - lock.began_at:.0f} s "
            f"after the run began: {lock.endpoint} is {description['EndpointStatus']}, "
            f"limit {PATIENCE_SECONDS} s"
        )
    return False


def _refuse_to_raise(lock: Lock, index: int, now: float) -> None:
    """Raise RolloutEnded for each thing that forbids a weight; nobody else looks at them now."""
    policy = Policy.from_dict(json.loads(lock.policy))
    problems = []
    if index not in (lock.step, lock.step + 1):
        problems.append(f"step {index} does not follow step {lock.step}")
    gate = unapproved(lock, policy, index)
    if gate is not None:
        problems.append(f"nobody approved the {gate}")
    if lock.deadline is not None and now >= lock.deadline:
        problems.append(f"the rollout's deadline of {utc(lock.deadline)} has passed")
    if lock.phase == "paused" and lock.pause_until is not None and now >= lock.pause_until:
        problems.append(f"nobody ended the pause by {utc(lock.pause_until)}")
    until = policy.conduct.frozen_until(now)
    if lock.step < 0 and until is not None:
        problems.append(f"no rollout begins before {utc(until)}, when the freeze ends")
    ringing = Alarms(lock.endpoint).ringing(lock.challenger)
    if ringing:
        problems.append(f"alarm {', '.join(ringing)} is ringing")
    if problems:
        raise RolloutEnded(f"no weight is raised now: {'; '.join(problems)}")


def _refuse_to_wait(lock: Lock, index: int, now: float, asked: dict[str, int], status: str) -> None:
    if lock.step == index and lock.asked_at is not None and now - lock.asked_at > PATIENCE_SECONDS:
        raise WeightsRefused(
            f"weights {asked} were asked for {now - lock.asked_at:.0f} s ago and are not in force: "
            f"{lock.endpoint} is {status}, limit {PATIENCE_SECONDS} s"
        )


def _wait(ledger: Ledger, lock: Lock, now: float) -> None:
    """Renew the lease of weights that are there, or under way, when less than half is left."""
    if lock.lease_until is not None and lock.lease_until - now < LEASE_SECONDS / 2:
        ledger.append(lock, [], lease_until=now + LEASE_SECONDS)


def _ask(
    ledger: Ledger,
    lock: Lock,
    endpoint: Endpoint,
    now: float,
    index: int,
    asked: dict[str, int],
    status: str,
) -> None:
    lease = now + LEASE_SECONDS
    if lock.step != index:
        # Written before the call: whoever must bring traffic home knows of the weight beforehand.
        record = _record(lock, now, index, asked, f"asking for weight {asked[lock.challenger]}")
        ledger.append(
            lock,
            [record],
            step=index,
            asked_at=now,
            since=None,
            token=None,
            gate=None,
            lease_until=lease,
        )
    elif status == "InService":
        # Not for the lease alone: this write fails once the rollout was stopped, and no call
        # that asks for a weight comes without such a write before it.
        ledger.append(lock, [], lease_until=lease)
    else:
        _wait(ledger, lock, now)
    if status != "InService":
        return
    try:
        endpoint.shift(asked)
    except EndpointBusy:
        return


def _record(lock: Lock, now: float, index: int, asked: dict[str, int], reason: str) -> Record:
    return Record(
        seq=lock.seq,
        at=now,
        kind="acted",
        actor="set weights",
        step=index,
        weights=asked,
        reason=reason,
        body={},
    )
