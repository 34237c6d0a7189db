"""Tell a rollout in its order: every act, and every change of the verdict."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from steelyard.rollout.ledger import Record


@dataclass(frozen=True)
class Entry:
    """
    One line of a timeline; `at` and `until` in epoch seconds.

    Verdicts that say the same thing, minute after minute, are one entry: `ticks` says how many,
    `why` what the last of them said. `minutes` is what was measured for it, with the challenger's
    `requests` in these minutes and how many of them were `bad` (errors of model or client).
    """

    at: float
    until: float
    step: int
    who: str
    what: str
    why: str
    ticks: int = 0
    minutes: int = 0
    requests: int = 0
    bad: int = 0


def timeline(records: Sequence[Record]) -> tuple[Entry, ...]:
    """Return the entries of a rollout, oldest first."""
    return tuple(_joined(_entries(records)))


def _entries(records: Sequence[Record]) -> Iterator[Entry]:
    """Yield an entry for each record; minutes go to the verdict that followed, or are their own."""
    pending: Entry | None = None
    for record in records:
        if record.kind == "measured":
            minute = _minute(record)
            pending = minute if pending is None else _sum(pending, minute)
            continue
        entry = _entry(record)
        if pending is not None and entry.ticks:
            entry = _sum(pending, entry)
        elif pending is not None:
            yield pending
        pending = None
        yield entry
    if pending is not None:
        yield pending


def _minute(record: Record) -> Entry:
    point = record.body["challenger"] or {"n": 0, "em": 0, "e4": 0}
    entry = replace(_entry(record), why="no verdict was asked for", minutes=1)
    return replace(entry, requests=point["n"], bad=point["em"] + point["e4"])


def _entry(record: Record) -> Entry:
    by, done = record.body.get("by"), record.body.get("done")
    return Entry(
        at=record.at,
        until=record.at,
        step=record.step,
        who=f"{record.actor} {by}" if by is not None else record.actor,
        what=str(record.body.get("order") or record.body.get("outcome") or record.kind),
        why=f"{record.reason} ({done})" if done not in (None, record.reason) else record.reason,
        ticks=int(record.kind == "decided"),
    )


def _joined(entries: Iterator[Entry]) -> Iterator[Entry]:
    before: Entry | None = None
    for entry in entries:
        if before is not None and entry.ticks and _key(before) == _key(entry):
            before = _sum(before, entry)
            continue
        if before is not None:
            yield before
        before = entry
    if before is not None:
        yield before


def _key(entry: Entry) -> tuple[bool, str]:
    return bool(entry.ticks), entry.what


def _sum(one: Entry, other: Entry) -> Entry:
    return replace(
        other,
        at=one.at,
        ticks=one.ticks + other.ticks,
        minutes=one.minutes + other.minutes,
        requests=one.requests + other.requests,
        bad=one.bad + other.bad,
    )
