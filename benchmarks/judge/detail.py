"""What a judge did in each cell, and each run that ended wrongly: to find out why."""

from collections.abc import Iterator, Sequence
from statistics import fmean

from rich.table import Table

from benchmarks.judge.play import Run
from benchmarks.judge.scoring import score


def cells(name: str, runs: Sequence[Run]) -> Table:
    """Return one row for each family, scenario and traffic level of a judge's runs."""
    found: dict[tuple[str, str, str], list[Run]] = {}
    for run in runs:
        case = run.case
        found.setdefault((case.family, case.scenario, case.level), []).append(run)
    columns = ("family", "scenario", "traffic", "runs", "rolled back", "ticks", "harm", "worst")
    table = Table(*columns, title=name)
    for key, group in found.items():
        back = sum(run.ending == "rolled back" for run in group)
        ticks = fmean(len(run.stages) for run in group)
        table.add_row(*key, str(len(group)), str(back), f"{ticks:.1f}", *_harm(group))
    return table


def _harm(group: Sequence[Run]) -> tuple[str, str]:
    if group[0].case.world.fault is None:
        return "", ""
    ratios = [it.ratio for it in map(score, group) if it.ratio is not None]
    if not ratios:
        return "", ""
    return f"{fmean(ratios):.2f}", f"{max(ratios):.2f}"


def wrong(runs: Sequence[Run]) -> Iterator[str]:
    """Yield a line for each run whose ending is not what its case deserves."""
    for run in runs:
        case = run.case
        deserved = "promoted" if case.world.fault is None else "rolled back"
        if run.ending != deserved:
            what = f"{case.family} / {case.scenario} / {case.level} / seed {case.seed}"
            held = [run.stages.count(stage) for stage in range(run.stages[-1] + 1)]
            yield f"{what}: {run.ending}, ticks at each step {held}"
