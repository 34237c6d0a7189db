"""Which counters a model version has, what they are called, and when two versions compare."""

import json
from dataclasses import replace

import pytest

from inference.contract.manifest import read_manifest
from inference.counting.layout import FEATURE, SCORE, SCRAPES, Layout, Listed, Ranged
from tests.models import LATENCY_EDGES, write_version

TENTHS = tuple(index / 10 for index in range(11))
LAYOUT = Layout(
    score=TENTHS,
    confidence=tuple(0.5 + index / 20 for index in range(11)),
    seconds=tuple(index / 1000 for index in range(1, 12)),
    features=(
        Ranged("age", TENTHS),
        Listed("member", (False, True)),
        Listed("region", ("north", "south", "east")),
    ),
)
TENS = [f"{index:02d}" for index in range(10)]


@pytest.mark.parametrize("task", ["binary", "regression"])
def test_the_bins_are_the_manifests(tmp_path, task):
    problems: list[str] = []
    manifest = read_manifest(write_version(tmp_path, task=task) / "manifest.json", problems)
    assert problems == []

    layout = Layout.of(manifest)

    written = json.loads((tmp_path / "manifest.json").read_text())
    edges = {name: one and tuple(one["edges"]) for name, one in written["scores"].items()}
    assert (layout.score, layout.confidence) == (edges["score"], edges["confidence"])
    assert layout.seconds == tuple(LATENCY_EDGES)
    assert layout.features == tuple(
        Ranged(row["name"], tuple(row["histogram"]["edges"]))
        if "range" in row
        else Listed(row["name"], tuple(row.get("values", (False, True))))
        for row in written["features"]
    )
    assert {type(feature) for feature in layout.features} == {Ranged, Listed}


def test_every_place_is_taken_by_exactly_one_counter():
    places = [LAYOUT.place(family.name) for family in LAYOUT.families]

    cells = [cell for place in places for cell in range(place.start, place.stop)]
    assert cells == list(range(LAYOUT.size))
    assert LAYOUT.place(SCRAPES).stop == LAYOUT.size
    within = [cell for one in LAYOUT.feature_places() for cell in range(one.start, one.stop)]
    assert within == cells[LAYOUT.place(FEATURE)]


def test_a_family_that_no_version_has_is_no_place():
    with pytest.raises(KeyError, match="steelyard_loads_total"):
        LAYOUT.place("steelyard_loads_total")


def test_a_feature_has_its_ten_bins_or_one_for_each_value_and_no_name_in_sight():
    [labels] = [family.labels for family in LAYOUT.families if family.name == FEATURE]

    assert labels == (
        *(f'feature="f00",bin="{bin_}"' for bin_ in ("low", *TENS, "high", "missing")),
        *(f'feature="f01",bin="{bin_}"' for bin_ in ("00", "01", "missing")),
        *(f'feature="f02",bin="{bin_}"' for bin_ in ("00", "01", "02", "missing")),
    )


def test_a_version_without_confidence_has_the_same_series():
    assert replace(LAYOUT, confidence=None).families == LAYOUT.families
    assert [len(one.labels) for one in LAYOUT.families if one.name == SCORE] == [11]


@pytest.mark.parametrize(
    "change",
    [
        {"score": (*TENTHS[:-1], 2.0)},
        {"confidence": TENTHS},
        {"confidence": None},
        {"seconds": TENTHS},
    ],
)
def test_another_edge_of_what_the_judge_compares_is_another_digest_of_bins(change):
    assert replace(LAYOUT, **change).bins_digest != LAYOUT.bins_digest


@pytest.mark.parametrize(
    "features",
    [
        (Ranged("age", (*TENTHS[:-1], 2.0)), *LAYOUT.features[1:]),
        (Ranged("years", TENTHS), *LAYOUT.features[1:]),
        (LAYOUT.features[0], LAYOUT.features[2], LAYOUT.features[1]),
        (*LAYOUT.features[:2], Listed("region", ("north", "south", "west"))),
        (LAYOUT.features[0], Listed("member", (0, 1)), LAYOUT.features[2]),
    ],
)
def test_another_table_is_another_digest_of_feature_bins_only(features):
    other = replace(LAYOUT, features=features)

    assert other.feature_bins_digest != LAYOUT.feature_bins_digest
    assert other.bins_digest == LAYOUT.bins_digest


def test_the_digests_are_the_same_on_every_machine():
    """They are compared between processes: a change here parts new containers from old ones."""
    assert (LAYOUT.bins_digest, LAYOUT.feature_bins_digest) == ("fdf217087062", "80f31ca45986")
