"""Sections of the page: which cases are played to which judges, and where the figures go."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console
from rich.markdown import Markdown
from rich.progress import track

from benchmarks.judge import claims, curve, promotion
from benchmarks.judge.case import Case
from benchmarks.judge.cases import cases
from benchmarks.judge.detail import cells, wrong
from benchmarks.judge.losses import losses
from benchmarks.judge.play import Factory, Run, play
from benchmarks.judge.report import PROMISED, columns, markdown, paste, show, write
from benchmarks.judge.rivals.names import RIVALS

OURS, PATIENT, TOLD = "ours", "two minutes", "told"
JUDGES = {
    OURS: "benchmarks.judge.profiles:OURS",
    PATIENT: "benchmarks.judge.profiles:PATIENT",
    **RIVALS,
}
FRIENDS = (PATIENT, TOLD)
"""Judges in the table that are no rivals of ours."""


@dataclass(frozen=True)
class Order:
    """What to play, and where the figures go."""

    factories: dict[str, Factory]
    families: tuple[str, ...]
    chosen: str
    seeds: int
    out: Path
    page: Path | None
    progress: Console

    @property
    def what(self) -> str:
        """Return what was played, for a page."""
        only = f", {', '.join(self.families)} only" if self.families else ""
        return f"Set `{self.chosen}`, runs of each cell: {self.seeds}{only}."

    def watch(self, made: Iterable[Case], name: str) -> Iterator[Case]:
        """Hand on cases, and show how many are done."""
        yield from track(made, name, console=self.progress)

    def played(self) -> dict[str, list[Run]]:
        """Return how the cases went under each judge."""
        made = list(self.watch(cases(self.chosen, self.seeds, self.families), "making cases"))
        return {
            name: [play(case, factory) for case in self.watch(made, name)]
            for name, factory in self.factories.items()
        }

    def publish(self, mark: str, text: str) -> None:
        """Print a section, keep it as a file, and put it into the page."""
        Console().print(Markdown(text))
        self.out.mkdir(parents=True, exist_ok=True)
        (self.out / f"{mark}.md").write_text(text, "utf-8")
        if self.page is not None:
            paste(self.page, text, mark)


def healthy(order: Order, runs: int) -> None:
    """Play many healthy rollouts, and say which claims they show."""
    families = order.families or PROMISED
    found = {
        name: claims.healthy(factory, name, order.chosen, families, runs, order.progress)
        for name, factory in order.factories.items()
    }
    order.publish("healthy", f"Set `{order.chosen}`.\n\n{claims.section(found)}")
    print(*claims.mistakes(found), sep="\n")


def margins(order: Order) -> None:
    """Measure what a promotion margin is worth, and what it costs."""
    text = promotion.section(order.chosen, order.seeds, order.watch)
    more = f"Bad challengers: {promotion.MORE} times as many."
    order.publish("promotion", f"{order.what} {more}\n\n{text}")


def tradeoff(order: Order) -> None:
    """Turn the knobs, and draw what comes of it beside the page."""
    made = curve.played(order.chosen, order.seeds, order.families)
    found = curve.points(made, order.watch)
    at = (order.page or order.out / "curve.md").with_suffix(".svg")
    at.parent.mkdir(parents=True, exist_ok=True)
    at.write_text(curve.picture(found), "utf-8")
    image = f"![Harm by ticks to promotion, and by false rollbacks]({at.name})"
    more = f"Of edge of tolerance, overdispersed, long bursts: {curve.MORE} times as many."
    order.publish("curve", f"{order.what} {more}\n\n{image}\n\n{curve.section(found)}")


def table(order: Order, detail: bool) -> None:
    """Play the cases to every judge and put them side by side."""
    runs = order.played()
    for name, played in runs.items() if detail else ():
        Console(width=120).print(cells(name, played))
        print(*wrong(played), sep="\n")
    found = columns(runs)
    show(found)
    lost = losses(found, runs, OURS, FRIENDS)
    if lost:
        print("Where ours loses:", *lost, sep="\n  ")
    text = markdown(found, OURS, FRIENDS)
    made = len(next(iter(runs.values())))
    about = {"set": order.chosen, "seeds": order.seeds, "cases": made, "losses": lost}
    write(found, order.out, about, text)
    if order.page is not None:
        where = "\n".join(f"- {line}" for line in lost) or "- nowhere"
        paste(order.page, f"{order.what}\n\n{text}\nWhere ours loses:\n\n{where}\n")
