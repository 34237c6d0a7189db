"""How many healthy rollouts it takes to say that few are rolled back, and play as many."""

from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import islice

from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn
from scipy.stats import beta

from benchmarks.judge.cases import in_turn
from benchmarks.judge.detail import wrong
from benchmarks.judge.play import Factory, Run, play
from benchmarks.judge.report import PROMISED, table
from benchmarks.judge.scoring import rolled_back

CONFIDENCE = 0.95
MOST = 1_000_000
"""Beyond so many runs a claim is out of reach."""


@dataclass(frozen=True)
class Claim:
    """At most `share` of the healthy rollouts of these families are rolled back."""

    name: str
    families: tuple[str, ...]
    share: float


ALL = Claim("all healthy", PROMISED, 0.001)
BURSTS = Claim("bursts", ("bursts",), 0.01)
STRICT = Claim("bursts", ("bursts",), 0.005)
CLAIMS = {"two minutes": (ALL, STRICT)}


def claims(judge: str, families: Collection[str] = PROMISED) -> list[Claim]:
    """Return what is claimed of a judge, and can be shown with these families."""
    return [it for it in CLAIMS.get(judge, (ALL, BURSTS)) if set(it.families) <= set(families)]


def most(hits: int, of: int) -> float:
    """
    Return the share that `hits` of `of` runs still allow with 95 % confidence.

    The one-sided bound of Clopper and Pearson (1934); without hits about 3 / `of`.
    """
    return 1.0 if hits >= of else float(beta.ppf(CONFIDENCE, hits + 1, of - hits))


@lru_cache(maxsize=1000)
def needed(hits: int, share: float) -> int:
    """Return how many runs with `hits` among them say "at most `share`"."""
    low, high = hits, MOST
    while low + 1 < high:
        middle = (low + high) // 2
        low, high = (low, middle) if most(hits, middle) <= share else (middle, high)
    return high


def healthy(
    factory: Factory, name: str, chosen: str, families: Sequence[str], runs: int, console: Console
) -> list[Run]:
    """Play `runs` healthy rollouts; fewer once no claim can hold within so many, or on Ctrl-C."""
    found: list[Run] = []
    held = [it for it in claims(name, families) if needed(0, it.share) <= runs]
    with _progress(console) as progress:
        task = progress.add_task(name, total=runs, back=0)
        try:
            for case in islice(in_turn(chosen, families), runs):
                found.append(play(case, factory))
                progress.update(task, advance=1, back=rolled_back(found).hits)
                if held and all(needed(_of(it, found)[0], it.share) > runs for it in held):
                    console.print(f"{name}: no claim can hold within {runs:,} runs, ended early")
                    break
        except KeyboardInterrupt:
            console.print(f"{name}: interrupted, {len(found):,} of {runs:,} runs were played")
    return found


def _progress(console: Console) -> Progress:
    back = TextColumn("{task.fields[back]} rolled back")
    said = TextColumn("{task.description}")
    return Progress(
        said, BarColumn(), MofNCompleteColumn(), back, TimeRemainingColumn(), console=console
    )


def _of(claim: Claim, runs: Sequence[Run]) -> tuple[int, int]:
    share = rolled_back([run for run in runs if run.case.family in claim.families])
    return share.hits, share.of


def section(runs: dict[str, list[Run]]) -> str:
    """Return what the runs say of each judge's claims, in Markdown."""
    head = ("judge", "claim", "rolled back", "at most (95 %)", "", "runs that would say so")
    return table(head, [row for name, found in runs.items() for row in _rows(name, found)])


def _rows(name: str, runs: Sequence[Run]) -> Iterator[tuple[str, ...]]:
    for claim in claims(name, {run.case.family for run in runs}):
        hits, of = _of(claim, runs)
        found, enough = most(hits, of), needed(hits, claim.share)
        yield (
            name,
            f"{claim.name} <= {claim.share:.1%}",
            f"{hits:,} of {of:,}",
            f"{found:.2%}",
            "shown" if found <= claim.share else "not shown",
            f"{enough:,}" if enough < MOST else "-",
        )


def mistakes(runs: dict[str, list[Run]]) -> list[str]:
    """Return a line for each run that was not promoted."""
    return [f"{name}: {line}" for name, found in runs.items() for line in wrong(found)]
