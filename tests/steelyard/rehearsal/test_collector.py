"""What the collector keeps of a container's counters."""

from types import SimpleNamespace
from typing import Any

import pytest

from steelyard.rehearsal.collector import WALL_TIME, Collector
from steelyard.rehearsal.promql import SampleStore

PAGE = """# TYPE steelyard_requests_total counter
steelyard_requests_total{outcome="ok"} 3
# TYPE steelyard_request_duration_bin_total counter
steelyard_request_duration_bin_total{bin="00"} 3
# TYPE steelyard_request_over_slo_total counter
steelyard_request_over_slo_total 1
"""
CONTAINER: Any = SimpleNamespace(metrics=lambda: PAGE, variant="v1-0-0", host="i-1")


def collected(name: str, at: float = 60.0, **config: object) -> list[dict[str, Any]]:
    store = SampleStore(0.0)
    Collector("e", {"MetricsConfig": config}, store).collect([CONTAINER], at)
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


@pytest.mark.parametrize("name", sorted(WALL_TIME))
def test_wall_time_of_this_machine_is_left_out(name: str) -> None:
    assert collected(name, EnableDetailedObservability=True) == []


@pytest.mark.parametrize(
    ("config", "at"),
    [({"EnableDetailedObservability": False}, 60.0), ({"EnableDetailedObservability": True}, 61.0)],
)
def test_nothing_is_collected_where_or_while_it_is_off(config: dict[str, bool], at: float) -> None:
    assert collected("steelyard_requests_total", at, **config) == []
