"""The exposition: every series from the start, one registry over all workers, sums that agree."""

import time
import weakref
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from inference.contract.refusal import REASONS
from inference.counting.layout import OUTCOMES, Layout, Listed, Ranged
from inference.counting.metrics import CHUNK, Metrics
from inference.counting.registry import Registry

TENTHS = tuple(index / 10 for index in range(11))
LAYOUT = Layout(
    score=TENTHS,
    confidence=tuple(0.5 + index / 20 for index in range(11)),
    seconds=tuple(index / 1000 for index in range(1, 12)),
    features=(Ranged("age", TENTHS), Listed("member", (False, True))),
)
RECORD = {"x": 0.5, "member": True}
TENS = [f"{index:02d}" for index in range(10)]


def workers(count=1):
    registry = Registry(LAYOUT.size, count)
    return [Metrics(LAYOUT, registry, slot, "1.2.3", slo_seconds=0.005) for slot in range(count)]


def series(metrics):
    """Read the exposition the way its format is defined."""
    return {
        (sample.name, *sample.labels.values()): sample.value
        for family in text_string_to_metric_families(metrics.render())
        for sample in family.samples
    }


def predict(metrics, count):
    for _ in range(count):
        metrics.predicted(RECORD, 0.3, 0.7)


def test_every_series_exists_at_zero_before_the_first_request():
    [metrics] = workers()

    counts = {name: value for name, value in series(metrics).items() if "_total" in name[0]}

    assert set(counts) == {
        *(("steelyard_requests_total", outcome) for outcome in OUTCOMES),
        *(("steelyard_request_duration_bin_total", bin_) for bin_ in [*TENS, "10", "11"]),
        ("steelyard_request_over_slo_total",),
        *(("steelyard_score_bin_total", bin_) for bin_ in [*TENS, "nan"]),
        *(("steelyard_confidence_bin_total", bin_) for bin_ in [*TENS, "nan"]),
        *(
            ("steelyard_feature_bin_total", "f00", bin_)
            for bin_ in ["low", *TENS, "high", "missing"]
        ),
        *(("steelyard_feature_bin_total", "f01", bin_) for bin_ in ["00", "01", "missing"]),
        *(("steelyard_rejections_total", reason) for reason in REASONS),
        ("steelyard_scrapes_total",),
    }
    assert set(counts.values()) == {0}


def test_each_family_is_declared_once_as_what_it_is():
    [metrics] = workers()

    types = {
        family.samples[0].name: family.type
        for family in text_string_to_metric_families(metrics.render())
    }

    gauges = {name for name, kind in types.items() if kind == "gauge"}
    assert gauges == {
        "steelyard_build_info",
        "process_start_time_seconds",
        "process_resident_memory_bytes",
    }
    assert {types[family.name] for family in LAYOUT.families} == {"counter"}
    assert len(types) == len(LAYOUT.families) + len(gauges)


def test_the_build_is_named_by_model_version_and_both_kinds_of_edges():
    [metrics] = workers()

    build = f'model_version="1.2.3",bins="{LAYOUT.bins_digest}"'
    build += f',feature_bins="{LAYOUT.feature_bins_digest}"'
    assert f"steelyard_build_info{{{build}}} 1" in metrics.render().splitlines()


def test_all_workers_say_the_same_start_and_some_memory():
    before = time.time()
    metrics = workers(2)
    one, two = map(series, metrics)

    start = ("process_start_time_seconds",)
    assert before - 0.001 <= one[start] == two[start] <= time.time() + 0.001
    assert metrics[1].started == pytest.approx(two[start], abs=0.001)
    assert one[("process_resident_memory_bytes",)] > 10e6


def test_any_worker_renders_the_sum_of_all():
    one, two, three = workers(3)
    predict(one, 1)
    one.answered("ok", 0.001)
    one.flush()
    predict(two, 2)
    two.answered("ok", 0.006)
    two.answered("overloaded", 0.0)
    two.rejected(["range", "type", "range"])
    two.flush()

    counts = series(three)

    assert counts["steelyard_requests_total", "ok"] == 2
    assert counts["steelyard_requests_total", "overloaded"] == 1
    assert counts["steelyard_request_over_slo_total",] == 1
    assert counts["steelyard_score_bin_total", "03"] == 3
    assert counts["steelyard_feature_bin_total", "f01", "01"] == 3
    assert counts["steelyard_rejections_total", "range"] == 1


