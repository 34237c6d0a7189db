"""A custom resource's function gets CloudFormation's events, and its answer is the outcome."""

import json
from pathlib import Path
from typing import Any

import pytest

from steelyard.rehearsal.assembly import Asset, CannotPlay
from steelyard.rehearsal.local_aws import LocalAws
from tests.steelyard.rehearsal.local import assembly, function, outputs_of
from tests.steelyard.rehearsal.templates import ALARM

MENDED = (
    "moto wakes the function of a custom resource without Docker: remove moto_patches/custom.py"
)
# Answers as its properties say; keeps every event, and what it saw then, as a message.
SOURCE = """
import json
import urllib.request

import boto3


def handler(event, context):
    sqs = boto3.client("sqs")
    queue = sqs.create_queue(QueueName="events")["QueueUrl"]
    alarms = boto3.client("cloudwatch").describe_alarms()["MetricAlarms"]
    seen = {"Seen": [alarm["Threshold"] for alarm in alarms]}
    sqs.send_message(QueueUrl=queue, MessageBody=json.dumps(event | seen))
    wanted = event["ResourceProperties"]
    if event["RequestType"] == wanted.get("Silent"):
        return
    answer = {
        "Status": "FAILED" if event["RequestType"] == wanted.get("Fails") else "SUCCESS",
        "Reason": "as asked",
        "PhysicalResourceId": "guard",
        "Data": {"Said": "yes"},
    } | {name: event[name] for name in ("StackId", "RequestId", "LogicalResourceId")}
    answer |= json.loads(wanted.get("Answer", "{}"))
    if event["RequestType"] == "Delete":
        answer["Status"] = "SUCCESS"
    request = urllib.request.Request(
        event["ResponseURL"],
        data=json.dumps(answer).encode(),
        method="PUT",
        headers={"Content-Type": wanted.get("ContentType", "")},
    )
    urllib.request.urlopen(request).close()
"""
Code = tuple[dict[str, Any], tuple[Asset, ...]]


@pytest.fixture
def code(tmp_path: Path) -> Code:
    return function(SOURCE, tmp_path)


def guard(kind: str = "Custom::Guard", **properties: Any) -> dict[str, Any]:
    return {"Type": kind, "Properties": {"ServiceToken": {"Ref": "Alias"}} | properties}


def behind(**changes: Any) -> dict[str, Any]:
    """An alarm that is not touched before the guard has said yes."""
    return {
        "Type": "AWS::CloudWatch::Alarm",
        "Properties": ALARM | changes,
        "DependsOn": ["Guard"],
    }


def update(aws: LocalAws, resources: dict[str, Any]) -> dict[str, Any]:
    cloudformation = aws.client("cloudformation")
    cloudformation.update_stack(
        StackName="stack", TemplateBody=json.dumps({"Resources": resources})
    )
    (stack,) = cloudformation.describe_stacks(StackName="stack")["Stacks"]
    return dict(stack)


def events(aws: LocalAws) -> list[dict[str, Any]]:
    """Return the events that came since the last look."""
    sqs = aws.client("sqs")
    queue = sqs.create_queue(QueueName="events")["QueueUrl"]
    messages = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", ())
    for message in messages:
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=message["ReceiptHandle"])
    return [json.loads(message["Body"]) for message in messages]


def test_moto_still_wants_docker_for_a_custom_resource(plain: dict[str, Any]) -> None:
    assert plain["custom_resources"] == "CREATE_IN_PROGRESS", MENDED


@pytest.mark.parametrize("kind", ["Custom::Guard", "AWS::CloudFormation::CustomResource"])
def test_creating_wakes_the_function_and_takes_its_answer(
    aws: LocalAws, code: Code, kind: str
) -> None:
    resources, assets = code
    resources["Guard"] = guard(kind, Hash="a", Deep=[{"Number": 1, "Truth": True}])
    outputs = {
        "Id": {"Value": {"Ref": "Guard"}},
        "Said": {"Value": {"Fn::GetAtt": ["Guard", "Said"]}},
    }

    aws.deploy(assembly(resources, assets, outputs))

    (event,) = events(aws)
    assert (event["RequestType"], event["ResourceType"]) == ("Create", kind)
    assert event["LogicalResourceId"] == "Guard"
    assert event["ResourceProperties"]["Deep"] == [{"Number": "1", "Truth": "true"}]
    assert "PhysicalResourceId" not in event
    assert outputs_of(aws) == {"Id": "guard", "Said": "yes"}


