"""Make cases: which scenario at which traffic, drawn from which seed."""

import zlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass
from itertools import count

import numpy as np

from benchmarks.judge import faulty, healthy
from benchmarks.judge.case import Case
from benchmarks.judge.delivery import KINDS
from benchmarks.judge.perfect import perfect
from benchmarks.judge.setting import LEVELS, Scenario, setting
from benchmarks.judge.world import World

SETS = {"dev": 1, "check": 2, "final": 3}
"""Sets of cases that share no seed: tune on one, check on another, publish the third."""
ALL = tuple(LEVELS)
BUSY = ("high", "mid", "low")


@dataclass(frozen=True)
class Family:
    """Scenarios that are reported together, each with the traffic levels it is played at."""

    name: str
    scenarios: dict[str, tuple[Scenario, tuple[str, ...]]]
    is_healthy: bool = False


FAMILIES = (
    Family(
        "healthy",
        {
            "identical": (healthy.identical, ALL),
            "tolerated": (healthy.tolerated, ALL),
            "better": (healthy.better, ALL),
            "shared outage": (healthy.shared_outage, ALL),
            "day cycle": (healthy.day_cycle, ALL),
            "warm-up": (healthy.warm_up, ALL),
            "noisy neighbour": (healthy.noisy_neighbour, ALL),
            **{kind: (healthy.delivered(kind), ALL) for kind in KINDS},
        },
        is_healthy=True,
    ),
    Family("bursts", {"bursts": (healthy.bursts, ALL)}, is_healthy=True),
    Family("edge of tolerance", {"edge": (healthy.edge, ALL)}, is_healthy=True),
    Family("overdispersed", {"overdispersed": (healthy.overdispersed, ALL)}, is_healthy=True),
    Family("long bursts", {"long bursts": (healthy.long_bursts, ALL)}, is_healthy=True),
    Family("small errors", {"small": (faulty.small_errors, BUSY)}),
    Family(
        "large errors",
        {"large": (faulty.large_errors, ALL), "in an outage": (faulty.in_an_outage, ALL)},
    ),
    Family("large among bursts", {"among bursts": (faulty.among_bursts, BUSY)}),
    Family("client errors", {"refused": (faulty.client_errors, BUSY)}),
    Family(
        "in time",
        {
            "slow ramp": (faulty.slow_ramp, BUSY),
            "late onset": (faulty.late_onset, BUSY),
            "intermittent": (faulty.intermittent, BUSY),
        },
    ),
    Family(
        "latency",
        {
            "tail only": (faulty.tail_only, BUSY),
            "shift": (faulty.shift, ALL),
            "bimodal": (faulty.bimodal, BUSY),
            "time-outs": (faulty.time_outs, BUSY),
        },
    ),
    Family(
        "predictions",
        {
            "mean shift": (faulty.mean_shift, BUSY),
            "collapse": (faulty.collapse, ALL),
            "tripled": (faulty.tripled, BUSY),
        },
    ),
    Family(
        "dead",
        {
            "dead": (faulty.dead, ALL),
            "dies": (faulty.dies, ALL),
            "silent": (faulty.silent, ALL),
            "falls silent": (faulty.falls_silent, ALL),
        },
    ),
    Family("delivery", {kind: (faulty.badly_delivered(kind), BUSY) for kind in KINDS}),
    Family(
        "load",
        {
            f"{kind} at {percent} %": (faulty.under_load(stage, kind), BUSY)
            for kind in ("errors", "latency")
            for stage, percent in ((2, 25), (3, 50))
        },
    ),
)


DECIDABLE = {"high": 10, "mid": 10, "low": 10, "tiny": 15}
"""Ticks in which the perfect rule must be done: else the case is about traffic, not judges."""


def make(family: Family, scenario: str, level: str, seed: tuple[int, ...]) -> Case:
    """Return the case of a seed; one that not even the perfect rule decides is drawn again."""
    build = family.scenarios[scenario][0]
    for attempt in count():
        found = built(family.name, scenario, level, build, (*seed, attempt))
        onset = faulty.ONSET[level]
        if found.world.fault is None or perfect(found).ticks <= DECIDABLE[level] + onset:
            return found
    raise AssertionError("unreachable: count() does not end")


def built(family: str, scenario: str, level: str, build: Scenario, seed: tuple[int, ...]) -> Case:
    """Return the case that a scenario makes of a seed."""
    at = setting(np.random.default_rng(seed), level)
    plot = build(at)
    world = World(at.base, at.traffic, plot.conditions, plot.fault, plot.first_stage)
    return Case(family, scenario, level, seed, at.spec, world, plot.delivery)


def seed_of(
    chosen: str, family: str, scenario: str, level: str, number: int
) -> tuple[int, int, int]:
    """Return the seed of a cell's case; sets share none."""
    return SETS[chosen], zlib.crc32(f"{family}/{scenario}/{level}".encode()), number


def cases(chosen: str, seeds: int, families: Collection[str] = ()) -> Iterator[Case]:
    """Yield the cases of a set, `seeds` of each scenario and level."""
    for cell in _cells(families):
        for number in range(seeds):
            yield _numbered(chosen, cell, number)


def in_turn(chosen: str, families: Collection[str]) -> Iterator[Case]:
    """Yield the same cases without end, one of each cell in turn: any number is balanced."""
    cells = list(_cells(families))
    return (_numbered(chosen, cell, number) for number in count() for cell in cells)


Cell = tuple[Family, str, str]


def _cells(families: Collection[str]) -> Iterator[Cell]:
    for family in FAMILIES:
        if not families or family.name in families:
            for scenario, (_, levels) in family.scenarios.items():
                yield from ((family, scenario, level) for level in levels)


def _numbered(chosen: str, cell: Cell, number: int) -> Case:
    family, scenario, level = cell
    return make(*cell, seed_of(chosen, family.name, scenario, level, number))
