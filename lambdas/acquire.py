"""Acquire: take the endpoint's lock for one rollout, and say which steps it will go through."""

import json
from typing import Any

from lambdas.aws import Endpoint, Ledger, LedgerConflict
from lambdas.event import epoch
from lambdas.setting import is_set, setting
from steelyard.rollout.ledger import ACTIVE, UNDER_WAY, Lock, Record, Run
from steelyard.rollout.policy import Policy, canonical
from steelyard.rollout.shadow import STEP

# The judge and the deadline end a rollout by themselves: the state machine's own limit is for a
# judge that is dead, and comes this much later.
SPARE_SECONDS = 900


class RolloutInProgress(Exception):
    """Another rollout drives this endpoint: wait for it, or abort it."""


class DeployInProgress(Exception):
    """A deploy changes this endpoint's stacks: wait for it."""


class NothingOnTrial(Exception):
    """The endpoint file named no challenger when this was deployed."""


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """
    Take the lock for `event["rollout"]`; a repeated event changes nothing.

    Raises RolloutInProgress, DeployInProgress or NothingOnTrial when it may not begin.
    """
    if not is_set("CHALLENGER"):
        raise NothingOnTrial(
            f"{setting('ENDPOINT')} was deployed without a challenger: "
            f"give a variant of its file this role, deploy, then start the rollout"
        )
    rollout, now = str(event["rollout"]), epoch(event["now"])
    ledger = Ledger(setting("LEDGER"), setting("ENDPOINT"))
    before = ledger.read()
    if before is not None and before.rollout == rollout and before.phase in UNDER_WAY:
        return _plan(before)
    if before is not None and (before.phase in ACTIVE or before.rollout == rollout):
        raise RolloutInProgress(
            f"rollout {before.rollout} of {before.endpoint} is {before.phase}: "
            f"wait until it has ended, or abort it; a rollout's name is used once"
        )
    _refuse_old_roles(before)
    lock = _wanted(rollout, now, before)
    try:
        ledger.acquire(lock, _request(lock))
    except LedgerConflict as conflict:
        raise _refusal(ledger, lock) from conflict
    return _plan(lock)


def _refuse_old_roles(before: Lock | None) -> None:
    """Refuse a champion that was replaced: an abort would say that it serves, and it does not."""
    champion = setting("CHAMPION")
    if before is not None and before.phase == "promoted" and before.challenger != champion:
        raise NothingOnTrial(
            f"{before.challenger} serves {before.endpoint} since rollout {before.rollout}, and the "
            f"deployed file names {champion} as champion: swap the roles in the file and deploy; "
            f"to take the promotion back: steelyard revert {before.endpoint}"
        )


def _wanted(rollout: str, now: float, before: Lock | None) -> Lock:
    """Return the lock as this rollout wants it, with the endpoint config it starts on."""
    policy = Policy.from_dict(json.loads(setting("POLICY")))
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
        began_at=now,
        deadline=now + policy.conduct.deadline_seconds,
        # The scaling that the last rollout held, and that nobody let go of yet, is held still.
        suspended=before.suspended if before is not None else (),
        kind=_kind(),
        passed=before.passed if before is not None else None,
    )


def _kind() -> Run:
    """Return what was deployed: a challenger that is to serve, or one that only gets copies."""
    return "shadow" if is_set("SHADOW") else "rollout"


def _request(lock: Lock) -> Record:
    return Record(
        seq=0,
        at=lock.began_at,
        kind="requested",
        actor="acquire",
        step=-1,
        weights={},
        reason=_wish(lock),
        body={
            "kind": lock.kind,
            "champion": lock.champion,
            "challenger": lock.challenger,
            "generation": lock.generation,
            "policy": json.loads(lock.policy),
            "config": lock.config,
            "deadline": lock.deadline,
            "instances": json.loads(setting("INSTANCES")),
        },
    )


def _wish(lock: Lock) -> str:
    if lock.kind == "shadow":
        return f"let {lock.challenger} answer copies of what {lock.champion} is asked"
    return f"promote {lock.challenger} over {lock.champion}"


def _refusal(ledger: Ledger, lock: Lock) -> Exception:
    """Return why the ledger did not give the lock away."""
    claim = ledger.claimed()
    if claim is not None and claim.until > lock.began_at:
        return DeployInProgress(
            f"a deploy of {claim.stack} has claimed {lock.endpoint}: start the rollout when it is "
            f"over; a claim that outlived its deploy ends by itself in "
            f"{claim.until - lock.began_at:,.0f} s, or by steelyard repair {lock.endpoint}"
        )
    return RolloutInProgress(
        f"another rollout of {lock.endpoint} took the lock first, or {lock.rollout} was the name "
        f"of an earlier one: wait until it has ended, and use a rollout's name once"
    )


def _plan(lock: Lock) -> dict[str, Any]:
    """Return what the state machine needs to know of the rollout and of each step."""
    policy = Policy.from_dict(json.loads(lock.policy))
    limit = policy.conduct.deadline_seconds + SPARE_SECONDS
    steps = list(enumerate(policy.plan()))
    if lock.kind == "shadow":
        steps = steps[STEP : STEP + 1]
    return {
        "generation": lock.generation,
        "confirm": "start" in policy.conduct.confirm,
        "steps": [
            {"index": index, "weight": step.weight, "timeout_seconds": limit}
            for index, step in steps
        ],
    }
