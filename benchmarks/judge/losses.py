"""Where other rules do better than ours: in a figure, or in single cells of a family."""

from collections.abc import Collection, Sequence
from statistics import fmean

from benchmarks.judge.play import Run
from benchmarks.judge.report import Columns, better
from benchmarks.judge.scoring import score

Cell = tuple[str, str, str]


def harms(runs: Sequence[Run]) -> dict[Cell, float]:
    """Return the mean harm in each cell: family, scenario and traffic."""
    found: dict[Cell, list[float]] = {}
    for run in runs:
        if run.case.world.fault is not None and (ratio := score(run).ratio) is not None:
            cell = run.case.family, run.case.scenario, run.case.level
            found.setdefault(cell, []).append(ratio)
    return {cell: fmean(ratios) for cell, ratios in found.items()}


def losses(
    found: Columns, runs: dict[str, list[Run]], ours: str, friends: Collection[str]
) -> list[str]:
    """
    Return a line for each figure in which rivals are better than ours, and which.

    A rival that does less harm in some cells of a family is named with their number, though it may
    do more in the family. `friends` are no rivals: our other profiles, and one who was told.
    """
    rivals = {judge: column for judge, column in found.items() if judge not in (ours, *friends)}
    cells = {judge: harms(runs[judge]) for judge in (ours, *rivals) if judge in runs}
    lines = []
    for name, row in found.get(ours, {}).items():
        if name.startswith("CPU"):
            continue
        said = []
        for judge, column in rivals.items():
            won, of = _won(name, cells.get(ours, {}), cells.get(judge, {}))
            if name in column and (won or better(name, column[name].number, row.number)):
                tail = f" ({won} of {of} cells)" if won else ""
                said.append(f"{judge} {column[name].short}{tail}")
        if said:
            lines.append(f"{name}: ours {row.short}; {', '.join(said)}")
    return lines


def _won(name: str, ours: dict[Cell, float], theirs: dict[Cell, float]) -> tuple[int, int]:
    """Return in how many cells of a family's harm a rival does less, and of how many."""
    shared = [cell for cell in ours if cell in theirs and name == f"harm, {cell[0]}"]
    return sum(theirs[cell] < ours[cell] for cell in shared), len(shared)
