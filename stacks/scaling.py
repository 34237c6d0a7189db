"""Scaling: how many instances a variant has follows its traffic; a rollout only suspends that."""

import re

from aws_cdk import aws_applicationautoscaling as autoscaling
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from stacks.names import Names
from steelyard.spec.endpoint import Scaling, Variant

_NAMESPACE = "sagemaker"
_DIMENSION = "sagemaker:variant:DesiredInstanceCount"


def scale(
    scope: Construct, names: Names, variant: Variant, endpoint: sagemaker.CfnEndpoint
) -> None:
    """
    Let a variant scale as its file says, once the endpoint stands.

    Whether it is suspended is left unsaid: an update keeps what it does not name (API reference,
    RegisterScalableTarget), so a deployment never resumes what a rollout holds.
    """
    if variant.scaling is None:
        return
    group = Construct(scope, f"Scaling-{variant.version}")
    target = autoscaling.CfnScalableTarget(
        group,
        "Target",
        service_namespace=_NAMESPACE,
        scalable_dimension=_DIMENSION,
        resource_id=f"endpoint/{names.endpoint}/variant/{variant.version}",
        min_capacity=variant.scaling.min,
        max_capacity=variant.scaling.max,
    )
    target.node.add_dependency(endpoint)
    for name, tracked in _tracked(names, variant, variant.scaling).items():
        autoscaling.CfnScalingPolicy(
            group,
            name,
            policy_name=f"{names.endpoint}-{variant.version}-{name}",
            policy_type="TargetTrackingScaling",
            scaling_target_id=target.ref,
            target_tracking_scaling_policy_configuration=tracked,
        )


_Tracked = autoscaling.CfnScalingPolicy.TargetTrackingScalingPolicyConfigurationProperty


def _tracked(names: Names, variant: Variant, scaling: Scaling) -> dict[str, _Tracked]:
    found = {"Invocations": _invocations(scaling.invocations_per_instance)}
    if scaling.cpu is not None:
        found["Cpu"] = _cpu(names, variant, scaling.cpu)
    return found


def _invocations(per_minute: float) -> _Tracked:
    return _Tracked(
        target_value=per_minute,
        predefined_metric_specification=(
            autoscaling.CfnScalingPolicy.PredefinedMetricSpecificationProperty(
                # The average of a minute's invocations for each instance of the variant.
                predefined_metric_type="SageMakerVariantInvocationsPerInstance"
            )
        ),
    )


def _cpu(names: Names, variant: Variant, share: float) -> _Tracked:
    dimensions = {"EndpointName": names.endpoint, "VariantName": variant.version}
    return _Tracked(
        # The metric adds up the cores: four of them at work are 400 per cent (SageMaker developer
        # guide, "Monitor with CloudWatch").
        target_value=round(share * 100 * vcpus(variant.instance_type), 3),
        customized_metric_specification=(
            autoscaling.CfnScalingPolicy.CustomizedMetricSpecificationProperty(
                namespace="/aws/sagemaker/Endpoints",
                metric_name="CPUUtilization",
                dimensions=[
                    autoscaling.CfnScalingPolicy.MetricDimensionProperty(name=name, value=value)
                    for name, value in dimensions.items()
                ],
                statistic="Average",
                unit="Percent",
            )
        ),
    )


def vcpus(instance_type: str) -> int:
    """
    Return how many vCPUs an instance has, from the size in its type's name.

    EC2's sizes: medium and large have two (of SageMaker's types, ml.t2.medium and ml.t3.medium are
    the smallest), xlarge four, and Nxlarge N times four. ml.c4.8xlarge has 36: there, the target is
    a ninth below the share that is written.
    """
    size = instance_type.rsplit(".", 1)[1]
    times = re.fullmatch(r"(\d*)xlarge", size)
    return 2 if times is None else 4 * int(times[1] or 1)
