"""Counters of time by the seeded model: what the container's own code would have counted."""

import json
import math
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.contract.manifest import read_manifest
from inference.counting.layout import DURATION, Layout
from inference.counting.layout import OVER_SLO as THEIR_OVER_SLO
from inference.counting.tally import Tally
from steelyard.rehearsal.durations import BINS, OVER_SLO, Durations
from tests.steelyard.rehearsal.two_versions import CHAMPION, FOLDER

MANIFEST = read_manifest(FOLDER / CHAMPION / "manifest.json", [])
assert MANIFEST is not None
LAYOUT = Layout.of(MANIFEST)
BESIDE = [math.nextafter(edge, 0.0) for edge in LAYOUT.seconds]
SECONDS = st.sampled_from([*LAYOUT.seconds, *BESIDE]) | st.floats(0.0, 5.0)


def told(durations: Durations) -> list[float]:
    bins = [f"{index:02d}" for index in range(len(LAYOUT.seconds) + 1)]
    return [
        *(durations.told(BINS, {"bin": name}, math.nan) for name in bins),
        durations.told(OVER_SLO, {}, math.nan),
    ]


@given(st.lists(SECONDS, max_size=30), st.none() | SECONDS.filter(lambda slo: slo >= 0.001))
def test_they_count_as_the_container_does(taken: list[float], slo: float | None) -> None:
    tally = Tally(LAYOUT, slo)
    tally.answered("ok", taken)
    theirs = tally.take()
    environment = {} if slo is None else {"STEELYARD_SLO_SECONDS": repr(slo)}
    durations = Durations.of(FOLDER / CHAMPION, environment)

    for seconds in taken:
        durations.note(seconds)

    places = (LAYOUT.place(DURATION), LAYOUT.place(THEIR_OVER_SLO))
    assert told(durations) == [float(count) for place in places for count in theirs[place]]


def test_their_names_are_the_containers() -> None:
    assert (BINS, OVER_SLO) == (DURATION, THEIR_OVER_SLO)


def test_the_edges_are_those_of_the_models_own_manifest(tmp_path: Path) -> None:
    said = {"latency": {"edges_seconds": [1.0, 2.0]}}
    (tmp_path / "manifest.json").write_text(json.dumps(said), "utf-8")
    durations = Durations.of(tmp_path, {"STEELYARD_SLO_SECONDS": ""})

    durations.note(2.0)

    assert durations.told(BINS, {"bin": "02"}, 0.0) == 1
    assert durations.told(OVER_SLO, {}, 0.0) == 0, "the last edge is the limit"


@pytest.mark.parametrize("name", ["steelyard_requests_total", "steelyard_score_bin_total"])
def test_what_counts_no_time_is_told_as_it_is(name: str) -> None:
    durations = Durations([1.0], 1.0)
    durations.note(0.5)

    assert durations.told(name, {"bin": "00"}, 7.0) == 7.0
