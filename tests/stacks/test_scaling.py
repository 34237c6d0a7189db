"""Scaling: CloudFormation owns the target and its policies; whether it is held is the rollout's."""

import pytest

from stacks.scaling import vcpus
from steelyard.spec.endpoint import Scaling
from tests.stacks.synthesis import example, synthesise, templates, with_variants

TARGET = "AWS::ApplicationAutoScaling::ScalableTarget"
POLICY = "AWS::ApplicationAutoScaling::ScalingPolicy"
SCALING = {"min": 2, "max": 6, "invocations_per_instance": 600.0}


def scaled(**more):
    return synthesise(with_variants(example(), scaling=Scaling(**SCALING, **more)))


@pytest.fixture(scope="module")
def found():
    return scaled(cpu=0.6)


def test_without_scaling_in_the_file_nothing_scales():
    assert templates().resources("endpoint", TARGET) == {}
    assert templates().resources("endpoint", POLICY) == {}


def test_each_variant_has_a_target_of_its_own_once_the_endpoint_stands(found):
    targets = found.resources("endpoint", TARGET).values()

    assert [it["Properties"] for it in targets] == [
        {
            "Tags": [{"Key": "steelyard:endpoint", "Value": "tumour-classifier-staging"}],
            "ServiceNamespace": "sagemaker",
            "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
            "ResourceId": f"endpoint/tumour-classifier-staging/variant/{version}",
            "MinCapacity": 2,
            "MaxCapacity": 6,
        }
        for version in ("v1-0-0", "v1-1-0")
    ]
    assert all("Endpoint" in it["DependsOn"] for it in targets)


def test_a_deployment_never_says_whether_scaling_is_suspended(found):
    assert "SuspendedState" not in found.text["endpoint"]


def policies(found):
    """Return the targets' tracking by policy name."""
    kept = {}
    for it in found.resources("endpoint", POLICY).values():
        assert it["Properties"]["PolicyType"] == "TargetTrackingScaling"
        assert it["Properties"]["ScalingTargetId"]["Ref"] in found.resources("endpoint", TARGET)
        tracking = it["Properties"]["TargetTrackingScalingPolicyConfiguration"]
        kept[it["Properties"]["PolicyName"]] = tracking
    return kept


def test_requests_a_minute_per_instance_are_tracked_as_sagemaker_counts_them(found):
    assert policies(found)["tumour-classifier-staging-v1-1-0-Invocations"] == {
        "TargetValue": 600,
        "PredefinedMetricSpecification": {
            "PredefinedMetricType": "SageMakerVariantInvocationsPerInstance"
        },
    }


def test_processors_are_tracked_as_the_sum_over_the_cores(found):
    tracking = policies(found)["tumour-classifier-staging-v1-1-0-Cpu"]

    assert tracking["TargetValue"] == 120  # 60 per cent of the two cores of an ml.c6i.large
    metric = tracking["CustomizedMetricSpecification"]
    assert (metric["Namespace"], metric["MetricName"], metric["Statistic"]) == (
        "/aws/sagemaker/Endpoints",
        "CPUUtilization",
        "Average",
    )
    assert {it["Name"]: it["Value"] for it in metric["Dimensions"]} == {
        "EndpointName": "tumour-classifier-staging",
        "VariantName": "v1-1-0",
    }


def test_processors_are_left_alone_where_the_file_does_not_name_them():
    assert {name.rsplit("-", 1)[1] for name in policies(scaled())} == {"Invocations"}


@pytest.mark.parametrize(
    ("instance_type", "expected"),
    [
        ("ml.t2.medium", 2),
        ("ml.c6i.large", 2),
        ("ml.m5.xlarge", 4),
        ("ml.c5.2xlarge", 8),
        ("ml.c5.9xlarge", 36),
        ("ml.p4d.24xlarge", 96),
    ],
)
def test_the_size_says_how_many_cores_there_are(instance_type, expected):
    assert vcpus(instance_type) == expected
