"""Each server is compared with FastAPI in the same round, and targets are held to the median."""

import pytest

from benchmarks.serving.measure import Load, Start
from benchmarks.serving.ratios import TARGETS, Spread, Target, medians, ratios, verdicts


def start(rate: float = 1000.0, cpu_us: float = 100.0, connections: int = 64) -> Start:
    """Make the start of a server of that rate and cost."""
    load = Load(rate, cpu_us, p50_ms=1.0, p99_ms=2.0)
    return Start(0.5, 80.0, 1.0, {connections: load})


def test_a_ratio_is_made_within_a_round_so_that_a_slow_hour_hits_both():
    rounds = [
        {"steelyard": start(5000), "fastapi": start(1000)},
        {"steelyard": start(500), "fastapi": start(100)},
        {"steelyard": start(70), "fastapi": start(10)},
    ]

    assert ratios(rounds)["steelyard"]["rate 64"] == Spread(5, 5, 7)
    assert ratios(rounds)["fastapi"]["rate 64"] == Spread(1, 1, 1)
    assert medians(rounds)["steelyard"]["rate 64"] == Spread(500, 70, 5000)


def test_half_the_processor_time_is_twice_the_requests_of_a_processor_second():
    rounds = [{"steelyard": start(cpu_us=50), "fastapi": start(cpu_us=100)}]

    assert ratios(rounds)["steelyard"]["per_cpu_second 64"].median == 2
    assert ratios(rounds)["steelyard"]["cpu_us 64"].median == 0.5


@pytest.mark.parametrize(
    ("bound", "median", "is_met"),
    [
        ("at least", 4.99, False),
        ("at least", 5.0, True),
        ("at most", 5.0, True),
        ("at most", 5.01, False),
    ],
)
def test_a_target_is_held_to_the_median_and_met_at_its_limit(bound, median, is_met):
    assert Target("rate 64", bound, 5).is_met(Spread(median, 0, 99)) is is_met


def test_a_target_that_was_not_measured_is_neither_met_nor_missed():
    found = verdicts(ratios([{"steelyard": start(connections=8), "fastapi": start(connections=8)}]))

    assert {target.quantity for target in TARGETS if found[target] is not None} == {
        "rate 8",
        "per_cpu_second 8",
        "first_prediction_seconds",
        "memory_mb",
    }
