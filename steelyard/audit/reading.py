"""Read a rollout's records as they were stored, and notice where they are not what was written."""

import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, fields

from steelyard.rollout.counters import Measurement
from steelyard.rollout.ledger import Record
from steelyard.rollout.policy import Policy, PolicyError


class Unreadable(ValueError):
    """The records cannot be audited; `problems` says every reason found."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


@dataclass(frozen=True)
class Difference:
    """Where the ledger does not say what it must: record `seq`, and both texts, byte for byte."""

    seq: int
    what: str
    stored: str
    recomputed: str


def read(texts: Iterable[str]) -> tuple[Record, ...]:
    """Return the records that stored texts say, by number; raises Unreadable."""
    records, problems = [], []
    for place, text in enumerate(texts):
        try:
            records.append(_checked(parsed(text)))
        except (ValueError, KeyError, TypeError) as error:
            problems.append(
                f"record {place}: given {text[:40]!r}, which lacks or mistakes {error}, allowed is "
                f"a record of the ledger: read it with the version of Steelyard that wrote it"
            )
    if problems:
        raise Unreadable(problems)
    return tuple(sorted(records, key=lambda record: record.seq))


def parsed(text: str) -> Record:
    """Return a stored record; raises ValueError, KeyError or TypeError for what is none."""
    value = json.loads(text)
    return Record(**{field.name: value[field.name] for field in fields(Record)})


def _checked(record: Record) -> Record:
    """Return the record; raises KeyError or TypeError where its body lacks what is recomputed."""
    if record.kind == "measured":
        Measurement.from_dict(record.body)
    if record.kind == "decided":
        float(record.body["evidence"]["together"])
    return record


def policy_of(records: Sequence[Record]) -> Policy:
    """Return the policy that the rollout was requested with; raises Unreadable."""
    for record in records:
        if record.kind == "requested":
            try:
                return Policy.from_dict(record.body["policy"])
            except (KeyError, TypeError, AttributeError, PolicyError) as error:
                raise Unreadable(
                    [
                        f"record {record.seq}: its policy lacks or mistakes {error}: "
                        f"audit with the version of Steelyard that wrote it"
                    ]
                ) from None
    raise Unreadable(
        [
            "given no record of the kind requested, allowed is a rollout from its first record on: "
            "records are never deleted by Steelyard, restore the table"
        ]
    )


def tampered(
    texts: Sequence[str], records: Sequence[Record], count: int | None
) -> Iterator[Difference]:
    """
    Yield each text that is not its record's canonical JSON, and each number that has no record.

    `count` is how many records the ledger's lock says that there are (None: it says nothing).
    """
    stored = set(texts)
    for record in records:
        if record.to_json() not in stored:
            text = next(text for text in texts if json.loads(text)["seq"] == record.seq)
            yield Difference(record.seq, "record", text, record.to_json())
    found = {record.seq for record in records}
    for seq in range(max(max(found, default=-1) + 1, count or 0)):
        if seq not in found:
            yield Difference(seq, "record", "", "a record of this number")
