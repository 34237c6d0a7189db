"""A replay as the terminal shows it and as JSON says it; prints nothing."""

from collections.abc import Iterator
from dataclasses import asdict
from datetime import UTC, datetime
from typing import Any

from rich.console import RenderableType
from rich.markup import escape
from rich.padding import Padding
from rich.table import Table

from steelyard.backtest.recording import Recording
from steelyard.backtest.replay import Replay
from steelyard.rollout.policy import Policy

_COLOURS = {"advance": "green", "continue": "cyan", "pause": "yellow", "abort": "bold red"}
_SAID = {
    "promote": "[green]the judge would have promoted the challenger[/]",
    "abort": "[bold red]the judge would have aborted[/]",
    "undecided": "[yellow]the judge would not have decided[/]",
}


def tables(policy: Policy, recording: Recording, replay: Replay) -> Iterator[RenderableType]:
    """Yield everything that is shown of a replay, from the top."""
    yield "[bold]when the verdict changed[/]"
    yield Padding(_turns(policy, replay), (0, 0, 1, 2), expand=False)
    yield "[bold]each step[/]"
    yield Padding(_passages(policy, replay), (0, 0, 1, 2), expand=False)
    if recording.ending:
        yield f"recorded at the end: {escape(recording.ending)}"
    yield f"{_SAID[replay.outcome]}{_why(policy, replay)}"


def as_dict(policy: Policy, recording: Recording, replay: Replay) -> dict[str, Any]:
    """Return the replay as JSON says it; every time is in epoch seconds."""
    return {
        "schema": 1,
        "outcome": replay.outcome,
        "policy": policy.digest(),
        "first_minute": recording.samples[0].minute,
        "last_minute": recording.samples[-1].minute,
        "recorded_ending": recording.ending or None,
        "turns": [
            {
                "at": turn.at,
                "step": turn.step,
                "outcome": turn.verdict.outcome,
                "reasons": list(turn.verdict.reasons),
                "evidence": turn.verdict.evidence,
            }
            for turn in replay.turns
        ],
        "steps": [
            {"weight": policy.plan()[passage.step].weight, **asdict(passage)}
            for passage in replay.passages
        ],
    }


def _turns(policy: Policy, replay: Replay) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("time, UTC", "step", "verdict"):
        table.add_column(name, no_wrap=True)
    table.add_column("why", overflow="fold")
    for turn in replay.turns:
        outcome, reasons = turn.verdict.outcome, turn.verdict.reasons
        table.add_row(
            _time(turn.at),
            _name(policy, turn.step),
            f"[{_COLOURS[outcome]}]{outcome}[/]",
            # What a step still waits for is told by the first thing that it lacks.
            escape(reasons[0] if outcome == "continue" else "; ".join(reasons)),
        )
    return table


def _passages(policy: Policy, replay: Replay) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("step", no_wrap=True)
    for name in ("minutes", "requests", "challenger's share", "would advance at"):
        table.add_column(name, justify="right")
    for it in replay.passages:
        table.add_row(
            _name(policy, it.step),
            f"{it.minutes:,}",
            f"{it.requests:,}",
            f"{it.challenger_requests / it.requests:.1%}" if it.requests else "–",
            "never" if it.advanced is None else _time(it.advanced),
        )
    return table


def _why(policy: Policy, replay: Replay) -> str:
    if replay.outcome == "undecided":
        left = [_name(policy, it.step) for it in replay.passages if it.advanced is None]
        return f": it would not have left {', '.join(left)} by what was recorded"
    if replay.outcome == "abort":
        last = replay.turns[-1]
        return f" at {_time(last.at)} in step {_name(policy, last.step)}"
    return ""


def _name(policy: Policy, step: int) -> str:
    return "soak" if step == len(policy.steps) else f"{policy.plan()[step].weight}%"


def _time(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M")
