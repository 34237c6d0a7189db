"""The counters: which series exist, and what falls into which bin."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.metrics import Edges, Metrics, bin_of

SCORE = [round(0.1 * i, 1) for i in range(11)]
CONFIDENCE = [round(0.5 + 0.05 * i, 2) for i in range(11)]
SECONDS = [0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0]
EDGES = Edges(SCORE, CONFIDENCE, SECONDS)


def series(metrics: Metrics) -> dict[str, float]:
    pairs = (line.rsplit(" ", 1) for line in metrics.render().splitlines() if line[0] != "#")
    return {name: float(value) for name, value in pairs}


def test_every_series_exists_at_zero_before_the_first_request():
    counters = series(Metrics(EDGES, "1.0.0"))

    counts = {name: value for name, value in counters.items() if "_total" in name}
    tens = [f"{index:02d}" for index in range(10)]
    assert set(counts) == {
        *(
            f'steelyard_requests_total{{outcome="{o}"}}'
            for o in ("ok", "client_error", "model_error")
        ),
        *(f'steelyard_request_duration_bin_total{{bin="{b}"}}' for b in [*tens, "10", "11"]),
        *(f'steelyard_score_bin_total{{bin="{b}"}}' for b in [*tens, "nan"]),
        *(f'steelyard_confidence_bin_total{{bin="{b}"}}' for b in [*tens, "nan"]),
        "steelyard_scrapes_total",
    }
    assert set(counts.values()) == {0}


def test_the_build_is_named_by_model_version_and_edges():
    counters = series(Metrics(EDGES, "1.2.3"))

    build = f'steelyard_build_info{{model_version="1.2.3",bins="{EDGES.digest}"}}'
    assert counters[build] == 1
    assert counters["process_start_time_seconds"] > 1.7e9


@pytest.mark.parametrize("field", ["score", "confidence", "seconds"])
def test_any_other_edge_changes_the_name_of_the_bins(field):
    edges = {"score": SCORE, "confidence": CONFIDENCE, "seconds": SECONDS}
    edges[field] = [*edges[field][:-1], 2.0]

    assert Edges(**edges).digest != EDGES.digest


@given(st.floats(0, 1))
def test_a_score_falls_into_the_bin_that_the_training_script_counts_it_in(score):
    counts, _ = np.histogram([score], SCORE)

    assert bin_of(SCORE, score) == f"{int(counts.argmax()):02d}"


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.0, "00"), (0.1, "01"), (0.099999, "00"), (0.9, "09"), (1.0, "09")],
)
def test_a_bin_holds_its_lower_edge_and_the_last_one_both(value, expected):
    assert bin_of(SCORE, value) == expected


@pytest.mark.parametrize("value", [float("nan"), float("inf"), -float("inf"), -0.000001, 1.000001])
def test_what_is_no_probability_is_counted_apart(value):
    metrics = Metrics(EDGES, "1.0.0")

    metrics.predicted(value, max(value, 1 - value))

    counters = series(metrics)
    assert counters['steelyard_score_bin_total{bin="nan"}'] == 1
    assert sum(v for name, v in counters.items() if "score_bin" in name) == 1


@pytest.mark.parametrize(
    ("seconds", "expected"),
    [(0.0, "00"), (0.00049, "00"), (0.0005, "01"), (0.99, "10"), (60, "11")],
)
def test_a_duration_is_counted_between_its_edges(seconds, expected):
    metrics = Metrics(EDGES, "1.0.0")

    metrics.answered("ok", seconds)

    assert series(metrics)[f'steelyard_request_duration_bin_total{{bin="{expected}"}}'] == 1


def test_each_scrape_is_seen_by_the_next_one():
    metrics = Metrics(EDGES, "1.0.0")

    assert [series(metrics)["steelyard_scrapes_total"] for _ in range(3)] == [0, 1, 2]
