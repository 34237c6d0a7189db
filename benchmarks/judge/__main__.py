"""`python -m benchmarks.judge`: play seeded rollouts to judges and print one table."""

from pathlib import Path

import click
from rich.console import Console
from rich.progress import track

from benchmarks.judge.case import Case
from benchmarks.judge.cases import FAMILIES, SETS, cases
from benchmarks.judge.detail import cells, wrong
from benchmarks.judge.play import Factory, Run, load, play
from benchmarks.judge.report import Columns, columns, losses, markdown, paste, show, write
from benchmarks.judge.rivals.names import RIVALS

OURS = "ours"
JUDGES = {OURS: "steelyard.rollout.judge:Judge", **RIVALS}
QUICK, FULL = 3, 40
CHOICE = click.Choice([family.name for family in FAMILIES])


@click.command()
@click.option("--judge", "names", multiple=True, help=f"{', '.join(JUDGES)}, or module:factory.")
@click.option("--family", "families", multiple=True, type=CHOICE, help="Only this; repeatable.")
@click.option("--seeds", type=click.IntRange(1), help=f"Runs of each cell [{FULL}].")
@click.option("--quick", is_flag=True, help=f"{QUICK} runs of each cell.")
@click.option("--set", "chosen", type=click.Choice(list(SETS)), default="dev", show_default=True)
@click.option("--detail", is_flag=True, help="A table of cells for each judge, and wrong runs.")
@click.option("--out", type=click.Path(path_type=Path), default="build/bench/judge")
@click.option("--page", type=click.Path(path_type=Path), help="A page to put the table into.")
def main(
    names: tuple[str, ...],
    families: tuple[str, ...],
    seeds: int | None,
    quick: bool,
    chosen: str,
    detail: bool,
    out: Path,
    page: Path | None,
) -> None:
    """Play the cases of a set to each judge; all that are known unless some are named."""
    factories = {name: load(JUDGES.get(name, name)) for name in names or JUDGES}
    count = seeds or (QUICK if quick else FULL)
    progress = Console(stderr=True)
    made = list(track(cases(chosen, count, families), "making cases", console=progress))
    runs = {name: _play(made, factory, name, progress) for name, factory in factories.items()}
    if detail:
        _detail(runs)
    found = columns(runs)
    show(found)
    lost = losses(found, OURS)
    if lost:
        print("Where ours loses:", *lost, sep="\n  ")
    write(found, out, {"set": chosen, "seeds": count, "cases": len(made), "losses": lost})
    if page is not None:
        paste(page, _page(found, lost, f"Set `{chosen}`, {count} runs of each cell"))


def _page(found: Columns, lost: list[str], what: str) -> str:
    where = "\n".join(f"- {line}" for line in lost) or "- nowhere"
    return f"{what}.\n\n{markdown(found)}\nWhere ours loses:\n\n{where}\n"


def _play(made: list[Case], factory: Factory, name: str, console: Console) -> list[Run]:
    return [play(case, factory) for case in track(made, name, console=console)]


def _detail(runs: dict[str, list[Run]]) -> None:
    for name, found in runs.items():
        Console(width=120).print(cells(name, found))
        print(*wrong(found), sep="\n")


if __name__ == "__main__":
    main()