def test_changing_it_tells_what_it_was_and_who_it_is(aws: LocalAws, code: Code) -> None:
    resources, assets = code
    aws.deploy(assembly(resources | {"Guard": guard(Hash="a")}, assets))
    events(aws)

    stack = update(aws, resources | {"Guard": guard(Hash="b")})

    (event,) = events(aws)
    assert stack["StackStatus"] == "UPDATE_COMPLETE"
    assert (event["RequestType"], event["PhysicalResourceId"]) == ("Update", "guard")
    assert event["ResourceProperties"]["Hash"] == "b"
    assert event["OldResourceProperties"]["Hash"] == "a"


def test_what_has_not_changed_wakes_nobody(aws: LocalAws, code: Code) -> None:
    resources, assets = code
    resources["Guard"] = guard(Hash="a")
    aws.deploy(assembly(resources, assets))
    events(aws)

    update(aws, resources | {"Alarm": behind()})

    assert events(aws) == []


def test_a_refusal_leaves_what_stands_behind_it_untouched_and_asks_again_with_the_old(
    aws: LocalAws, code: Code
) -> None:
    resources, assets = code
    aws.deploy(assembly(resources | {"Guard": guard(Hash="a"), "Alarm": behind()}, assets))
    events(aws)
    refused = guard(Hash="b", Fails="Update")

    stack = update(aws, {"Alarm": behind(Threshold=9)} | resources | {"Guard": refused})

    assert stack["StackStatus"] == "UPDATE_ROLLBACK_COMPLETE"
    assert "Guard: as asked" in stack["StackStatusReason"]
    (alarm,) = aws.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert alarm["Threshold"] == 1.0
    first, second = events(aws)
    assert first["Seen"] == [1.0]
    assert [first["ResourceProperties"]["Hash"], second["ResourceProperties"]["Hash"]] == ["b", "a"]
    assert second["OldResourceProperties"]["Hash"] == "b"


def test_one_that_cannot_be_created_is_deleted_again(aws: LocalAws, code: Code) -> None:
    resources, assets = code
    resources["Guard"] = guard(Fails="Create")

    with pytest.raises(CannotPlay, match=r"ROLLBACK_COMPLETE: Guard: as asked"):
        aws.deploy(assembly(resources, assets))

    assert [event["RequestType"] for event in events(aws)] == ["Create", "Delete"]


def test_deleting_the_stack_wakes_it_before_its_function_goes(aws: LocalAws, code: Code) -> None:
    resources, assets = code
    aws.deploy(assembly(resources | {"Guard": guard(Hash="a")}, assets))
    events(aws)

    aws.client("cloudformation").delete_stack(StackName="stack")

    (event,) = events(aws)
    assert (event["RequestType"], event["PhysicalResourceId"]) == ("Delete", "guard")


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({"Silent": "Create"}, "did not answer the Create: no answer"),
        ({"Answer": '{"RequestId": "another"}'}, "its answer has the RequestId 'another'"),
        ({"Answer": '{"StackId": "another"}'}, "its answer has the StackId 'another'"),
        ({"Answer": '{"PhysicalResourceId": ""}'}, "its answer has no PhysicalResourceId"),
        ({"Answer": '{"Status": "DONE"}'}, "as asked"),
        ({"Answer": '{"Status": "DONE", "Reason": ""}'}, "its answer has the status 'DONE'"),
        ({"ContentType": "application/json"}, "403"),
    ],
)
def test_an_answer_that_cloudformation_would_not_take_is_a_failure(
    aws: LocalAws, code: Code, properties: dict[str, str], reason: str
) -> None:
    resources, assets = code
    resources["Guard"] = guard(**properties)

    with pytest.raises(CannotPlay) as refusal:
        aws.deploy(assembly(resources, assets))

    assert reason in str(refusal.value)
