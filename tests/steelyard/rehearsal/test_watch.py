"""Each minute: alarms are evaluated, and become events."""

import json
from pathlib import Path
from typing import Any

import pytest

from steelyard.rehearsal.assembly import CannotPlay
from steelyard.rehearsal.invocation import Invocations
from steelyard.rehearsal.local_aws import LocalAws
from steelyard.rehearsal.metrics import MetricStore
from steelyard.rehearsal.watch import ALARM_PRINCIPAL, Watch
from tests.steelyard.rehearsal.local import ACCOUNT, REGION, assembly, function, permission

LIVE = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f:live"
TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:t"
DIMENSIONS = {"EndpointName": "e", "VariantName": "v"}
# The function hands each event on, so that a test can read it.
SOURCE = """
import json

import boto3


def handler(event, context):
    queue = boto3.client("sqs").create_queue(QueueName="events")["QueueUrl"]
    boto3.client("sqs").send_message(QueueUrl=queue, MessageBody=json.dumps(event))
"""
ALARM: dict[str, Any] = {
    "AlarmName": "e-v-Errors",
    "Namespace": "AWS/SageMaker",
    "MetricName": "Invocation5XXErrors",
    "Dimensions": [{"Name": name, "Value": value} for name, value in DIMENSIONS.items()],
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 1,
    "Threshold": 5,
    "ComparisonOperator": "GreaterThanThreshold",
    "TreatMissingData": "notBreaching",
    "AlarmActions": [LIVE],
}


class World:
    """A function and an alarm on a local AWS, and what they bring about."""

    def __init__(self, aws: LocalAws, folder: Path, alarm: dict[str, Any]) -> None:
        self.aws = aws
        resources, code = function(SOURCE, folder)
        resources |= {
            "Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": alarm},
            "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "t"}},
            "ForAlarms": permission(ALARM_PRINCIPAL, None),
        }
        stacks = assembly(resources, code)
        aws.deploy(stacks)
        self.store = MetricStore()
        self.sent = Invocations(aws)
        self.heard: list[tuple[str, str]] = []
        self.watch = Watch(
            aws,
            stacks,
            self.store,
            self.sent,
            lambda name, state, _reason: self.heard.append((name, state)),
        )

    def minute(self, errors: float) -> None:
        """Let a minute pass in which so many requests fail."""
        self.store.put(
            "AWS/SageMaker", "Invocation5XXErrors", DIMENSIONS, self.aws.clock.now + 30, errors
        )
        self.aws.clock.advance(60)
        self.watch.minute()

    def events(self) -> list[dict[str, Any]]:
        """Return the events that came since the last look."""
        sqs = self.aws.client("sqs")
        queue = sqs.create_queue(QueueName="events")["QueueUrl"]
        answer = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)
        found = [json.loads(message["Body"]) for message in answer.get("Messages", ())]
        sqs.purge_queue(QueueUrl=queue)
        return found


def test_an_alarm_from_metric_to_event(aws: LocalAws, tmp_path: Path) -> None:
    world = World(aws, tmp_path, ALARM)

    world.minute(0)
    quiet = world.events()
    world.minute(9)

    (event,) = world.events()
    arn = f"arn:aws:cloudwatch:{REGION}:{ACCOUNT}:alarm:e-v-Errors"
    assert quiet == []
    assert event["source"] == "aws.cloudwatch"
    assert (event["alarmArn"], event["accountId"], event["region"]) == (arn, ACCOUNT, REGION)
    assert event["time"] == "2027-01-15T08:02:00.000+0000"
    data = event["alarmData"]
    assert (data["alarmName"], data["state"]["value"]) == ("e-v-Errors", "ALARM")
    assert data["previousState"]["value"] == "OK"
    assert data["configuration"]["metrics"] == [
        {
            "id": "m1",
            "returnData": True,
            "metricStat": {
                "metric": {
                    "namespace": "AWS/SageMaker",
                    "name": "Invocation5XXErrors",
                    "dimensions": DIMENSIONS,
                }
            },
        }
    ]


def test_an_alarm_acts_when_its_state_changes_and_not_while_it_lasts(
    aws: LocalAws, tmp_path: Path
) -> None:
    world = World(aws, tmp_path, ALARM)
    counts = []

    for errors in (9, 9, 9, 0, 9):
        world.minute(errors)
        counts.append(len(world.events()))

    assert counts == [1, 0, 0, 0, 1]
    assert world.heard == [("e-v-Errors", state) for state in ("ALARM", "OK", "ALARM")]


def test_the_state_of_an_alarm_can_be_described(aws: LocalAws, tmp_path: Path) -> None:
    world = World(aws, tmp_path, ALARM)

    world.minute(9)

    (alarm,) = aws.client("cloudwatch").describe_alarms(StateValue="ALARM")["MetricAlarms"]
    assert alarm["AlarmName"] == "e-v-Errors"


def test_an_alarm_whose_actions_are_off_changes_its_state_only(
    aws: LocalAws, tmp_path: Path
) -> None:
    world = World(aws, tmp_path, ALARM | {"ActionsEnabled": False})

    world.minute(9)

    assert world.events() == []
    assert world.heard == [("e-v-Errors", "ALARM")]


def test_metric_math_is_told_with_its_expression(aws: LocalAws, tmp_path: Path) -> None:
    metric = {name: ALARM[name] for name in ("Namespace", "MetricName", "Dimensions")}
    queries = [
        {"Id": "e1", "Expression": "m1 * 2"},
        {
            "Id": "m1",
            "MetricStat": {"Metric": metric, "Period": 60, "Stat": "Sum"},
            "ReturnData": False,
        },
    ]
    rest = {name: it for name, it in ALARM.items() if name not in (*metric, "Statistic", "Period")}
    world = World(aws, tmp_path, rest | {"Metrics": queries})

    world.minute(4)

    (event,) = world.events()
    first, second = event["alarmData"]["configuration"]["metrics"]
    assert first == {"id": "e1", "returnData": True, "expression": "m1 * 2"}
    assert second["returnData"] is False
    assert second["metricStat"]["metric"]["dimensions"] == DIMENSIONS


def test_an_action_that_is_neither_function_nor_topic_is_refused(
    aws: LocalAws, tmp_path: Path
) -> None:
    action = f"arn:aws:automate:{REGION}:ec2:stop"

    with pytest.raises(CannotPlay) as refusal:
        World(aws, tmp_path, ALARM | {"AlarmActions": [LIVE, TOPIC, action]})

    assert refusal.value.problems == (f"alarm e-v-Errors wakes {action}, which is not played",)
