"""Acquire: take the endpoint's lock for one rollout, and say which steps it will go through."""

import json
from typing import Any

from lambdas.aws import Endpoint, Ledger, LedgerConflict
from lambdas.event import epoch
from lambdas.setting import is_set, setting
from steelyard.rollout.ledger import ACTIVE, Lock, Record
from steelyard.rollout.policy import Policy, canonical


class RolloutInProgress(Exception):
    """Another rollout drives this endpoint: wait for it, or abort it."""


class NothingOnTrial(Exception):
    """The endpoint file named no challenger when this was deployed."""


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """Take the lock for `event["rollout"]`; a repeated event changes nothing."""
    if not is_set("CHALLENGER"):
        raise NothingOnTrial(
            f"{setting('ENDPOINT')} was deployed without a challenger: "
            f"give a variant of its file this role, deploy, then start the rollout"
        )
    rollout, now = str(event["rollout"]), epoch(event["now"])
    policy = Policy.from_dict(json.loads(setting("POLICY")))
    ledger = Ledger(setting("LEDGER"), setting("ENDPOINT"))
    before = ledger.read()
    if before is not None and before.rollout == rollout and before.phase == "progressing":
        return {"steps": steps(policy)}
    if before is not None and (before.phase in ACTIVE or before.rollout == rollout):
        raise RolloutInProgress(
            f"rollout {before.rollout} of {before.endpoint} is {before.phase}: "
            f"wait until it has ended, or abort it; a rollout's name is used once"
        )
    lock = request(rollout, policy, before)
    record = Record(
        seq=0,
        at=now,
        kind="requested",
        actor="acquire",
        step=-1,
        weights={},
        reason=f"promote {lock.challenger} over {lock.champion}",
        body={
            "champion": lock.champion,
            "challenger": lock.challenger,
            "generation": lock.generation,
            "policy": policy.to_dict(),
            "config": lock.config,
        },
    )
    try:
        ledger.acquire(lock, record)
    except LedgerConflict as conflict:
        raise RolloutInProgress(
            f"another rollout of {lock.endpoint} took the lock first: wait until it has ended"
        ) from conflict
    return {"steps": steps(policy)}


def request(rollout: str, policy: Policy, before: Lock | None) -> Lock:
    """Return the lock as this rollout wants it, with the endpoint config it starts on."""
    endpoint = Endpoint(setting("ENDPOINT"))
    champion, challenger = setting("CHAMPION"), setting("CHALLENGER")
    others = set(setting("VARIANTS").split(",")) - {champion, challenger}
    return Lock(
        endpoint=endpoint.name,
        rollout=rollout,
        generation=before.generation + 1 if before is not None else 1,
        phase="progressing",
        champion=champion,
        challenger=challenger,
        others=tuple(sorted(others)),
        policy=canonical(policy.to_dict()),
        seq=1,
        config=endpoint.describe()["EndpointConfigName"],
    )


def steps(policy: Policy) -> list[dict[str, Any]]:
    """Return what the state machine needs to know of each step."""
    # The judge gives up on a step by itself: the state machine's own limit is for a dead judge.
    limit = policy.longest_seconds + policy.pause_seconds
    return [
        {
            "index": index,
            "weight": step.weight,
            "timeout_seconds": limit + step.bake_seconds + 900,
        }
        for index, step in enumerate(policy.plan())
    ]
