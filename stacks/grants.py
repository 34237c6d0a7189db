"""What each function may do, beside writing its log: each action on the narrowest resource."""

from collections.abc import Mapping

from aws_cdk import aws_iam as iam

from stacks.names import Names

_DESCRIBE = ["sagemaker:DescribeEndpoint"]
_SHIFT = [*_DESCRIBE, "sagemaker:UpdateEndpointWeightsAndCapacities"]
_LEDGER = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"]
# A lock is taken, and a deployment claimed, on the condition that nobody has the other.
_EXCLUSIVE = ["dynamodb:ConditionCheckItem"]
_PEOPLE = ["sns:Publish"]
_DIMENSION = {
    "application-autoscaling:service-namespace": "sagemaker",
    "application-autoscaling:scalable-dimension": "sagemaker:variant:DesiredInstanceCount",
}


def statements(handler: str, names: Names, ledger_arn: str) -> list[iam.PolicyStatement]:
    """Return what the function of a handler is granted."""
    ledger = [*_LEDGER, *(_EXCLUSIVE if handler in ("acquire", "guard") else [])]
    return [
        iam.PolicyStatement(actions=ledger, resources=[ledger_arn]),
        *(
            iam.PolicyStatement(actions=actions, resources=[resource])
            for actions, resource in _granted(names)[handler]
        ),
        *(_hold_scaling(names) if handler in ("prepare", "watchdog") else []),
    ]


def _granted(names: Names) -> Mapping[str, list[tuple[list[str], str]]]:
    endpoint, topic = names.endpoint_arn, names.topic_arn
    # The alarms of one endpoint are asked for by prefix, which no resource can say.
    alarms = (["cloudwatch:DescribeAlarms"], names.arn("cloudwatch", "alarm:*"))
    # None of these knows a narrower resource (Service Authorization Reference).
    targets = (["application-autoscaling:DescribeScalableTargets"], "*")
    policies = (["application-autoscaling:DescribeScalingPolicies"], "*")
    metrics = (["cloudwatch:GetMetricData"], "*")
    # PromQL is granted by GetMetricData and this.
    metric_names = (["cloudwatch:ListMetrics"], "*")
    machine, fail = names.state_machine_arn, ["states:SendTaskFailure"]
    words = ["states:SendTaskSuccess", "states:SendTaskHeartbeat", *fail]
    return {
        "acquire": [(_DESCRIBE, endpoint)],
        "preflight": [(_DESCRIBE, endpoint), alarms, targets, policies, metrics],
        "prepare": [(_SHIFT, endpoint), targets],
        "set_weights": [(_SHIFT, endpoint), alarms],
        "release": [(_DESCRIBE, endpoint), (_PEOPLE, topic)],
        "rollback": [
            (_SHIFT, endpoint),
            (_PEOPLE, topic),
            (fail, machine),
            (["sqs:SendMessage"], names.undelivered_arn),
        ],
        "judge": [alarms, metrics, metric_names, (words, machine)],
        "operate": [],
        "watchdog": [(_SHIFT, endpoint), targets, (_PEOPLE, topic), (fail, machine)],
        "guard": [],
    }


def _hold_scaling(names: Names) -> list[iam.PolicyStatement]:
    """
    Return what suspending and resuming the scaling of a variant takes.

    A target's ARN holds a number that is not known beforehand; the conditions leave of all targets
    those of SageMaker's variants. The service checks that its caller may read the endpoint and its
    config, too (SageMaker developer guide, "Auto scaling prerequisites").
    """
    return [
        iam.PolicyStatement(
            actions=["application-autoscaling:RegisterScalableTarget"],
            resources=[names.arn("application-autoscaling", "scalable-target/*")],
            conditions={"StringEquals": _DIMENSION},
        ),
        iam.PolicyStatement(
            actions=["sagemaker:DescribeEndpointConfig"],
            resources=[names.arn("sagemaker", "endpoint-config/*")],
        ),
    ]
