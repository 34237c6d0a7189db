"""What the collector keeps of a container's counters."""

from types import SimpleNamespace
from typing import Any

import pytest

from steelyard.rehearsal.collector import Collector
from steelyard.rehearsal.durations import BINS, OVER_SLO, Durations
from steelyard.rehearsal.promql import SampleStore

PAGE = """# TYPE steelyard_requests_total counter
steelyard_requests_total{outcome="ok"} 3
# TYPE steelyard_request_duration_bin_total counter
steelyard_request_duration_bin_total{bin="00"} 3
steelyard_request_duration_bin_total{bin="01"} 0
# TYPE steelyard_request_over_slo_total counter
steelyard_request_over_slo_total 1
"""


def container(page: str = PAGE) -> Any:
    """A container that answered three requests: fast, fast and slow by the model."""
    durations = Durations([0.025], slo_seconds=0.5)
    for seconds in (0.01, 0.02, 0.03):
        durations.note(seconds)
    return SimpleNamespace(metrics=lambda: page, variant="v1-0-0", host="i-1", durations=durations)


def collected(name: str, at: float = 60.0, **config: object) -> list[dict[str, Any]]:
    store = SampleStore(0.0)
    Collector("e", {"MetricsConfig": config}, store).collect([container()], at)
    query = f'{name}{{"aws.sagemaker.endpoint.name"="e"}}[300s]'
    status, answer = store.query(query, at)
    assert status == 200
    found: list[dict[str, Any]] = answer["data"]["result"]
    return found


def test_counters_get_the_labels_of_variant_and_host() -> None:
    (series,) = collected("steelyard_requests_total", EnableDetailedObservability=True)

    assert [value for _, value in series["values"]] == ["3"]
    assert series["metric"]["aws.sagemaker.variant.name"] == "v1-0-0"
    assert series["metric"]["@resource.host.id"] == "i-1"


def test_counters_of_time_are_the_models_and_not_this_machines() -> None:
    bins = collected(BINS, EnableDetailedObservability=True)
    (slow,) = collected(OVER_SLO, EnableDetailedObservability=True)

    values = {series["metric"]["bin"]: series["values"][0][1] for series in bins}
    assert values == {"00": "2", "01": "1"}
    assert slow["values"][0][1] == "0"


@pytest.mark.parametrize(
    ("config", "at"),
    [({"EnableDetailedObservability": False}, 60.0), ({"EnableDetailedObservability": True}, 61.0)],
)
def test_nothing_is_collected_where_or_while_it_is_off(config: dict[str, bool], at: float) -> None:
    assert collected("steelyard_requests_total", at, **config) == []


def test_what_the_judge_can_no_longer_ask_for_is_forgotten_each_hour() -> None:
    store = SampleStore(0.0)
    collector = Collector("e", {"MetricsConfig": {"EnableDetailedObservability": True}}, store)
    hours = [3600.0 * hour for hour in range(1, 6)]

    for now in hours:
        collector.collect([container()], now)

    _, answer = store.query("steelyard_requests_total[600m]", hours[-1])
    kept = [at for at, _ in answer["data"]["result"][0]["values"]]
    assert kept == hours[-3:]


def test_a_series_is_the_same_in_whatever_order_its_labels_come() -> None:
    store = SampleStore(0.0)
    collector = Collector("e", {"MetricsConfig": {"EnableDetailedObservability": True}}, store)

    collector.collect([container('m{a="1",b="2"} 3')], 60.0)
    collector.collect([container('m{b="2",a="1"} 4')], 120.0)

    _, answer = store.query("m[180s]", 120.0)
    assert [series["values"] for series in answer["data"]["result"]] == [
        [[60.0, "3"], [120.0, "4"]]
    ]
