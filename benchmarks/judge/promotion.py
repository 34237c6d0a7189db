"""What a promotion margin is worth: bad challengers that advance on evidence, and what it costs."""

from collections.abc import Callable, Iterator, Sequence
from statistics import fmean

from benchmarks.judge import healthy
from benchmarks.judge.case import Case
from benchmarks.judge.cases import ALL, BUSY, built, seed_of
from benchmarks.judge.claims import most
from benchmarks.judge.play import Run, play
from benchmarks.judge.profiles import OURS, Profile
from benchmarks.judge.report import table
from benchmarks.judge.scoring import Share
from benchmarks.judge.setting import Scenario
from benchmarks.judge.worse import CHANNELS, beyond

MARGIN = 1.0
"""
The promotion margin that bad challengers are worse than, as a multiple of every tolerance.

The narrowest there may be: what is worse than a wider one is rolled back before it could advance.
"""
FACTORS = (2.0, 3.0, 5.0)
"""The margins whose cost is measured."""
FALSE_PROMOTION = 0.05
FAMILY = "promotion"
MORE = 5
"""How many times as many bad challengers are played: theirs is a bound, the cost is a mean."""
HEALTHY = {
    "identical": healthy.identical,
    "tolerated": healthy.tolerated,
    "better": healthy.better,
}

Watch = Callable[[Sequence[Case], str], Iterator[Case]]
"""Hands on cases, and shows how many are done."""


def bad(chosen: str, seeds: int) -> list[Case]:
    """Return challengers that are worse than the margin, `seeds` of each channel and level."""
    return [
        case
        for channel in CHANNELS
        for level in BUSY
        for case in _cases(chosen, channel, level, beyond(channel, MARGIN), seeds)
    ]


def good(chosen: str, seeds: int) -> list[Case]:
    """Return healthy challengers, `seeds` of each scenario and level."""
    return [
        case
        for scenario, build in HEALTHY.items()
        for level in ALL
        for case in _cases(chosen, scenario, level, build, seeds)
    ]


def _cases(chosen: str, name: str, level: str, build: Scenario, seeds: int) -> Iterator[Case]:
    for number in range(seeds):
        seed = seed_of(chosen, FAMILY, name, level, number)
        yield built(FAMILY, name, level, build, seed)


def strict() -> Profile:
    """Return our judge with the margin, that lets nothing advance but on evidence."""
    return Profile({"undecided": "pause", "false_promotion": FALSE_PROMOTION}, MARGIN)


def promoted(runs: Sequence[Run]) -> Share:
    """Return how many were promoted, every step on evidence."""
    return Share(sum(run.ending == "promoted" and run.proven for run in runs), len(runs))


def section(chosen: str, seeds: int, watch: Watch) -> str:
    """Play both halves and return their tables in Markdown."""
    runs = [
        play(case, strict()) for case in watch(bad(chosen, MORE * seeds), "worse than the margin")
    ]
    judges = {"none": OURS, **{f"{it:g}": Profile(margin=it) for it in FACTORS}}
    made = good(chosen, seeds)
    costs = {
        name: [play(case, judge) for case in watch(made, f"healthy, margin {name}")]
        for name, judge in judges.items()
    }
    return f"{false_promotion(runs)}\n{cost(costs)}"


def false_promotion(runs: Sequence[Run]) -> str:
    """Return what became of challengers that are worse than the margin, by channel."""
    head = (
        "worse in",
        "runs",
        "promoted on evidence",
        "at most (95 %)",
        "rolled back or given up",
        "open",
    )
    groups = {channel: [it for it in runs if it.case.scenario == channel] for channel in CHANNELS}
    return table(head, [_endings(name, found) for name, found in groups.items() if found])


def _endings(name: str, runs: Sequence[Run]) -> tuple[str, ...]:
    share = promoted(runs)
    back, still = (sum(run.ending == it for run in runs) for it in ("rolled back", "stuck"))
    bound = f"{most(share.hits, share.of):.1%}"
    return name, str(share.of), f"{share.hits} ({share.value:.1%})", bound, str(back), str(still)


def cost(runs: dict[str, list[Run]]) -> str:
    """Return how many ticks healthy rollouts take with each margin, by traffic."""
    head = ("traffic", *(f"margin {name}" for name in runs))
    return table(head, [(level, *(_ticks(it, level) for it in runs.values())) for level in ALL])


def _ticks(runs: Sequence[Run], level: str) -> str:
    found = [run for run in runs if run.case.level == level]
    done = [run for run in found if run.ending == "promoted"]
    if not done:
        return "-"
    said = f"{fmean(len(run.stages) for run in done):.1f}"
    share = promoted(found)
    said += f", {share.value:.0%} on evidence" if any(run.proven for run in runs) else ""
    return said if len(done) == len(found) else f"{said}, {len(found) - len(done)} not promoted"
