"""The trade-off over the knobs of our judge, as a table and as a picture."""

import math
from xml.etree import ElementTree

import pytest

from benchmarks.judge import curve
from benchmarks.judge.cases import FAMILIES, cases
from benchmarks.judge.curve import ALPHA, BAKE, HERE, KNOBS, point
from benchmarks.judge.play import Run

HEALTHY = list(cases("dev", 1, ("bursts", "edge of tolerance")))
DEAD = list(cases("dev", 1, ("dead",)))


def made(setting, ticks, back=0):
    """Return the point of a setting: healthy ticks, and how many healthy runs are rolled back."""
    runs = [
        Run(case, "rolled back" if index < back else "promoted", (0,) * ticks, 0.0)
        for index, case in enumerate(HEALTHY)
    ]
    return point(setting, runs + [Run(case, "rolled back", (0,) * 25, 0.0) for case in DEAD])


def test_a_point_keeps_what_is_promised_apart_from_what_lies_beyond():
    found = made(HERE, 12, back=5)

    assert (found.false.hits, found.false.of) == (4, 4)
    assert (found.stress.hits, found.stress.of) == (1, 4)
    assert math.isnan(found.ticks)
    assert found.detected.value == 1.0
    assert found.harm > 1


def faulty(case_list, stage):
    return [Run(case, "rolled back", (stage,) * 25, 0.0) for case in case_list]


def test_harm_is_the_geometric_mean_over_families():
    load = list(cases("dev", 1, ("load",)))
    alone, both = point(HERE, faulty(DEAD, 0)), point(HERE, faulty(DEAD, 0) + faulty(load, 3))

    assert both.load > 1
    assert both.harm == pytest.approx(math.sqrt(alone.harm * both.load))


def test_a_family_in_which_nobody_was_hurt_says_nothing_of_harm():
    load = list(cases("dev", 1, ("load",)))
    found = point(HERE, faulty(DEAD, 0) + faulty(load, 0))

    assert math.isnan(found.load)
    assert found.harm == point(HERE, faulty(DEAD, 0)).harm


def test_the_published_setting_stands_on_the_curve_of_every_knob():
    found = [made(HERE, 12), *(made(it, 10 + index) for index, it in enumerate(KNOBS))]

    root = ElementTree.fromstring(curve.picture(found))

    texts = [it.text for it in root.iter() if it.tag.endswith("text")]
    rings = [it for it in root.iter() if it.get("stroke-width") == "2"]
    assert len(rings) == len(curve.AXES)
    assert {BAKE, ALPHA, "x 0.5", "0.001", "two minutes"} <= set(texts)
    paths = [it.get("points").split() for it in root.iter() if it.tag.endswith("polyline")]
    ring = f"{rings[0].get('cx')},{rings[0].get('cy')}"
    assert all(ring in path for path in paths[: len(curve.PUBLISHED)])


def test_a_knobs_line_goes_from_its_least_to_its_greatest_value():
    ticks = {0.5: 8, 0.75: 14, 1.5: 13, 2.0: 30, 4.0: 50}
    found = [made(HERE, 12), *(made(it, ticks[it.value]) for it in KNOBS if it.knob == BAKE)]

    root = ElementTree.fromstring(curve.picture(found))

    line = next(it.get("points").split() for it in root.iter() if it.tag.endswith("polyline"))
    across = [float(it.split(",")[0]) for it in line]
    assert [sorted(across).index(it) for it in across] == [0, 3, 1, 2, 4, 5]


def test_more_rollouts_are_played_where_false_rollbacks_are_counted():
    found = curve.played("dev", 1, ("bursts", "long bursts"))

    assert [it.family for it in found].count("bursts") == 4
    assert [it.family for it in found].count("long bursts") == 4 * curve.MORE


def test_without_families_every_case_is_played():
    assert {it.family for it in curve.played("dev", 1, ())} == {it.name for it in FAMILIES}


def test_the_table_has_a_row_for_each_setting():
    page = curve.section([made(HERE, 12), made(KNOBS[0], 8, back=1)]).splitlines()

    assert page[2].startswith("|  | as published | 12.00 | ")
    assert page[3].startswith("| bake | x 0.5 | 8.00 | ")
    assert page[3].endswith("| 100.0% | 25.0% | 0.0% |")
