"""A load test on the terminal: a line that lives, plain ones in a pipe, at the end the verdict."""

from pathlib import Path

from rich.console import Console
from rich.live import Live
from rich.markup import escape
from rich.table import Table
from rich.text import Text

from steelyard.cli.place import shown
from steelyard.loadtest import wording
from steelyard.loadtest.client import Glimpse
from steelyard.loadtest.play import Result

_COLOURS = {"pass": "green", "fail": "red", "inconclusive": "yellow"}
# A pipe has no edge to wrap at: whoever reads it cuts lines as they like.
_PIPE_WIDTH = 10_000


class LoadScreen:
    """
    Shows a load test while it runs; what is live is taken down however the context ends.

    It draws once a second at most: each drawing holds up the requests that are due.
    """

    def __init__(self, console: Console | None = None) -> None:
        found = Console() if console is None else console
        self._is_live = found.is_terminal and not found.is_dumb_terminal
        if console is None and not found.is_terminal:
            found = Console(width=_PIPE_WIDTH)
        self._console = found
        self._live: Live | None = None
        self._seconds = 0.0
        self._before: Glimpse | None = None

    def __enter__(self) -> "LoadScreen":
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def begin(self, what: str, rate: float, seconds: float) -> None:
        """Announce a run."""
        self._stop()
        self._seconds, self._before = seconds, None
        said = f"{what}: {wording.rate(rate)} for {wording.span(seconds)}"
        self._console.print(said, highlight=False)
        if self._is_live:
            self._live = Live(
                Text(""),
                console=self._console,
                auto_refresh=False,
                transient=True,
                redirect_stdout=False,
                redirect_stderr=False,
            )
            self._live.start(refresh=True)

    def show(self, glimpse: Glimpse) -> None:
        """Show how the run is going; p99 is that of the last second."""
        if self._live is not None:
            self._live.update(Text(self._line(glimpse), style="dim", no_wrap=True), refresh=True)
        self._before = glimpse

    def end(self, result: Result, folder: Path) -> None:
        """Show the numbers, the knee if one was sought, the verdict, and where the report is."""
        self._stop()
        self._console.print("", _quantiles(result), "", highlight=False)
        if result.knee is not None:
            self._say(f"knee: {wording.knee(result.knee)}")
        self._say(f"memory: {wording.growth(result.memory)}")
        colour = _COLOURS[result.verdict.outcome]
        self._console.print(f"[{colour}]{result.verdict.outcome}[/]", highlight=False)
        for reason in result.verdict.reasons:
            self._console.print(
                f"  [{_COLOURS[reason.outcome]}]-[/] {escape(reason.text)}", highlight=False
            )
        self._say(f"report: {shown(folder.absolute())}/report.html and report.json")

    def _line(self, glimpse: Glimpse) -> str:
        before = self._before
        sent = glimpse.sent - (before.sent if before is not None else 0)
        spent = glimpse.at - before.at if before is not None else 1.0
        p99 = "–" if glimpse.p99 is None else wording.span(glimpse.p99)
        return (
            f"  {max(0.0, glimpse.at):.0f} s  {wording.rate(sent / max(spent, 0.1))}  "
            f"{glimpse.done:,} done  {glimpse.sent - glimpse.done:,} outstanding  "
            f"{glimpse.failed:,} failed  p99 {p99}"
        )

    def _say(self, text: str) -> None:
        self._console.print(escape(text), highlight=False)

    def _stop(self) -> None:
        if self._live is not None:
            self._live.stop()
            self._live = None


def _quantiles(result: Result) -> Table:
    table = Table(box=None, pad_edge=False)
    table.add_column("")
    table.add_column("from when it was due")
    table.add_column("from when it was sent")
    for response, service in zip(result.run.response, result.run.service, strict=True):
        table.add_row(response.name, wording.estimate(response), wording.estimate(service))
    return table
