"""Who may wake a function, and what happens when it fails."""

from pathlib import Path
from typing import Any

import pytest

from steelyard.rehearsal.invocation import Invocations
from steelyard.rehearsal.local_aws import LocalAws
from tests.steelyard.rehearsal.local import assembly, function, permission

ALARMS = "lambda.alarms.cloudwatch.amazonaws.com"
ALARM = "arn:aws:cloudwatch:eu-central-1:111122223333:alarm:e-v-Errors"
LIVE = "arn:aws:lambda:eu-central-1:111122223333:function:f:live"
# Each try leaves a message behind, so that tests see when it was.
SOURCE = """
import boto3


def handler(event, context):
    queue = boto3.client("sqs").create_queue(QueueName="tries")["QueueUrl"]
    boto3.client("sqs").send_message(QueueUrl=queue, MessageBody="tried")
    if event["fail"]:
        raise ValueError("as asked")
"""


def deployed(aws: LocalAws, folder: Path, *permissions: tuple[str, str | None]) -> Invocations:
    resources, code = function(SOURCE, folder)
    for number, (principal, source) in enumerate(permissions):
        resources[f"Permission{number}"] = permission(principal, source)
    aws.deploy(assembly(resources, code))
    return Invocations(aws)


def tries(aws: LocalAws) -> int:
    queue = aws.client("sqs").create_queue(QueueName="tries")["QueueUrl"]
    answer: dict[str, Any] = aws.client("sqs").get_queue_attributes(
        QueueUrl=queue, AttributeNames=["ApproximateNumberOfMessages"]
    )
    return int(answer["Attributes"]["ApproximateNumberOfMessages"])


@pytest.mark.parametrize("source", [ALARM, ALARM.replace("v-Errors", "*"), None])
def test_who_has_a_permission_wakes_the_function(
    aws: LocalAws, tmp_path: Path, source: str | None
) -> None:
    sent = deployed(aws, tmp_path, (ALARMS, source))

    sent.send(ALARMS, ALARM, LIVE, {"fail": False})

    assert tries(aws) == 1
    assert sent.failures == []


@pytest.mark.parametrize(
    "permissions",
    [
        [],
        [("events.amazonaws.com", ALARM)],
        [(ALARMS, ALARM.replace("e-v", "other-v"))],
    ],
    ids=["none", "another service's", "another alarm's"],
)
def test_who_has_no_permission_wakes_nobody_and_it_is_said(
    aws: LocalAws, tmp_path: Path, permissions: list[tuple[str, str | None]]
) -> None:
    sent = deployed(aws, tmp_path, *permissions)

    sent.send(ALARMS, ALARM, LIVE, {"fail": False})

    assert tries(aws) == 0
    assert sent.failures == [f"{ALARM} may not wake {LIVE}: no permission for {ALARMS}"]


def test_a_permission_for_the_alias_does_not_open_the_function_itself(
    aws: LocalAws, tmp_path: Path
) -> None:
    sent = deployed(aws, tmp_path, (ALARMS, ALARM))

    sent.send(ALARMS, ALARM, LIVE.removesuffix(":live"), {"fail": False})

    assert tries(aws) == 0


def test_a_failed_event_is_tried_again_after_one_minute_and_after_two_more(
    aws: LocalAws, tmp_path: Path
) -> None:
    sent = deployed(aws, tmp_path, (ALARMS, ALARM))
    sent.send(ALARMS, ALARM, LIVE, {"fail": True})

    seen = {}
    for second in range(0, 301, 30):
        sent.run_due()
        seen[second] = tries(aws)
        aws.clock.advance(30)

    assert [second for second in seen if seen[second] != seen.get(second - 30, 0)] == [0, 60, 180]
    assert sent.failures == [f"{LIVE} failed for good: as asked"]


def test_an_event_that_failed_for_good_goes_to_the_functions_dead_letters(
    aws: LocalAws, tmp_path: Path
) -> None:
    resources, code = function(SOURCE, tmp_path)
    resources["Permission"] = permission(ALARMS, ALARM)
    resources["Dead"] = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "dead"}}
    dead = {"DeadLetterConfig": {"TargetArn": {"Fn::GetAtt": ["Dead", "Arn"]}}}
    named = resources["Function"]["Properties"] | dead
    resources["Function"] = resources["Function"] | {"Properties": named}
    aws.deploy(assembly(resources, code))
    sent, sqs = Invocations(aws), aws.client("sqs")
    url = sqs.get_queue_url(QueueName="dead")["QueueUrl"]
    buried = []

    sent.send(ALARMS, ALARM, LIVE, {"fail": True})
    for _ in range(2):
        buried.append(len(sqs.receive_message(QueueUrl=url).get("Messages", ())))
        aws.clock.advance(120)
        sent.run_due()

    (message,) = sqs.receive_message(QueueUrl=url)["Messages"]
    assert (buried, message["Body"]) == ([0, 0], '{"fail": true}')


def test_a_function_that_is_not_there_lets_nobody_in(aws: LocalAws) -> None:
    sent = Invocations(aws)

    sent.send(ALARMS, ALARM, LIVE, {})

    assert sent.failures == [f"{ALARM} may not wake {LIVE}: no permission for {ALARMS}"]
