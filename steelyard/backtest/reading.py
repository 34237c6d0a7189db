"""Tell what a recording is written in, and read it."""

import json
from typing import Any

from steelyard.backtest import cloudwatch, records, table
from steelyard.backtest.recording import Recording, Unreadable
from steelyard.backtest.table import Roles


def read(text: str, roles: Roles, rollout: str | None = None) -> Recording:
    """
    Return what was recorded: of CSV, of CloudWatch's JSON, or of a ledger's records.

    `roles` says which variant is whose; `rollout` chooses among the records of several. Raises
    Unreadable.
    """
    if not text.lstrip().startswith(("{", "[")):
        found = table.read(text, roles)
    else:
        content = _json(text)
        if isinstance(content, dict) and "MetricDataResults" in content:
            found = cloudwatch.read(content, roles)
        else:
            found = records.read(_entries(content), rollout)
    if not found.samples:
        raise Unreadable(["given no minute, allowed is one or more: record while a rollout runs"])
    return found


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except ValueError:
        pass
    lines = []
    for number, line in enumerate(text.splitlines(), start=1):
        try:
            lines += [json.loads(line)] if line.strip() else []
        except ValueError:
            raise Unreadable(
                [
                    f"line {number}: given {line[:40]!r}, allowed is JSON, whole or a value to a "
                    f"line, or CSV with a head: write it anew"
                ]
            ) from None
    return lines


def _entries(content: Any) -> list[Any]:
    if isinstance(content, dict):
        items = content.get("Items", [content])
        return items if isinstance(items, list) else [items]
    return list(content)
