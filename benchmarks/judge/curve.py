"""The trade-off: what a knob of our judge buys in harm, and costs in ticks and rollbacks."""

import math
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, replace
from statistics import fmean

from benchmarks.judge.case import Case
from benchmarks.judge.cases import FAMILIES, cases
from benchmarks.judge.play import Run, play
from benchmarks.judge.plot import Dot, Panel, svg
from benchmarks.judge.profiles import OURS, PATIENT, Profile
from benchmarks.judge.report import HEALTHY, PROMISED, table
from benchmarks.judge.scoring import Share, by_cell, ratio, rolled_back, score, ticks

STRESS = tuple(family for family in HEALTHY if family not in PROMISED)
"""Healthy families at and beyond what is promised: where false rollbacks can be counted."""
MORE = 5
"""How many times as many of those are played."""
BAKE, ALPHA, PATIENCE = "bake", "false_rollback", "patience"


@dataclass(frozen=True)
class Setting:
    """One position of a knob: `value` orders those of a knob."""

    knob: str
    value: float
    label: str
    profile: Profile


HERE = Setting("", 0.0, "as published", OURS)
PUBLISHED = {BAKE: 1.0, ALPHA: 0.01, PATIENCE: 1.0}
"""Where each knob stands in what is published."""
KNOBS = (
    *(Setting(BAKE, it, f"x {it:g}", Profile(bakes=it)) for it in (0.5, 0.75, 1.5, 2.0, 4.0)),
    *(Setting(ALPHA, it, f"{it:g}", Profile({"alpha": it})) for it in (0.001, 0.003, 0.03, 0.1)),
    Setting(PATIENCE, 2.0, "two minutes", PATIENT),
)


@dataclass(frozen=True)
class Point:
    """What our judge does at one setting: geometric means over families, runs as shares."""

    setting: Setting
    ticks: float
    harm: float
    load: float
    detected: Share
    false: Share
    stress: Share


Watch = Callable[[Sequence[Case], str], Iterator[Case]]
"""Hands on cases, and shows how many are done."""


def played(chosen: str, seeds: int, families: Collection[str]) -> list[Case]:
    """Return the cases of a set, and more of those in which false rollbacks are counted."""
    known = families or [family.name for family in FAMILIES]
    usual = [family for family in known if family not in STRESS]
    stress = [family for family in known if family in STRESS]
    return [
        case
        for part, count in ((usual, seeds), (stress, MORE * seeds))
        for case in (cases(chosen, count, part) if part else ())
    ]


def points(made: Sequence[Case], watch: Watch) -> list[Point]:
    """Play the cases at each setting, the published one first."""
    return [
        point(at, [play(case, at.profile) for case in watch(made, f"{at.knob} {at.label}".strip())])
        for at in (HERE, *KNOBS)
    ]


def point(setting: Setting, runs: Sequence[Run]) -> Point:
    """Return the figures of a setting's runs."""
    promised = [run for run in runs if run.case.family in PROMISED]
    stress = [run for run in runs if run.case.family in STRESS]
    faulty = [run for run in runs if run.case.family not in HEALTHY]
    families = {run.case.family: harm(faulty, run.case.family) for run in faulty}
    hurt = [math.log(it) for it in families.values() if not math.isnan(it)]
    return Point(
        setting,
        ticks(promised) or math.nan,
        math.exp(fmean(hurt)) if hurt else math.nan,
        families.get("load", math.nan),
        Share(sum(run.ending == "rolled back" for run in faulty), len(faulty)),
        rolled_back(promised),
        rolled_back(stress),
    )


AXES: dict[str, Callable[[Point], float]] = {
    "ticks to full promotion of a healthy challenger": lambda it: it.ticks,
    "false rollbacks beyond what is promised, %": lambda it: 100 * it.stress.value,
}


def harm(runs: Sequence[Run], family: str) -> float:
    """Return the harm of a family; NaN where no fault had hurt anyone."""
    found = ratio(by_cell(score(run) for run in runs if run.case.family == family))
    return math.nan if found is None else found.value


def section(found: Sequence[Point]) -> str:
    """Return the points as a table in Markdown, those of a knob together."""
    head = (
        "knob",
        "setting",
        "ticks",
        "harm",
        "harm, load",
        "detected",
        "false rollback",
        "stress",
    )
    return table(head, [_row(it) for it in found])


def _row(it: Point) -> tuple[str, ...]:
    figures = (f"{value:.2f}" for value in (it.ticks, it.harm, it.load))
    shares = (f"{share.value:.1%}" for share in (it.detected, it.false, it.stress))
    return it.setting.knob, it.setting.label, *figures, *shares


def picture(found: Sequence[Point]) -> str:
    """Return harm over ticks and over false rollbacks as SVG, the published setting marked."""
    here = found[0]
    panels = [
        Panel(title, _lines(found, across), Dot(across(here), here.harm, ""))
        for title, across in AXES.items()
    ]
    return svg(panels, list(PUBLISHED), "harm beside the perfect rule")


def _lines(found: Sequence[Point], across: Callable[[Point], float]) -> list[list[Dot]]:
    """Return a line of dots for each knob, through the published setting, by `across` and harm."""
    lines = []
    for knob, value in PUBLISHED.items():
        mine = [it for it in found if it.setting.knob == knob]
        through = replace(found[0], setting=replace(HERE, knob=knob, value=value, label=""))
        line = sorted([*mine, through], key=lambda it: it.setting.value)
        lines.append([Dot(across(it), it.harm, it.setting.label) for it in line])
    return lines
