"""An endpoint as its description says it is."""

import datetime

import pytest

from steelyard.rollout.live import Live, is_home, is_settled, live_weights, serves_alone


def description(status="InService", **weights):
    """Describe an endpoint; a weight is the one in force, or that and the desired one."""
    pairs = {
        name: value if isinstance(value, tuple) else (value, value)
        for name, value in weights.items()
    }
    return {
        "EndpointStatus": status,
        "EndpointConfigName": "config-1",
        "CreationTime": datetime.datetime.fromtimestamp(1_800_000_000, datetime.UTC),
        "ProductionVariants": [
            {"VariantName": name, "CurrentWeight": current, "DesiredWeight": desired}
            for name, (current, desired) in pairs.items()
        ],
    }


@pytest.mark.parametrize(
    ("now", "settled"),
    [
        (description(v1=90, v2=10), True),
        (description(v1=90.0, v2=10.0), True),
        (description("Updating", v1=90, v2=10), False),
        (description("SystemUpdating", v1=90, v2=10), False),
        (description(v1=(90, 100), v2=(10, 0)), False),
        (description(v1=89, v2=11), False),
        (description(v1=0.9, v2=0.1), False),
        (description(v1=90, v2=10, v3=0), False),
        (description(v1=90), False),
        ({"EndpointStatus": "Failed"}, False),
    ],
)
def test_weights_are_settled_when_exactly_these_are_in_force_and_nothing_is_under_way(now, settled):
    assert is_settled(now, {"v1": 90, "v2": 10}) is settled


@pytest.mark.parametrize(
    ("now", "home"),
    [
        (description(v1=100, v2=0), True),
        (description(v1=1, v2=0), True),
        (description(v1=1), True),
        (description("Updating", v1=100, v2=0), False),
        (description(v1=99, v2=1), False),
        (description(v1=0, v2=1), False),
        (description(v1=(100, 50), v2=(0, 50)), False),
        ({"EndpointStatus": "Creating"}, False),
    ],
)
def test_traffic_is_home_when_only_the_champion_serves_and_nothing_is_under_way(now, home):
    assert is_home(now, "v1") is home


def test_a_variant_without_a_weight_yet_has_none():
    assert live_weights({"ProductionVariants": [{"VariantName": "v1"}]}) == {"v1": 0}
    assert live_weights({"EndpointStatus": "Creating"}) == {}


def test_an_endpoint_without_weights_is_served_by_nobody():
    assert not serves_alone({}, "v1")
    assert not serves_alone({"v1": 0.0}, "v1")


def test_a_description_is_read_whole():
    live = Live.from_description(description("Updating", v1=(90, 100), v2=(10, 0)))

    assert live == Live("Updating", "config-1", 1_800_000_000, {"v1": 90, "v2": 10}, False)
    assert Live.from_description(description(v1=1)).is_still
