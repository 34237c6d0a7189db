"""SetWeights: ask for a step's weights, and say when they are in force."""

from typing import Any

from lambdas.aws import Alarms, Endpoint, EndpointBusy, Ledger, is_settled
from lambdas.event import epoch
from lambdas.setting import setting
from steelyard.rollout.ledger import Lock, Record
from steelyard.rollout.weights import weights

# A change of weights alone takes seconds; scaling under way can hold the endpoint for minutes.
PATIENCE_SECONDS = 1800


class RolloutEnded(Exception):
    """The rollout no longer holds the endpoint, so it may not raise a weight."""


class WeightsRefused(Exception):
    """The platform did not take the weights, or the endpoint is no longer the one it was."""


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """
    Ask for the step's weights unless they are already in force.

    The 200 of the call proves nothing, so the state machine calls again until `settled`.
    """
    now, index, weight = epoch(event["now"]), int(event["index"]), int(event["weight"])
    ledger = Ledger(setting("LEDGER"), setting("ENDPOINT"))
    lock = ledger.read()
    if lock is None or lock.rollout != event["rollout"] or lock.phase != "progressing":
        raise RolloutEnded(f"rollout {event['rollout']} is no longer progressing")
    ringing = Alarms(lock.endpoint).ringing(lock.challenger)
    if ringing:
        raise RolloutEnded(f"alarm {', '.join(ringing)} is ringing: no weight is raised now")
    endpoint = Endpoint(lock.endpoint)
    description = endpoint.describe()
    if description["EndpointConfigName"] != lock.config:
        raise WeightsRefused(
            f"{lock.endpoint} runs on {description['EndpointConfigName']}, "
            f"the rollout began on {lock.config}"
        )
    asked = weights(lock.champion, lock.challenger, weight, lock.others)
    if lock.step == index and is_settled(description, asked):
        _record(ledger, lock, now, index, asked, "weights are in force", since=now, token=None)
        return {"settled": True}
    if lock.step == index and lock.asked_at is not None and now - lock.asked_at > PATIENCE_SECONDS:
        raise WeightsRefused(
            f"weights {asked} were asked for {now - lock.asked_at:.0f} s ago and are not in force: "
            f"{lock.endpoint} is {description['EndpointStatus']}, limit {PATIENCE_SECONDS} s"
        )
    _ask(ledger, lock, endpoint, now, index, asked, description["EndpointStatus"])
    return {"settled": False}


def _ask(
    ledger: Ledger,
    lock: Lock,
    endpoint: Endpoint,
    now: float,
    index: int,
    asked: dict[str, int],
    status: str,
) -> None:
    if lock.step != index:
        # Written before the call: whoever must bring traffic home knows of the weight beforehand.
        reason = f"asking for weight {asked[lock.challenger]}"
        _record(ledger, lock, now, index, asked, reason, step=index, asked_at=now, since=None)
    if status != "InService":
        return
    try:
        endpoint.shift(asked)
    except EndpointBusy:
        return


def _record(
    ledger: Ledger,
    lock: Lock,
    now: float,
    index: int,
    asked: dict[str, int],
    reason: str,
    **changes: Any,
) -> None:
    record = Record(
        seq=lock.seq,
        at=now,
        kind="acted",
        actor="set weights",
        step=index,
        weights=asked,
        reason=reason,
        body={},
    )
    ledger.append(lock, [record], **changes)