def test_a_worker_writes_to_its_own_slot_only():
    registry = Registry(LAYOUT.size, 3)
    metrics = Metrics(LAYOUT, registry, 1, "1.0.0")
    predict(metrics, 2)
    metrics.answered("ok", 0.001)
    metrics.render()

    slots = np.array(registry.counters).reshape(3, -1)
    assert slots.any(axis=1).tolist() == [False, True, False]


def test_each_scrape_of_any_worker_is_seen_by_the_next_one():
    one, two = workers(2)

    scrapes = [series(metrics)["steelyard_scrapes_total",] for metrics in (one, two, two, one)]

    assert scrapes == [0, 1, 2, 3]


def test_what_is_pending_in_another_worker_shows_when_it_flushes():
    one, two = workers(2)
    predict(one, 1)
    one.answered("ok", 0.001)

    assert series(two)["steelyard_requests_total", "ok"] == 0
    one.flush()
    assert series(two)["steelyard_requests_total", "ok"] == 1


@pytest.mark.parametrize("count", [CHUNK - 1, CHUNK, 3 * CHUNK + 1])
def test_a_batch_is_one_request_and_is_seen_with_all_of_its_predictions_or_not_at_all(count):
    one, two = workers(2)
    predict(one, count)
    assert series(two)["steelyard_score_bin_total", "03"] == 0

    one.answered("ok", 0.001)
    one.flush()

    counts = series(two)
    assert counts["steelyard_requests_total", "ok"] == 1
    assert counts["steelyard_score_bin_total", "03"] == count
    assert counts["steelyard_confidence_bin_total", "04"] == count
    assert counts["steelyard_feature_bin_total", "f00", "05"] == count


@pytest.mark.parametrize(("width", "most"), [(2, CHUNK), (1000, 16), (17000, 1)])
def test_records_of_a_large_batch_are_let_go_before_its_answer(width, most):
    class Watched(dict):
        """A record that can be watched."""

    layout = replace(LAYOUT, features=(Listed("member", (False, True)),) * width)
    metrics = Metrics(layout, Registry(layout.size), 0, "1.0.0")
    watched = []
    for _ in range(most + 3):
        record = Watched.fromkeys(range(width), True)
        watched.append(weakref.ref(record))
        metrics.predicted(record, 0.3, 0.7)

    del record
    assert sum(one() is not None for one in watched) <= most


@pytest.mark.parametrize("outcome", OUTCOMES)
def test_many_answers_are_counted_without_waiting_for_a_flush(outcome):
    one, two = workers(2)
    for _ in range(CHUNK + 1):
        one.answered(outcome, 0.001)

    assert series(two)["steelyard_requests_total", outcome] == CHUNK


CALLS = st.lists(st.tuples(st.integers(0, 1), st.sampled_from(OUTCOMES), st.integers(0, 3)))


@given(CALLS, st.lists(st.integers(0, 1), max_size=5))
def test_whatever_the_order_of_calls_and_flushes_every_sum_agrees(calls, renders):
    two = workers(2)
    for worker, outcome, predictions in calls:
        predict(two[worker], predictions)
        two[worker].answered(outcome, 0.001)
        if renders:
            two[renders.pop()].render()
    for metrics in two:
        metrics.flush()

    counts = series(two[0])

    def total(*name):
        return sum(value for key, value in counts.items() if key[: len(name)] == name)

    predictions = sum(count for *_, count in calls)
    assert total("steelyard_requests_total") == len(calls)
    assert total("steelyard_request_duration_bin_total") == len(calls)
    assert total("steelyard_score_bin_total") == predictions
    assert total("steelyard_feature_bin_total", "f00") == predictions
    assert total("steelyard_feature_bin_total", "f01") == predictions


def test_a_registry_made_for_another_layout_is_refused():
    with pytest.raises(ValueError, match=f"has 7 counters a worker, this model {LAYOUT.size}"):
        Metrics(LAYOUT, Registry(7), 0, "1.0.0")
