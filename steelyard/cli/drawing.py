"""What the terminal shows of a rehearsal, made from glimpses and entries; prints nothing."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from rich.console import Console, ConsoleOptions, Group, RenderableType, RenderResult
from rich.table import Table
from rich.text import Text

from steelyard.rehearsal.play import Glimpse
from steelyard.rollout.policy import Step

_LEAST_CELLS = 3
_COLOURS = {"advance": "green", "continue": "cyan", "pause": "yellow", "abort": "bold red"}


class Progress:
    """
    How far a rollout is in its plan, drawn as one bar over the whole width.

    Each step's part is as wide as its bake time's share of the plan.
    """

    def __init__(self, plan: Sequence[Step]) -> None:
        self._plan = plan
        self._entered: dict[int, float] = {}
        self._step = -1
        self._t = 0.0

    def note(self, step: int, t: float) -> None:
        """Note that at `t` virtual seconds the rollout is in a step, -1 before the first."""
        self._step, self._t = step, t
        self._entered.setdefault(step, t)

    @property
    def plan(self) -> Sequence[Step]:
        """The steps, the soak last."""
        return self._plan

    @property
    def baked(self) -> float:
        """How long the step has been in force, in virtual seconds."""
        return self._t - self._entered.get(self._step, self._t)

    def shares(self) -> list[float]:
        """Return for each step how much of its bake time is over, from 0 to 1."""
        return [
            1.0
            if index < self._step
            else min(self.baked / step.bake_seconds, 1.0)
            if index == self._step
            else 0.0
            for index, step in enumerate(self._plan)
        ]

    def __rich_console__(self, _console: Console, options: ConsoleOptions) -> RenderResult:
        labels = [step_name(index, self._plan) for index in range(len(self._plan))]
        room = options.max_width - sum(len(label) + 2 for label in labels)
        whole = sum(step.bake_seconds for step in self._plan)
        bar = Text(no_wrap=True)
        for label, step, share in zip(labels, self._plan, self.shares(), strict=True):
            cells = max(int(room * step.bake_seconds / whole), _LEAST_CELLS)
            full = round(cells * share)
            bar.append(f"{label} ", style="bold" if share > 0 else "dim")
            bar.append("━" * full, style="green").append("─" * (cells - full), style="dim")
            bar.append(" ")
        yield bar


def step_name(index: int, plan: Sequence[Step]) -> str:
    """Return what people call a step: its weight, or soak."""
    return "soak" if index == len(plan) - 1 else f"{plan[index].weight}%"


def live_view(glimpse: Glimpse, progress: Progress) -> RenderableType:
    """Return the whole live display of a rollout."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim", no_wrap=True)
    table.add_column(overflow="fold")
    table.add_row("step", f"{_step(glimpse, progress.plan)}, {virtual(progress.baked)} in it")
    table.add_row("weights", _weights(glimpse))
    table.add_row("requests", f"{glimpse.requests:,}, of which {glimpse.errors:,} errors")
    table.add_row("verdict", _verdict(glimpse))
    table.add_row("time", f"{virtual(glimpse.t)} virtual")
    return Group(progress, table)


def line(glimpse: Glimpse, plan: Sequence[Step]) -> str:
    """Return where a rollout is, as one line for a pipe."""
    return (
        f"{virtual(glimpse.t):>7}  {_step(glimpse, plan):<16}  {_weights(glimpse)}  "
        f"{glimpse.requests:>7,} requests  {glimpse.errors:>5,} errors  "
        f"{glimpse.verdict}: {glimpse.reason.partition('; ')[0]}"
    )


def summary(entries: Sequence[Mapping[str, Any]], is_narrow: bool) -> Table:
    """Return a table with one row for each rollout; a narrow one folds the words of its head."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    table.add_column("rollout", overflow="fold", min_width=16)
    table.add_column("outcome", no_wrap=True)
    table.add_column("caught by", no_wrap=True)
    for name in ("bad answers", "seconds to safe"):
        table.add_column(name, justify="right", max_width=7 if is_narrow else None)
    table.add_column("as expected", max_width=8 if is_narrow else None)
    for entry in entries:
        safe = entry["seconds_from_fault_to_safe"]
        table.add_row(
            Text(entry["scenario"]),
            entry["outcome"],
            entry["caught_by"] or "–",
            f"{entry['bad_requests']:,}" if safe is not None else "–",
            f"{safe:,.0f}" if safe is not None else "–",
            Text("yes", "green") if entry["passed"] else Text("NO", "bold red"),
        )
    return table


def timings(report: Mapping[str, Any]) -> Iterator[str]:
    """Yield what was played in what time, and what it was spent on."""
    wall = sum(phase["seconds"] for phase in report["phases"])
    rollouts = report["rollouts"]
    passed = sum(entry["passed"] for entry in rollouts)
    yield (
        f"{passed} of {len(rollouts)} rollouts ended as expected; "
        f"{report['virtual_seconds'] / 3600:.1f} virtual hours in {wall:.0f} s"
    )
    for phase in report["phases"]:
        yield f"  {phase['seconds']:6.1f} s  {phase['name']}"


def virtual(seconds: float) -> str:
    """Return virtual seconds as hours and minutes."""
    return f"{int(seconds) // 3600}:{int(seconds) % 3600 // 60:02d} h"


def _step(glimpse: Glimpse, plan: Sequence[Step]) -> str:
    if not 0 <= glimpse.step < len(plan):
        return "before the first"
    return f"{glimpse.step + 1} of {len(plan)}, {step_name(glimpse.step, plan)}"


def _verdict(glimpse: Glimpse) -> Text:
    if not glimpse.verdict:
        return Text("none yet", style="dim")
    text = Text(glimpse.verdict, style=_COLOURS.get(glimpse.verdict, ""))
    return text.append(f": {glimpse.reason}", style="dim")


def _weights(glimpse: Glimpse) -> str:
    return "  ".join(f"{variant} {weight:<3}" for variant, weight in glimpse.weights.items())
