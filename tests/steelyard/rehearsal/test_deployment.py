"""A deployment goes on while the clock is moved on: stacks wait for their endpoint."""

from dataclasses import replace
from typing import Any

from steelyard.rehearsal.assembly import Assembly
from steelyard.rehearsal.deployment import Deployment
from steelyard.rehearsal.endpoint_model import USUAL
from steelyard.rehearsal.local_aws import LocalAws
from tests.steelyard.rehearsal.local import assembly
from tests.steelyard.rehearsal.templates import ALARM, ROLE


def model() -> dict[str, Any]:
    properties = {
        "ExecutionRoleArn": {"Fn::GetAtt": ["Role", "Arn"]},
        "PrimaryContainer": {"Image": "i"},
    }
    return {"Type": "AWS::SageMaker::Model", "Properties": properties}


def endpoint(count: int, **options: Any) -> Assembly:
    """An endpoint with two variants of `count` instances, and an alarm that comes after it."""
    variants = [
        {
            "VariantName": name,
            "ModelName": {"Fn::GetAtt": ["Model", "ModelName"]},
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": count,
            "InitialVariantWeight": weight,
        }
        for name, weight in (("v1", 1), ("v2", 0))
    ]
    properties = {
        "EndpointName": "e",
        "EndpointConfigName": {"Fn::GetAtt": ["Config", "EndpointConfigName"]},
        **options,
    }
    return assembly(
        {
            "After": {
                "Type": "AWS::CloudWatch::Alarm",
                "Properties": ALARM | {"Threshold": count},
                "DependsOn": "Endpoint",
            },
            "Endpoint": {"Type": "AWS::SageMaker::Endpoint", "Properties": properties},
            "Config": {
                "Type": "AWS::SageMaker::EndpointConfig",
                "Properties": {"ProductionVariants": variants},
            },
            "Model": model(),
            "Role": ROLE,
        }
    )


def deploy(aws: LocalAws, stacks: Assembly) -> Deployment:
    deployment = Deployment(aws, stacks)
    aws.clock.settle()
    return deployment


def standing(aws: LocalAws) -> Assembly:
    """Let the endpoint be in service, with weights and counts of its own."""
    stacks = endpoint(1, RetainAllVariantProperties=True)
    aws.deploy(stacks)
    aws.clock.advance(USUAL.create_seconds)
    sagemaker = aws.client("sagemaker")
    for change in (
        [
            {"VariantName": "v1", "DesiredWeight": 0.0},
            {"VariantName": "v2", "DesiredWeight": 100.0},
        ],
        [{"VariantName": "v2", "DesiredInstanceCount": 5}],
    ):
        sagemaker.update_endpoint_weights_and_capacities(
            EndpointName="e", DesiredWeightsAndCapacities=change
        )
        aws.clock.advance(USUAL.capacity_seconds)
    return stacks


def live(aws: LocalAws) -> dict[str, tuple[float, int]]:
    variants = aws.endpoints.describe("e")["ProductionVariants"]
    return {
        one["VariantName"]: (one["CurrentWeight"], one["CurrentInstanceCount"]) for one in variants
    }


def threshold(aws: LocalAws) -> float:
    (alarm,) = aws.client("cloudwatch").describe_alarms()["MetricAlarms"]
    return float(alarm["Threshold"])


def test_a_deployment_keeps_live_weights_and_counts_where_the_template_asks_for_it(
    aws: LocalAws,
) -> None:
    standing(aws)
    before = live(aws)

    deployment = deploy(aws, endpoint(2, RetainAllVariantProperties=True))
    aws.clock.advance(USUAL.update_seconds)

    assert (deployment.is_done, deployment.problems) == (True, [])
    assert live(aws) == before == {"v1": (0.0, 1), "v2": (100.0, 5)}


def test_without_that_a_deployment_moves_traffic(aws: LocalAws) -> None:
    standing(aws)

    deploy(aws, endpoint(2))
    aws.clock.advance(USUAL.update_seconds)

    assert live(aws) == {"v1": (1.0, 2), "v2": (0.0, 2)}


def test_what_comes_after_the_endpoint_waits_until_it_is_in_service(aws: LocalAws) -> None:
    standing(aws)

    deployment = deploy(aws, endpoint(2, RetainAllVariantProperties=True))
    aws.clock.advance(USUAL.update_seconds - 1)
    during = (deployment.is_done, threshold(aws))
    aws.clock.advance(1)

    assert during == (False, 1.0)
    assert (deployment.is_done, threshold(aws)) == (True, 2.0)


def test_a_config_that_has_not_changed_changes_no_endpoint(aws: LocalAws) -> None:
    stacks = standing(aws)
    fleet = aws.endpoints.get("e").fleet(aws.clock.now)
    (stack,) = stacks.stacks
    topic = {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "t"}}
    template = stack.template | {"Resources": stack.template["Resources"] | {"Topic": topic}}

    deployment = deploy(aws, replace(stacks, stacks=(replace(stack, template=template),)))

    assert (deployment.is_done, deployment.problems) == (True, [])
    assert aws.endpoints.describe("e")["EndpointStatus"] == "InService"
    assert aws.endpoints.get("e").fleet(aws.clock.now) == fleet


def test_a_stack_whose_template_stands_is_left_alone(aws: LocalAws) -> None:
    stacks = standing(aws)
    cloudformation = aws.client("cloudformation")
    before = len(cloudformation.describe_stack_events(StackName="stack")["StackEvents"])

    deployment = deploy(aws, stacks)

    events = cloudformation.describe_stack_events(StackName="stack")["StackEvents"]
    assert (deployment.is_done, len(events)) == (True, before)


def test_an_endpoint_that_is_changing_refuses_a_deployment_which_says_so(aws: LocalAws) -> None:
    standing(aws)
    aws.client("sagemaker").update_endpoint_weights_and_capacities(
        EndpointName="e",
        DesiredWeightsAndCapacities=[{"VariantName": "v1", "DesiredInstanceCount": 2}],
    )

    deployment = deploy(aws, endpoint(2, RetainAllVariantProperties=True))

    (problem,) = deployment.problems
    assert "stack could not be updated, UPDATE_ROLLBACK_COMPLETE: Endpoint: " in problem
    assert "Cannot update in-progress endpoint" in problem
    assert threshold(aws) == 1.0


def test_deleting_the_stack_deletes_the_endpoint(aws: LocalAws) -> None:
    standing(aws)

    aws.client("cloudformation").delete_stack(StackName="stack")

    assert aws.endpoints.describe("e")["EndpointStatus"] == "Deleting"
