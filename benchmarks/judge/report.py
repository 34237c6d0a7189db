"""One table of judges: a row for each figure, a column for each judge, and the files of it."""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.table import Table

from benchmarks.judge.cases import FAMILIES
from benchmarks.judge.play import Run
from benchmarks.judge.scoring import (
    Ratio,
    Scored,
    Share,
    by_cell,
    ratio,
    rolled_back,
    score,
    stuck,
    ticks,
)
from benchmarks.judge.setting import LEVELS

PROMISED = ("healthy", "bursts")
"""Families whose false rollbacks make the one figure; the other healthy ones have their own."""
HEALTHY = tuple(family.name for family in FAMILIES if family.is_healthy)
END = "<!-- end -->"
WIDE = 3
"""How many judges fit a terminal with their intervals."""


@dataclass(frozen=True)
class Row:
    """One figure of one judge: for people without and with its interval, and for programs."""

    name: str
    short: str
    text: str
    value: dict[str, Any]

    @property
    def number(self) -> float:
        """Return the figure itself."""
        return float(self.value["value"])


def rows(runs: Sequence[Run]) -> Iterator[Row]:
    """Yield every figure of one judge's runs."""
    yield from _healthy(runs)
    scored = [score(run) for run in runs if run.case.family not in HEALTHY]
    for family in dict.fromkeys(it.run.case.family for it in scored):
        yield from _harm(family, [it for it in scored if it.run.case.family == family])
    if scored:
        early = sum(it.ratio is None for it in scored)
        yield _share("rolled back before the fault", Share(early, len(scored)))
    spent = ratio([[it.spent for it in scored if it.spent is not None]])
    if spent is not None:
        yield _ratio("information spent / bound", spent)
    taken = sum(len(run.stages) for run in runs)
    yield _plain("CPU per tick, ms", 1000 * sum(run.seconds for run in runs) / max(1, taken))


def _healthy(runs: Sequence[Run]) -> Iterator[Row]:
    promised = [run for run in runs if run.case.family in PROMISED]
    if promised:
        yield _share("false rollback, all healthy", rolled_back(promised))
        yield _worst(promised)
    for family in HEALTHY[1:]:
        found = [run for run in runs if run.case.family == family]
        if found:
            yield _share(f"false rollback, {family}", rolled_back(found))
    for level in LEVELS:
        taken = ticks(run for run in promised if run.case.level == level)
        if taken is not None:
            yield _plain(f"ticks to promotion, {level}", taken)
    if promised:
        yield _share("healthy, stuck", stuck(promised))


def _worst(runs: Sequence[Run]) -> Row:
    groups: dict[str, list[Run]] = {}
    for run in runs:
        groups.setdefault(f"{run.case.scenario}, {run.case.level}", []).append(run)
    name = max(groups, key=lambda name: rolled_back(groups[name]).value)
    found = _share("false rollback, worst cell", rolled_back(groups[name]))
    at = f" {name}" if found.value["hits"] else ""
    value = {**found.value, "cell": name}
    return Row(found.name, found.short + at, found.text + at, value)


def _harm(family: str, scored: Sequence[Scored]) -> Iterator[Row]:
    found = ratio(by_cell(scored))
    if found is None:
        return
    yield _ratio(f"harm, {family}", found)
    counted = [it for it in scored if it.ratio is not None]
    seen = sum(it.run.ending == "rolled back" for it in counted)
    yield _share(f"detected, {family}", Share(seen, len(counted)))


def _plain(name: str, value: float) -> Row:
    return Row(name, f"{value:.2f}", f"{value:.2f}", {"value": value})


def _share(name: str, share: Share) -> Row:
    low, high = share.interval
    value = {"value": share.value, **asdict(share), "low": low, "high": high}
    short = f"{share.value:.1%}"
    return Row(name, short, f"{short} [{low:.1%}, {high:.1%}]", value)


def _ratio(name: str, found: Ratio) -> Row:
    short = _digits(found.value)
    text = f"{short} [{_digits(found.low)}, {_digits(found.high)}]"
    return Row(name, short, text, asdict(found))


def _digits(value: float) -> str:
    return "∞" if value > 1e9 else f"{value:,.0f}" if value >= 100 else f"{value:.3g}"


Columns = dict[str, dict[str, Row]]


def columns(runs: dict[str, list[Run]]) -> Columns:
    """Return each judge's figures by name."""
    return {judge: {row.name: row for row in rows(found)} for judge, found in runs.items()}


def better(name: str, one: float, other: float) -> bool:
    """Say whether `one` is better than `other` in a figure; more is better only of detections."""
    return one > other if name.startswith("detected") else one < other


def markdown(found: Columns, ours: str = "", friends: Collection[str] = ()) -> str:
    """
    Return the table in Markdown, with the intervals.

    What a rival does better than `ours` is bold; `friends` are no rivals.
    """
    known = found.get(ours, {})
    lines = [
        (
            name,
            *(_cell(column, name, {} if it in friends else known) for it, column in found.items()),
        )
        for name in _names(found)
    ]
    return table(("", *found), lines)


def _cell(column: dict[str, Row], name: str, ours: dict[str, Row]) -> str:
    row = column.get(name)
    if row is None:
        return ""
    is_better = name in ours and better(name, row.number, ours[name].number)
    return f"**{row.text}**" if is_better else row.text


def table(head: Sequence[str], lines: Sequence[Sequence[str]]) -> str:
    """Return a table in Markdown."""
    every = (head, ["---"] * len(head), *lines)
    return "".join(f"| {' | '.join(cells)} |\n" for cells in every)


def paste(page: Path, text: str, mark: str = "run") -> None:
    """
    Replace what stands on a page between `<!-- MARK -->` and the next `<!-- end -->`.

    Raises ValueError if the page does not have them.
    """
    begin = f"<!-- {mark} -->"
    head, _, rest = page.read_text("utf-8").partition(begin)
    _, end, tail = rest.partition(END)
    if not end:
        raise ValueError(f"{page}: given a page without {begin} and {END}: put them where it goes")
    page.write_text(f"{head}{begin}\n\n{text}\n{end}{tail}", "utf-8")


def show(found: Columns) -> None:
    """Print the table; with many judges, without the intervals, which stand in the files."""
    console = Console()
    console.width = max(console.width, 38 + 14 * len(found))  # a long line beats cut figures
    printed = Table()
    printed.add_column(no_wrap=True)
    for judge in found:
        printed.add_column(judge)
    for name in _names(found):
        cells = [column.get(name) for column in found.values()]
        texts = ["" if it is None else it.short if len(found) > WIDE else it.text for it in cells]
        printed.add_row(name, *texts)
    console.print(printed)


def write(found: Columns, folder: Path, about: dict[str, Any], text: str) -> None:
    """Write the table in Markdown as `table.md`; as `table.json`, with what it is `about`."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "table.md").write_text(text, "utf-8")
    values = {
        judge: {name: row.value for name, row in column.items()} for judge, column in found.items()
    }
    (folder / "table.json").write_text(json.dumps({**about, "judges": values}, indent=1), "utf-8")


def _names(found: Columns) -> list[str]:
    """Return the names of all figures, in the order in which they came."""
    return list(dict.fromkeys(name for column in found.values() for name in column))
