"""Scaling of variants in the local AWS: made and looked at through the services' API."""

import datetime
from typing import Any

from tests.lambdas.world import ENDPOINT, World

WHOLE = {"DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended"}


def place(variant: str) -> dict[str, Any]:
    """Return how application auto scaling names a variant's instances."""
    return {
        "ServiceNamespace": "sagemaker",
        "ResourceId": f"endpoint/{ENDPOINT}/variant/{variant}",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }


def scales(world: World, *variants: str, maximum: int = 4, **state: bool) -> None:
    """Let variants scale between 1 and `maximum` instances, this much of it suspended."""
    client = world.aws.client("application-autoscaling")
    for variant in variants:
        client.register_scalable_target(
            **place(variant), MinCapacity=1, MaxCapacity=maximum, SuspendedState=state
        )


def suspended(world: World, variant: str) -> set[str]:
    """Return what of a variant's scaling is suspended."""
    client = world.aws.client("application-autoscaling")
    (found,) = client.describe_scalable_targets(
        ServiceNamespace="sagemaker", ResourceIds=[place(variant)["ResourceId"]]
    )["ScalableTargets"]
    return {name for name, on in found.get("SuspendedState", {}).items() if on}


def tracks(world: World, variant: str, target: float, metric: str | None = None) -> None:
    """Let a variant's scaling aim at this value of a predefined metric."""
    kind = metric or "SageMakerVariantInvocationsPerInstance"
    world.aws.client("application-autoscaling").put_scaling_policy(
        **place(variant),
        PolicyName=f"{variant}-{kind}",
        PolicyType="TargetTrackingScaling",
        TargetTrackingScalingPolicyConfiguration={
            "TargetValue": target,
            "PredefinedMetricSpecification": {"PredefinedMetricType": kind},
        },
    )


def loaded(world: World, variant: str, requests: float, ago: float = 600.0) -> None:
    """Let each instance of a variant have had this many requests in a minute, `ago` seconds ago."""
    at = datetime.datetime.fromtimestamp(world.now - ago, datetime.UTC)
    dimensions = [
        {"Name": "EndpointName", "Value": ENDPOINT},
        {"Name": "VariantName", "Value": variant},
    ]
    world.aws.client("cloudwatch").put_metric_data(
        Namespace="AWS/SageMaker",
        MetricData=[
            {
                "MetricName": "InvocationsPerInstance",
                "Dimensions": dimensions,
                "Timestamp": at,
                "Value": requests / 2,
            }
        ]
        * 2,
    )
