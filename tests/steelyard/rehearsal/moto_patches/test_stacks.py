"""Stacks change in the order of their dependencies, and are as they were after a failure."""

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from steelyard.rehearsal.local_aws import LocalAws
from steelyard.rehearsal.moto_patches.stacks import in_order
from tests.steelyard.rehearsal.local import assembly
from tests.steelyard.rehearsal.templates import ALARM

MENDED = "moto does this by itself now: remove the patch in moto_patches/stacks.py"


def alarm(**changes: Any) -> dict[str, Any]:
    return {"Type": "AWS::CloudWatch::Alarm", "Properties": ALARM | changes}


def topic(name: Any) -> dict[str, Any]:
    return {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": name}}


# An endpoint config that names no model is refused.
BROKEN = {
    "Type": "AWS::SageMaker::EndpointConfig",
    "Properties": {"ProductionVariants": [{"VariantName": "v", "ModelName": "none"}]},
}


def update(aws: LocalAws, resources: dict[str, Any]) -> dict[str, Any]:
    cloudformation = aws.client("cloudformation")
    cloudformation.update_stack(
        StackName="stack", TemplateBody=json.dumps({"Resources": resources})
    )
    (stack,) = cloudformation.describe_stacks(StackName="stack")["Stacks"]
    return dict(stack)


def topics(aws: LocalAws) -> list[str]:
    found = aws.client("sns").list_topics()["Topics"]
    return sorted(topic["TopicArn"].rpartition(":")[2] for topic in found)


def threshold(aws: LocalAws) -> float:
    (found,) = aws.client("cloudwatch").describe_alarms()["MetricAlarms"]
    return float(found["Threshold"])


def test_moto_still_calls_a_failed_update_complete(plain: dict[str, Any]) -> None:
    assert plain["failed_updates"] == "UPDATE_COMPLETE", MENDED


@pytest.mark.parametrize(
    "resources",
    [
        {"A": {"DependsOn": "B"}, "B": {}},
        {"A": {"DependsOn": ["B"]}, "B": {}},
        {"A": {"Properties": {"P": [{"Ref": "B"}]}}, "B": {}},
        {"A": {"Properties": {"P": {"Fn::GetAtt": ["B", "Arn"]}}}, "B": {}},
        {"A": {"Properties": {"P": {"Fn::Sub": "${B}-x"}}}, "B": {}},
        {"A": {"Properties": {"P": {"Fn::Sub": "${B.Arn}-x"}}}, "B": {}},
        {"A": {"Properties": {"P": {"Fn::Sub": ["${p}", {"p": {"Ref": "B"}}]}}}, "B": {}},
    ],
)
def test_a_resource_stands_after_what_it_refers_to(resources: dict[str, Any]) -> None:
    assert in_order(resources) == ["B", "A"]


def test_an_update_creates_changes_and_deletes(aws: LocalAws) -> None:
    aws.deploy(assembly({"Alarm": alarm(), "Old": topic("old")}))

    stack = update(aws, {"Alarm": alarm(Threshold=5), "New": topic("new")})

    assert stack["StackStatus"] == "UPDATE_COMPLETE"
    assert (threshold(aws), topics(aws)) == (5.0, ["new"])


def test_what_refers_to_a_replaced_resource_follows_it(aws: LocalAws) -> None:
    watched = alarm(AlarmActions=[{"Ref": "Topic"}])
    aws.deploy(assembly({"Alarm": watched, "Topic": topic("old")}))

    update(aws, {"Alarm": watched, "Topic": topic("new")})

    (found,) = aws.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert [action.rpartition(":")[2] for action in found["AlarmActions"]] == ["new"]


def test_a_failed_update_leaves_everything_as_it_was_and_says_why(aws: LocalAws) -> None:
    before = {"Alarm": alarm(), "Old": topic("old")}
    aws.deploy(assembly(before))

    stack = update(aws, {"Alarm": alarm(Threshold=5), "New": topic("new"), "Broken": BROKEN})

    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert "Broken: " in stack["StackStatusReason"]
    assert (threshold(aws), topics(aws)) == (1.0, ["old"])


def test_a_stack_that_was_rolled_back_can_be_updated_again(aws: LocalAws) -> None:
    before = {"Alarm": alarm(), "Old": topic("old")}
    aws.deploy(assembly(before))
    update(aws, before | {"Broken": BROKEN})

    stack = update(aws, before | {"Alarm": alarm(Threshold=5)})

    assert (stack["StackStatus"], threshold(aws)) == ("UPDATE_COMPLETE", 5.0)


def test_a_stack_that_cannot_be_created_leaves_nothing(aws: LocalAws) -> None:
    cloudformation = aws.client("cloudformation")
    template = {"Resources": {"Topic": topic("t"), "Broken": BROKEN}}

    cloudformation.create_stack(StackName="stack", TemplateBody=json.dumps(template))

    (stack,) = cloudformation.describe_stacks(StackName="stack")["Stacks"]
    assert stack["StackStatus"] == "ROLLBACK_COMPLETE"
    assert topics(aws) == []


def test_an_alarm_keeps_its_state_when_its_template_changes(aws: LocalAws) -> None:
    aws.deploy(assembly({"Alarm": alarm()}))
    cloudwatch = aws.client("cloudwatch")
    cloudwatch.set_alarm_state(AlarmName="e-v-Errors", StateValue="ALARM", StateReason="rings")

    update(aws, {"Alarm": alarm(Threshold=5)})

    (found,) = cloudwatch.describe_alarms()["MetricAlarms"]
    assert (found["StateValue"], found["StateReason"]) == ("ALARM", "rings")


def test_deleting_a_stack_deletes_all_but_what_it_retains(aws: LocalAws) -> None:
    kept = topic("kept") | {"DeletionPolicy": "Retain"}
    aws.deploy(assembly({"Alarm": alarm(), "Topic": topic("t"), "Kept": kept}))
    cloudformation = aws.client("cloudformation")

    cloudformation.delete_stack(StackName="stack")

    assert topics(aws) == ["kept"]
    assert aws.client("cloudwatch").describe_alarms()["MetricAlarms"] == []
    with pytest.raises(ClientError, match="does not exist"):
        cloudformation.describe_stacks(StackName="stack")
