"""A rehearsal on the terminal: live while it runs, plain lines in a pipe, a table at the end."""

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from rich.console import Console, RenderableType
from rich.live import Live
from rich.markup import escape
from rich.padding import Padding
from rich.status import Status
from rich.text import Text

from steelyard.cli.drawing import Progress, line, live_view, summary, timings
from steelyard.cli.place import shown
from steelyard.rehearsal.play import Glimpse
from steelyard.rehearsal.scenario import Scenario
from steelyard.rollout.policy import Step

_COLOURS = {"promoted": "green", "passed": "green", "aborted": "yellow"}
# A pipe has no edge to wrap at: whoever reads it cuts lines as they like.
_PIPE_WIDTH = 10_000


class Screen:
    """
    Shows a rehearsal while it runs; what is live is taken down however the context ends.

    `plan` holds the rollout's steps, the soak last.
    """

    def __init__(self, plan: Sequence[Step], console: Console | None = None) -> None:
        found = Console() if console is None else console
        self._is_live = found.is_terminal and not found.is_dumb_terminal
        if console is None and not found.is_terminal:
            found = Console(width=_PIPE_WIDTH)
        self._console = found
        self._plan = plan
        self._progress = Progress(plan)
        self._live: Live | Status | None = None
        self._said: object = None

    def __enter__(self) -> "Screen":
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    @contextmanager
    def working(self, what: str) -> Iterator[None]:
        """Say what is being done while the context lasts."""
        if self._is_live:
            self._live = self._console.status(escape(what))
            self._live.start()
        else:
            self._console.print(what, highlight=False)
        try:
            yield
        finally:
            self._stop()

    def begin(self, scenario: Scenario) -> None:
        """Announce a rollout."""
        faults = ", ".join(fault.text for fault in scenario.faults)
        injected = f", fault {faults}" if faults else ""
        self._console.print(
            f"\n[bold]{escape(scenario.name)}[/]\n"
            f"  {scenario.champion} → {scenario.challenger}{escape(injected)}, "
            f"expected {scenario.expected}",
            highlight=False,
        )
        self._said = None
        self._progress = Progress(self._plan)
        if self._is_live:
            self._live = Live(
                Text("  deploying", style="dim"),
                console=self._console,
                auto_refresh=False,
                transient=True,
                redirect_stdout=False,
            )
            self._live.start(refresh=True)

    def show(self, glimpse: Glimpse) -> None:
        """Show where the rollout is."""
        self._progress.note(glimpse.step, glimpse.t)
        if isinstance(self._live, Live):
            self._live.update(live_view(glimpse, self._progress), refresh=True)
        elif glimpse.verdict and (glimpse.step, glimpse.verdict) != self._said:
            self._said = (glimpse.step, glimpse.verdict)
            self._print(f"  {escape(line(glimpse, self._plan))}")

    def end(self, entry: Mapping[str, Any]) -> None:
        """Say how the rollout ended."""
        self._stop()
        outcome = f"[{_COLOURS[entry['outcome']]}]{entry['outcome']}[/]"
        caught = f", caught by the {entry['caught_by']}" if entry["caught_by"] else ""
        reason = f": {escape(entry['reason'])}" if entry["reason"] else ""
        passed = "[green]as expected[/]" if entry["passed"] else "[bold red]NOT as expected[/]"
        problems = [f"[red]- {escape(problem)}[/]" for problem in entry["problems"]]
        for said in (f"{outcome}{caught}{reason}", passed, *problems):
            self._print(Padding(Text.from_markup(said), (0, 0, 0, 2), expand=False))

    def summarise(self, report: Mapping[str, Any], folder: Path) -> None:
        """Show every rollout's outcome, the times taken, and where the report is."""
        self._print("")
        self._print(summary(report["rollouts"], is_narrow=self._is_live))
        self._print("")
        for text in timings(report):
            self._print(escape(text))
        self._print(f"report: {shown(folder)}/report.html and report.json")

    def _print(self, what: RenderableType) -> None:
        self._console.print(what, highlight=False)

    def _stop(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None
