"""`python -m benchmarks.judge`: play seeded rollouts to judges and print one table."""

from pathlib import Path

import click
from rich.console import Console

from benchmarks.judge import sections
from benchmarks.judge.cases import FAMILIES, SETS
from benchmarks.judge.play import load
from benchmarks.judge.report import HEALTHY
from benchmarks.judge.sections import JUDGES, OURS, PATIENT, Order

QUICK, FULL = 3, 40
CHOICE = click.Choice([family.name for family in FAMILIES])


@click.command()
@click.option("--judge", "names", multiple=True, help=f"{', '.join(JUDGES)}, or module:factory.")
@click.option("--family", "families", multiple=True, type=CHOICE, help="Only this; repeatable.")
@click.option("--seeds", type=click.IntRange(1), help=f"Runs of each cell [{FULL}].")
@click.option("--quick", is_flag=True, help=f"{QUICK} runs of each cell.")
@click.option("--set", "chosen", type=click.Choice(list(SETS)), default="dev", show_default=True)
@click.option("--detail", is_flag=True, help="A table of cells for each judge, and wrong runs.")
@click.option("--healthy", type=click.IntRange(1), help="Only so many healthy rollouts, of ours.")
@click.option("--promotion", is_flag=True, help="Only what a margin is worth.")
@click.option("--curve", is_flag=True, help="Only the trade-off over two knobs.")
@click.option("--out", type=click.Path(path_type=Path), default="build/bench/judge")
@click.option("--page", type=click.Path(path_type=Path), help="A page to put the figures into.")
def main(
    names: tuple[str, ...],
    families: tuple[str, ...],
    seeds: int | None,
    quick: bool,
    chosen: str,
    detail: bool,
    healthy: int | None,
    promotion: bool,
    curve: bool,
    out: Path,
    page: Path | None,
) -> None:
    """Play the cases of a set to each judge; all that are known unless some are named."""
    if healthy and set(families) - set(HEALTHY):
        raise click.UsageError(
            f"--healthy with --family {', '.join(families)}: allowed are {', '.join(HEALTHY)}"
        )
    known = (OURS, PATIENT) if healthy else JUDGES
    factories = {name: load(JUDGES.get(name, name)) for name in names or known}
    count = seeds or (QUICK if quick else FULL)
    order = Order(factories, families, chosen, count, out, page, Console(stderr=True))
    if healthy:
        sections.healthy(order, healthy)
    elif promotion:
        sections.margins(order)
    elif curve:
        sections.tradeoff(order)
    else:
        sections.table(order, detail)


if __name__ == "__main__":
    main()
