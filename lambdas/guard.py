"""Guard: let a deployment touch the endpoint only while no rollout is in progress."""

import json
import urllib.request
from collections.abc import Mapping
from typing import Any

from lambdas.aws import Ledger, LedgerConflict
from lambdas.setting import setting
from steelyard.rollout.ledger import ACTIVE, Claim, Lock, Record

# Longer than an endpoint's update takes; a deployment that broke off gives nothing back.
CLAIM_SECONDS = 7200
# The judge writes the ledger each minute: an override that meets it is written again.
ATTEMPTS = 3
# Five calls, each tried four times, end within the function's minute: there is time to answer.
PATIENCE_SECONDS = 2.0
# All of an answer is 4,096 bytes at most (CloudFormation user guide, "Custom resource response").
REASON_CHARACTERS = 1000


class Refused(Exception):
    """The deployment must not touch the endpoint now; the message says why and what to do."""


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """
    Take or give back the deployment claim that CloudFormation asks for, and answer it.

    A Delete always succeeds; whatever goes wrong else is answered FAILED with its sentence, since
    CloudFormation would wait for an answer that never comes. A repeated event changes nothing.
    """
    try:
        _serve(event)
        status, reason = "SUCCESS", ""
    except Exception as error:
        status, reason = "FAILED", str(error) or type(error).__name__
    _answer(event, status, reason)
    return {"status": status, "reason": reason}


def _serve(event: Mapping[str, Any]) -> None:
    if event["RequestType"] == "Delete":
        return
    properties = event["ResourceProperties"]
    ledger = Ledger(setting("LEDGER"), setting("ENDPOINT"), patience_seconds=PATIENCE_SECONDS)
    if properties["Role"] == "give":
        ledger.give_back(properties["Stack"])
    else:
        _take(ledger, properties, event.get("OldResourceProperties", {}).get("Hash"))


def _take(ledger: Ledger, wanted: Mapping[str, str], before: str | None) -> None:
    """
    Claim the endpoint for a deployment of a stack, `before` being the content it replaces.

    The content that was accepted last is accepted again: CloudFormation goes back to it when a
    deployment was refused. What goes back from a content that was accepted, and never finished,
    is let through, too: to refuse it would leave the stack in between.
    """
    stack, content = wanted["Stack"], wanted["Hash"]
    if ledger.accepted(stack) == content:
        return
    open_claim = ledger.claimed()
    undoes = open_claim is not None and (open_claim.stack, open_claim.hash) == (stack, before)
    why = wanted.get("Override") or ("CloudFormation undoes a deployment" if undoes else None)
    _claim(ledger, Claim(stack, content, ledger.now() + CLAIM_SECONDS), why)
    if undoes:
        # Nothing is given back at the end of a way back.
        ledger.give_back(stack)


def _claim(ledger: Ledger, claim: Claim, why: str | None) -> None:
    for _ in range(ATTEMPTS):
        lock = ledger.read()
        in_progress = lock if lock is not None and lock.phase in ACTIVE else None
        if in_progress is not None and why is None:
            raise Refused(_refusal(in_progress, claim.stack))
        over = (in_progress, _record(in_progress, claim, str(why))) if in_progress else None
        try:
            ledger.claim(claim, over)
        except LedgerConflict:
            continue
        return
    raise Refused(
        f"others wrote the ledger of {setting('ENDPOINT')} at the same time, {ATTEMPTS} times: "
        f"deploy again"
    )


def _refusal(lock: Lock, stack: str) -> str:
    return (
        f"rollout {lock.rollout} of {lock.endpoint} is {lock.phase}, and a deployment of {stack} "
        f"could disturb it: wait until it has ended, end it with `steelyard abort`, "
        f'or deploy in spite of it with -c override="who: why"'
    )


def _record(lock: Lock, claim: Claim, why: str) -> Record:
    return Record(
        seq=lock.seq,
        at=claim.until - CLAIM_SECONDS,
        kind="acted",
        actor="guard",
        step=lock.step,
        weights={},
        reason=f"{claim.stack} is deployed in spite of the rollout: {why}",
        body={"stack": claim.stack, "hash": claim.hash, "override": why},
    )


def _answer(event: Mapping[str, Any], status: str, reason: str) -> None:
    """Put the answer where CloudFormation waits for it; raises OSError when it cannot be put."""
    properties = event.get("ResourceProperties", {})
    name = f"{properties.get('Stack')}-{properties.get('Role')}"
    body = {
        "Status": status,
        "Reason": reason[:REASON_CHARACTERS],
        # Always the same: another one would have CloudFormation delete the resource it replaces.
        "PhysicalResourceId": event.get("PhysicalResourceId", name),
        **{field: event[field] for field in ("StackId", "RequestId", "LogicalResourceId")},
    }
    # The address is signed for an empty content type.
    request = urllib.request.Request(
        event["ResponseURL"],
        data=json.dumps(body).encode(),
        headers={"Content-Type": ""},
        method="PUT",
    )
    with urllib.request.urlopen(request, timeout=20):
        pass
