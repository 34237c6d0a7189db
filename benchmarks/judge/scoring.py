"""Turn runs into figures: false rollbacks, ticks, harm beside the perfect rule, with bounds."""

import math
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import NormalDist, fmean, variance

from benchmarks.judge.channel import best
from benchmarks.judge.faults import Broken
from benchmarks.judge.perfect import harm, perfect
from benchmarks.judge.play import Run

Z = NormalDist().inv_cdf(0.975)


@dataclass(frozen=True)
class Share:
    """How many of how many, with the 95 % interval of Wilson (1927)."""

    hits: int
    of: int

    @property
    def value(self) -> float:
        """Return the share itself; 0 of 0 is 0."""
        return self.hits / self.of if self.of else 0.0

    @property
    def interval(self) -> tuple[float, float]:
        """Return the interval's ends."""
        if not self.of:
            return 0.0, 1.0
        n, p = self.of, self.value
        middle = (p + Z**2 / (2 * n)) / (1 + Z**2 / n)
        half = Z / (1 + Z**2 / n) * math.sqrt(p * (1 - p) / n + Z**2 / (4 * n**2))
        return max(0.0, middle - half), min(1.0, middle + half)


@dataclass(frozen=True)
class Ratio:
    """An estimate with its 95 % interval (normal, of the logarithm), from `of` runs."""

    value: float
    low: float
    high: float
    of: int


def ratio(cells: Iterable[Sequence[float]]) -> Ratio | None:
    """
    Return the geometric mean over cells of the mean in each cell; None if there are no values.

    The mean in a cell is the expected harm, in which a miss counts fully; the geometric mean over
    cells lets no traffic level and no scenario outweigh another. A cell of one run is taken to
    spread like the others.
    """
    known = [cell for cell in cells if cell]
    if not known:
        return None
    middle = fmean(math.log(fmean(cell)) for cell in known)
    variances = [_variance(cell) for cell in known if len(cell) > 1]
    half = Z * math.sqrt(fmean(variances or [math.inf]) / len(known))
    low, high = math.exp(middle - half), math.exp(min(700.0, middle + half))
    return Ratio(math.exp(middle), low, high, sum(len(cell) for cell in known))


def _variance(cell: Sequence[float]) -> float:
    """Return the variance of the logarithm of a cell's mean (delta method)."""
    return variance(cell) / len(cell) / fmean(cell) ** 2


@dataclass(frozen=True)
class Scored:
    """
    What a run with a fault came to.

    `ratio` is the harm over the perfect rule's, None if the rollback came before the fault had
    hurt anyone; `spent` is the information over the bound, None where it says nothing.
    """

    run: Run
    ratio: float | None
    spent: float | None

    @property
    def cell(self) -> tuple[str, str]:
        """Return what runs are alike: scenario and traffic."""
        return self.run.case.scenario, self.run.case.level


def score(run: Run) -> Scored:
    """Return the harm of a run beside the perfect rule's, and the information it spent."""
    done = harm(run.case, run.stages, run.ending == "promoted")
    if done == 0.0:
        return Scored(run, None, None)
    return Scored(run, done / perfect(run.case).harm, _spent(run))


SMOOTH = 1.5
"""Up to which multiple of the bound the perfect rule's last minute may take it."""


def _spent(run: Run) -> float | None:
    """
    Return expected information up to the rollback over ln(1/alpha).

    Only of detected faults at which the perfect rule stops near the bound: where one minute tells
    many times what is needed, the ratio is the traffic's.
    """
    case = run.case
    needed = math.log(1 / case.spec["alpha"])
    if run.ending != "rolled back" or perfect(case).information > SMOOTH * needed:
        return None
    if not isinstance(case.world.fault, Broken):
        return None
    total = sum(
        case.steps[stage] * case.world.requests(minute) * best(case, minute, stage).nats
        for minute, stage in enumerate(run.stages)
    )
    return total / needed


def by_cell(scored: Iterable[Scored]) -> list[list[float]]:
    """Return the ratios of runs, those of a scenario at a level together."""
    cells: dict[tuple[str, str], list[float]] = {}
    for it in scored:
        if it.ratio is not None:
            cells.setdefault(it.cell, []).append(it.ratio)
    return list(cells.values())


def rolled_back(runs: Sequence[Run]) -> Share:
    """Return how many runs were rolled back."""
    return Share(sum(run.ending == "rolled back" for run in runs), len(runs))


def stuck(runs: Sequence[Run]) -> Share:
    """Return how many runs were still open at the horizon."""
    return Share(sum(run.ending == "stuck" for run in runs), len(runs))


def ticks(runs: Iterable[Run]) -> float | None:
    """Return the mean ticks of promoted runs."""
    taken = [len(run.stages) for run in runs if run.ending == "promoted"]
    return fmean(taken) if taken else None
