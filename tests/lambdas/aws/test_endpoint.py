"""The endpoint: what is asked of SageMaker, and how its answers are read."""

import pytest
from botocore.exceptions import ClientError

from lambdas.aws import Alarms, Endpoint, EndpointBusy, is_home, is_settled, live_weights
from tests.lambdas.world import ENDPOINT


def description(status="InService", **weights):
    """Describe an endpoint; a weight is the one in force, or that and the desired one."""
    pairs = {
        name: value if isinstance(value, tuple) else (value, value)
        for name, value in weights.items()
    }
    return {
        "EndpointStatus": status,
        "ProductionVariants": [
            {"VariantName": name, "CurrentWeight": current, "DesiredWeight": desired}
            for name, (current, desired) in pairs.items()
        ],
    }


def test_a_shift_names_every_variant_and_leaves_the_counts_alone(world):
    Endpoint(ENDPOINT).shift({"v0": 0, "v1": 75, "v2": 25})
    world.settle()

    assert world.weights() == {"v0": 0, "v1": 75, "v2": 25}
    assert world.weights("DesiredInstanceCount") == {"v0": 1, "v1": 1, "v2": 1}


def test_an_endpoint_that_is_being_updated_is_busy(world):
    Endpoint(ENDPOINT).shift({"v0": 0, "v1": 75, "v2": 25})

    with pytest.raises(EndpointBusy, match="Cannot update in-progress endpoint"):
        Endpoint(ENDPOINT).shift({"v0": 0, "v1": 100, "v2": 0})


@pytest.mark.parametrize(
    ("name", "weights"),
    [(ENDPOINT, {"v9": 100}), (ENDPOINT, {"v0": 0, "v1": 0}), ("gone", {"v1": 100})],
)
def test_a_refusal_for_another_reason_is_not_taken_for_a_busy_endpoint(world, name, weights):
    with pytest.raises(ClientError, match="ValidationException"):
        Endpoint(name).shift(weights)


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


def test_only_this_endpoint_s_and_this_variant_s_alarms_that_ring_now_are_named(world):
    ringing = world.ring("v1-1-0")
    world.ring("v1-0-0")
    world.ring("v1-1-00")

    assert Alarms(ENDPOINT).ringing("v1-1-0") == [ringing]
    assert Alarms("scales").ringing("v1-1-0") == []
