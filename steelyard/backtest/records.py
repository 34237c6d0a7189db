"""
Read a ledger's records.

As an export of the table to S3, as `aws dynamodb query` prints them, or a record to a line.
"""

import json
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from steelyard.backtest.recording import Recording, Sample, Unreadable
from steelyard.rollout.counters import Measurement

IN_FORCE = ("set weights", "weights are in force")
"""Actor and reason of the record that says that a step's weights are in force."""

Found = tuple[str, Mapping[str, Any]]
"""The key of a record's rollout, empty where the source leaves it out, and the record."""


def read(content: Sequence[Any], rollout: str | None) -> Recording:
    """
    Return what the items or records say of a rollout.

    `rollout` chooses one where there are several. Raises Unreadable.
    """
    found = list(_records(content))
    named = sorted({key for key, _ in found if key})
    wanted = f"rollout#{rollout}" if rollout is not None else (named[0] if named else "")
    if (rollout is not None and wanted not in named) or (rollout is None and len(named) > 1):
        names = ", ".join(key.removeprefix("rollout#") for key in named) or "none by name"
        raise Unreadable(
            [f"--rollout: given {rollout}, the records are of {names}: write one of these"]
        )
    records = sorted(
        (record for key, record in found if key in (wanted, "")), key=lambda it: int(it["seq"])
    )
    return _recording(records)


def _recording(records: Sequence[Mapping[str, Any]]) -> Recording:
    samples = {}
    in_force: dict[int, float] = {}
    for record in records:
        if record["kind"] == "measured":
            sample = _sample(record)
            samples[sample.minute] = sample
        elif (record["actor"], record["reason"]) == IN_FORCE:
            # The challenger's is the weight that the measurements of the step say.
            in_force.setdefault(record["step"], float(record["at"]))
    weights = {
        record["step"]: record["body"]["weight"]
        for record in records
        if record["kind"] == "measured"
    }
    last = records[-1] if records else None
    return Recording(
        samples=tuple(samples[minute] for minute in sorted(samples)),
        in_force={weights[step]: at for step, at in in_force.items() if step in weights},
        ending=f"{last['actor']}: {last['reason']}" if last is not None else "",
    )


def _sample(record: Mapping[str, Any]) -> Sample:
    try:
        found = Measurement.from_dict(record["body"])
    except (KeyError, TypeError) as error:
        raise Unreadable(
            [
                f"record {record['seq']}: its body lacks or mistakes {error}, allowed is a "
                f"measurement as the judge wrote it: leave the record out"
            ]
        ) from None
    return Sample(found.minute, found.champion, found.challenger, found.weight)


def _records(content: Sequence[Any]) -> Iterator[Found]:
    for number, entry in enumerate(content, start=1):
        item = entry.get("Item", entry) if isinstance(entry, dict) else entry
        key, text = "", item
        if isinstance(item, dict) and "pk" in item:
            key, text = _plain(item["pk"]), _plain(item.get("record"))
            if not key.startswith("rollout#"):
                continue  # the lock
        yield key, _record(text, number)


def _plain(value: Any) -> Any:
    """Return a string attribute as it is, whether or not DynamoDB's type stands before it."""
    return value.get("S") if isinstance(value, dict) else value


def _record(text: Any, number: int) -> Mapping[str, Any]:
    try:
        record = json.loads(text) if isinstance(text, str) else text
    except ValueError:
        record = None
    needed = ("seq", "at", "kind", "actor", "step", "reason", "body")
    if not isinstance(record, dict) or not all(name in record for name in needed):
        raise Unreadable(
            [
                f"entry {number}: given {str(text)[:40]!r}, allowed is a record of the ledger with "
                f"{', '.join(needed)}: print them as the runbooks' index says"
            ]
        )
    return record
