"""A rollout's history as the terminal shows it and as JSON says it; prints nothing."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from steelyard.audit.impact import Impact
from steelyard.audit.reading import Difference, policy_of
from steelyard.audit.timeline import timeline
from steelyard.audit.wording import moment, said, step_name
from steelyard.rollout.ledger import Record

_COLOURS = {"advance": "green", "continue": "cyan", "pause": "yellow", "abort": "bold red"}


def tables(
    records: Sequence[Record], cost: Impact, found: Sequence[Difference]
) -> Iterator[RenderableType]:
    """Yield everything that is shown of an audit, from the top."""
    yield Padding(_timeline(records), (0, 0, 1, 0), expand=False)
    yield escape(_summary(cost))
    verdicts = sum(record.kind == "decided" for record in records)
    if not found:
        yield (
            f"[green]{verdicts:,} verdicts recomputed from {len(records):,} records: the same, "
            f"byte for byte[/]"
        )
    for it in found:
        yield f"[bold red]record {it.seq}, {it.what}: differs[/]"
        yield escape(f"  stored      {it.stored or 'nothing'}")
        yield escape(f"  recomputed  {it.recomputed}")


def as_dict(
    rollout: str, records: Sequence[Record], cost: Impact, found: Sequence[Difference]
) -> dict[str, Any]:
    """Return an audit as JSON says it; every moment in epoch seconds."""
    return {
        "schema": 1,
        "rollout": rollout,
        "outcome": cost.outcome,
        "verdicts": sum(record.kind == "decided" for record in records),
        "differences": [asdict(it) for it in found],
        "impact": asdict(cost) | {"seconds": cost.seconds},
        "records": [json.loads(record.to_json()) for record in records],
    }


def _timeline(records: Sequence[Record]) -> Table:
    policy = policy_of(records)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("time, UTC", "step", "who", "what"):
        table.add_column(name, no_wrap=True)
    table.add_column("said", overflow="fold")
    for it in timeline(records):
        colour = _COLOURS.get(it.what, "default")
        table.add_row(
            moment(it.at),
            step_name(policy, it.step),
            escape(it.who),
            f"[{colour}]{it.what}[/]",
            escape(said(it)),
        )
    return table


def _summary(cost: Impact) -> str:
    most = max((it.excess for it in cost.harms), default=0)
    worst = [it for it in cost.harms if it.excess and 2 * it.excess >= most]
    bad = ", ".join(f"{it.bad:,} {it.channel} of {it.of:,}" for it in worst)
    requests = f"{cost.outcome}; challenger {cost.requests:,} requests in measured minutes"
    if cost.outcome != "aborted":
        return requests
    since = f" since {moment(cost.bad_since)}" if cost.bad_since is not None else ""
    safe = f"; {cost.seconds:,.0f} s from there to weight 0" if cost.seconds is not None else ""
    return f"{requests}{f', more than usual{since}: {bad}' if bad else ''}{safe}"
