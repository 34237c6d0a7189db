"""Scaling follows traffic: out at once, in after a quarter of an hour, not while suspended."""

from collections import deque
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.rehearsal.autoscaling import METRIC, PATIENCE_MINUTES, Autoscaling, scaled
from steelyard.rehearsal.endpoint_model import EndpointModel
from steelyard.rehearsal.local_aws import LocalAws
from steelyard.rehearsal.metrics import MetricStore

NAMED = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": "endpoint/e/variant/v1",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
}
SUSPENDED = {"DynamicScalingInSuspended": True, "DynamicScalingOutSuspended": True}


class World:
    """An endpoint with two instances of v1, whose target is 100 requests for each."""

    def __init__(self, aws: LocalAws, metric: str = METRIC) -> None:
        self.aws = aws
        variants = [
            {"VariantName": name, "InitialInstanceCount": 2, "InitialVariantWeight": 1}
            for name in ("v1", "v2")
        ]
        aws.endpoints.models["e"] = EndpointModel.create("e", "c", variants, aws.clock.now - 3600)
        self.client = aws.client("application-autoscaling")
        self.client.register_scalable_target(**NAMED, MinCapacity=1, MaxCapacity=4)
        self.client.put_scaling_policy(
            **NAMED,
            PolicyName="p",
            PolicyType="TargetTrackingScaling",
            TargetTrackingScalingPolicyConfiguration={
                "TargetValue": 100.0,
                "PredefinedMetricSpecification": {"PredefinedMetricType": metric},
            },
        )
        self.store = MetricStore()
        self.told: list[str] = []
        self.scaling = Autoscaling(aws, "e", self.store, self.told.append)

    def minutes(self, requests: int, count: int = 1) -> None:
        """Let minutes pass with so many requests each."""
        dimensions = {"EndpointName": "e", "VariantName": "v1"}
        for _ in range(count):
            if requests:
                self.store.put(
                    "AWS/SageMaker",
                    "Invocations",
                    dimensions,
                    self.aws.clock.now + 30,
                    1.0,
                    requests,
                )
            self.aws.clock.advance(60)
            self.scaling.minute()

    def suspend(self, **state: bool) -> None:
        self.client.register_scalable_target(**NAMED, SuspendedState=state)

    @property
    def count(self) -> int:
        return int(self.variant["DesiredInstanceCount"])

    @property
    def variant(self) -> dict[str, Any]:
        found: dict[str, Any] = self.aws.endpoints.describe("e")["ProductionVariants"][0]
        return found


def test_more_traffic_is_answered_at_once_and_holds_the_endpoint(aws: LocalAws) -> None:
    world = World(aws)

    world.minutes(210)

    assert (world.count, world.variant["CurrentInstanceCount"]) == (3, 2)
    assert aws.endpoints.describe("e")["EndpointStatus"] == "Updating"
    assert world.told == ["v1 is scaled to 3 instances for 210 requests a minute"]


def test_what_is_refused_while_the_endpoint_changes_is_asked_for_again(aws: LocalAws) -> None:
    world = World(aws)
    world.minutes(210)

    world.minutes(390)
    refused = world.count
    world.minutes(390, 4)

    assert (refused, world.count) == (3, 4)


def test_the_maximum_is_not_exceeded(aws: LocalAws) -> None:
    world = World(aws)

    world.minutes(9000)

    assert world.count == 4


def test_less_traffic_is_answered_after_a_quarter_of_an_hour(aws: LocalAws) -> None:
    world = World(aws)

    world.minutes(50, PATIENCE_MINUTES - 1)
    before = world.count
    world.minutes(50)

    assert (before, world.count) == (2, 1)


def test_no_traffic_is_no_data_and_no_reason_to_scale_in(aws: LocalAws) -> None:
    world = World(aws)

    world.minutes(0, 2 * PATIENCE_MINUTES)

    assert world.count == 2


def test_a_minute_without_data_begins_the_quarter_of_an_hour_anew(aws: LocalAws) -> None:
    world = World(aws)

    world.minutes(50, PATIENCE_MINUTES - 1)
    world.minutes(0)
    world.minutes(50, PATIENCE_MINUTES - 1)
    before = world.count
    world.minutes(50)

    assert (before, world.count) == (2, 1)


def test_one_busy_minute_keeps_the_instances_for_a_quarter_of_an_hour(aws: LocalAws) -> None:
    world = World(aws)

    world.minutes(50, PATIENCE_MINUTES - 1)
    world.minutes(150)
    world.minutes(50, PATIENCE_MINUTES - 1)

    assert world.count == 2


@pytest.mark.parametrize("requests", [390, 50])
def test_a_suspended_variant_is_left_alone_until_it_is_resumed(
    aws: LocalAws, requests: int
) -> None:
    world = World(aws)
    world.suspend(**SUSPENDED)

    world.minutes(requests, PATIENCE_MINUTES)
    suspended = world.count
    world.suspend(**dict.fromkeys(SUSPENDED, False))
    world.minutes(requests)

    assert suspended == 2
    assert world.count == {390: 4, 50: 1}[requests]


def test_scaling_in_alone_can_be_suspended(aws: LocalAws) -> None:
    world = World(aws)
    world.suspend(DynamicScalingInSuspended=True, DynamicScalingOutSuspended=False)

    world.minutes(50, PATIENCE_MINUTES)
    kept = world.count
    world.minutes(390)

    assert (kept, world.count) == (2, 4)


def test_what_tracks_another_metric_is_left_alone(aws: LocalAws) -> None:
    world = World(aws, "SageMakerVariantProvisionedConcurrencyUtilization")

    world.minutes(9000)

    assert world.count == 2


@given(
    count=st.integers(1, 9),
    wanted=st.lists(st.integers(1, 9), min_size=1, max_size=PATIENCE_MINUTES),
    is_in=st.booleans(),
    is_out=st.booleans(),
)
def test_nothing_is_scaled_below_what_a_minute_wanted_or_against_a_suspension(
    count: int, wanted: list[int], is_in: bool, is_out: bool
) -> None:
    state = {"DynamicScalingInSuspended": is_in, "DynamicScalingOutSuspended": is_out}

    asked = scaled(count, deque(wanted), state, PATIENCE_MINUTES)

    if asked is not None:
        assert asked != count
        assert asked >= wanted[-1]
        assert asked > count or asked == max(wanted)
        assert not (is_out if asked > count else is_in)
