"""Scalable targets and policies of templates are there, and hold what was suspended."""

import json
from typing import Any

import pytest

from steelyard.rehearsal.assembly import CannotPlay
from steelyard.rehearsal.local_aws import LocalAws
from tests.steelyard.rehearsal.local import assembly

MENDED = "moto plays this type by itself now: remove it from moto_patches/scaling.py"
NAMED = {
    "ServiceNamespace": "sagemaker",
    "ResourceId": "endpoint/e/variant/v",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
}
TRACKING = {
    "TargetValue": 100,
    "PredefinedMetricSpecification": {
        "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"
    },
}
SUSPENDED = {
    "DynamicScalingInSuspended": True,
    "DynamicScalingOutSuspended": True,
    "ScheduledScalingSuspended": True,
}


def target(least: int, most: int) -> dict[str, Any]:
    return {
        "Type": "AWS::ApplicationAutoScaling::ScalableTarget",
        "Properties": NAMED
        | {"MinCapacity": least, "MaxCapacity": most, "Tags": [{"Key": "k", "Value": "v"}]},
    }


def policy(**changes: Any) -> dict[str, Any]:
    properties = {
        "PolicyName": "tracking",
        "PolicyType": "TargetTrackingScaling",
        "ScalingTargetId": {"Ref": "Target"},
        "TargetTrackingScalingPolicyConfiguration": TRACKING | changes,
    }
    return {"Type": "AWS::ApplicationAutoScaling::ScalingPolicy", "Properties": properties}


def update(aws: LocalAws, resources: dict[str, Any]) -> None:
    aws.client("cloudformation").update_stack(
        StackName="stack", TemplateBody=json.dumps({"Resources": resources})
    )


def targets(aws: LocalAws) -> list[dict[str, Any]]:
    answer = aws.client("application-autoscaling").describe_scalable_targets(
        ServiceNamespace="sagemaker"
    )
    return list(answer["ScalableTargets"])


def policies(aws: LocalAws) -> list[dict[str, Any]]:
    answer = aws.client("application-autoscaling").describe_scaling_policies(
        ServiceNamespace="sagemaker"
    )
    return list(answer["ScalingPolicies"])


def test_moto_still_ignores_scaling_in_templates(plain: dict[str, Any]) -> None:
    assert plain["scaling_of_templates"] == [0, 0], MENDED


def test_targets_and_policies_are_there(aws: LocalAws) -> None:
    aws.deploy(assembly({"Policy": policy(), "Target": target(1, 4)}))

    (found,) = targets(aws)
    assert (found["ResourceId"], found["MinCapacity"], found["MaxCapacity"]) == (
        NAMED["ResourceId"],
        1,
        4,
    )
    (tracking,) = policies(aws)
    assert (tracking["PolicyName"], tracking["ResourceId"]) == ("tracking", NAMED["ResourceId"])
    assert tracking["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 100.0


def test_a_deployment_that_does_not_name_the_suspension_leaves_it(aws: LocalAws) -> None:
    aws.deploy(assembly({"Target": target(1, 4)}))
    aws.client("application-autoscaling").register_scalable_target(
        **NAMED, SuspendedState=SUSPENDED
    )

    update(aws, {"Target": target(1, 8)})

    (found,) = targets(aws)
    assert (found["MaxCapacity"], found["SuspendedState"]) == (8, SUSPENDED)


def test_a_policy_changes_in_its_place(aws: LocalAws) -> None:
    aws.deploy(assembly({"Policy": policy(), "Target": target(1, 4)}))

    update(aws, {"Policy": policy(TargetValue=50), "Target": target(1, 4)})

    (tracking,) = policies(aws)
    assert tracking["TargetTrackingScalingPolicyConfiguration"]["TargetValue"] == 50.0


def test_what_a_template_no_longer_names_is_gone(aws: LocalAws) -> None:
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "t"}}
    aws.deploy(assembly({"Policy": policy(), "Target": target(1, 4), "Topic": topic}))

    update(aws, {"Topic": topic})

    assert (targets(aws), policies(aws)) == ([], [])


def test_a_minimum_above_the_maximum_is_refused(aws: LocalAws) -> None:
    with pytest.raises(CannotPlay, match="MinCapacity 5 is above MaxCapacity 4"):
        aws.deploy(assembly({"Target": target(5, 4)}))
