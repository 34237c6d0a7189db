"""The ledger, read back as the report tells it."""

import json
from collections.abc import Mapping
from typing import Any

from steelyard.rehearsal.local_aws import LocalAws
from steelyard.rehearsal.moto_patches import dynamodb
from steelyard.rollout.ledger import lock_key, record_key


def lock(aws: LocalAws, table: str, endpoint: str) -> dict[str, Any]:
    """Return the lock's attributes, plain; empty before the first rollout."""
    return _item(aws, table, lock_key(endpoint))


def newest_verdict(aws: LocalAws, table: str, lock: dict[str, Any]) -> tuple[str, str]:
    """Return outcome and reason of the rollout's newest record; empty before the first."""
    if "seq" not in lock:
        return "", ""
    item = _item(aws, table, record_key(lock["rollout"], int(lock["seq"]) - 1))
    if "record" not in item:
        return "", ""
    record = json.loads(item["record"])
    return record["body"].get("outcome", record["actor"]), record["reason"]


def _item(aws: LocalAws, table: str, key: Mapping[str, str]) -> dict[str, Any]:
    """Return an item's attributes without their types, as it is read each virtual minute."""
    typed = {name: {"S": value} for name, value in key.items()}
    item = dynamodb.item(aws.account, aws.region, table, typed)
    return {name: next(iter(value.values())) for name, value in item.items()}


def records(aws: LocalAws, table: str, rollout: str) -> list[dict[str, Any]]:
    """Return a rollout's records in their order, `t_seconds` since the rehearsal began."""
    pages = (
        aws.client("dynamodb")
        .get_paginator("query")
        .paginate(
            TableName=table,
            KeyConditionExpression="pk = :pk",
            ExpressionAttributeValues={":pk": {"S": f"rollout#{rollout}"}},
        )
    )
    found = [json.loads(item["record"]["S"]) for page in pages for item in page["Items"]]
    return [{**record, "t_seconds": record["at"] - aws.clock.started_at} for record in found]


def ledger_lines(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the records as the report lists them."""
    names = ("seq", "t_seconds", "kind", "actor", "reason")
    return [{name: record[name] for name in names} for record in found]


def decisions(found: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the judge's verdicts with their reasons and evidence."""
    return [
        {
            "t_seconds": record["t_seconds"],
            "step": record["step"],
            "outcome": record["body"]["outcome"],
            "reasons": record["reason"].split("; "),
            "evidence": record["body"]["evidence"],
        }
        for record in found
        if record["kind"] == "decided"
    ]


def ended_by(found: list[dict[str, Any]]) -> tuple[str | None, str]:
    """Return who ended a rollout (judge, alarm, operator, engine, watchdog; None: nobody), why."""
    for record in found:
        if record["actor"] == "rollback":
            actor, _, reason = record["reason"].partition(": ")
            return actor, reason
        if record["actor"] == "watchdog" and record["body"].get("done") == "mark":
            return "watchdog", record["reason"]
    # What the watchdog does at rest is no end.
    own = [record for record in found if record["actor"] != "watchdog"]
    return None, own[-1]["reason"] if own else "the rollout left no record"
