"""The ledger, read back as the report tells it."""

import json
from typing import Any

from steelyard.rehearsal.local_aws import LocalAws


def lock(aws: LocalAws, table: str, endpoint: str) -> dict[str, Any]:
    """Return the lock's attributes, plain; empty before the first rollout."""
    key = {"pk": {"S": f"lock#{endpoint}"}, "sk": {"S": "lock"}}
    item = aws.client("dynamodb").get_item(TableName=table, Key=key).get("Item", {})
    return {name: next(iter(value.values())) for name, value in item.items()}


def newest_verdict(aws: LocalAws, table: str, lock: dict[str, Any]) -> tuple[str, str]:
    """Return outcome and reason of the judge's newest verdict; empty before the first."""
    if "rollout" not in lock:
        return "", ""
    answer = aws.client("dynamodb").query(
        TableName=table,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"S": f"rollout#{lock['rollout']}"}},
        ScanIndexForward=False,
        Limit=1,
    )
    for item in answer["Items"]:
        record = json.loads(item["record"]["S"])
        return record["body"].get("outcome", record["actor"]), record["reason"]
    return "", ""


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
    """Return who ended a rollout (judge, alarm, operator, engine; None: nobody) and why."""
    for record in found:
        if record["actor"] == "rollback":
            actor, _, reason = record["reason"].partition(": ")
            return actor, reason
    last = found[-1] if found else None
    return None, last["reason"] if last is not None else "the rollout left no record"
