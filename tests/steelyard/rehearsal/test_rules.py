"""Schedules and events wake the functions that rules name."""

import json
from pathlib import Path
from typing import Any

import pytest

from steelyard.rehearsal.assembly import CannotPlay
from steelyard.rehearsal.invocation import Invocations
from steelyard.rehearsal.local_aws import LocalAws
from steelyard.rehearsal.rules import PRINCIPAL, Rules
from tests.steelyard.rehearsal.local import ACCOUNT, REGION, assembly, function, permission

LIVE = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:f:live"
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:dead"
# The function hands each event on, so that a test can read it.
SOURCE = """
import json

import boto3


def handler(event, context):
    queue = boto3.client("sqs").create_queue(QueueName="events")["QueueUrl"]
    boto3.client("sqs").send_message(QueueUrl=queue, MessageBody=json.dumps(event))
"""
EACH_MINUTE = {"ScheduleExpression": "rate(1 minute)"}
WAITS = {"Type": "Wait", "Seconds": 3600, "End": True}
FAILS = {"Type": "Fail", "Error": "Bad", "Cause": "because"}
PASSES = {"Type": "Pass", "End": True}


def ended(*statuses: str, **detail: list[str]) -> dict[str, Any]:
    return {
        "EventPattern": {
            "source": ["aws.states"],
            "detail-type": ["Step Functions Execution Status Change"],
            "detail": {"status": list(statuses), **detail},
        }
    }


class World:
    """A function and a rule on a local AWS, and a state machine."""

    def __init__(
        self, aws: LocalAws, folder: Path, rule: dict[str, Any], *, permitted: bool = True
    ) -> None:
        self.aws = aws
        resources, code = function(SOURCE, folder)
        if permitted:
            resources["ForRules"] = permission(PRINCIPAL, None)
        resources["Dead"] = {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "dead"}}
        target = {"Id": "T", "Arn": LIVE, "DeadLetterConfig": {"Arn": QUEUE}}
        resources["Rule"] = {
            "Type": "AWS::Events::Rule",
            "Properties": {"Name": "r", "Targets": [target]} | rule,
        }
        aws.deploy(assembly(resources, code))
        self.sent = Invocations(aws)
        self.rules = Rules(aws, self.sent)

    def minute(self) -> None:
        self.aws.clock.advance(60)
        self.rules.minute()

    def run(self, state: dict[str, Any], name: str = "run") -> str:
        """Let an execution of one state begin; return its ARN."""
        engine = self.aws.client("stepfunctions")
        machine = engine.create_state_machine(
            name=f"machine-{name}",
            definition=json.dumps({"StartAt": "A", "States": {"A": state}}),
            roleArn=f"arn:aws:iam::{ACCOUNT}:role/r",
        )["stateMachineArn"]
        execution = engine.start_execution(stateMachineArn=machine, name=name, input="{}")
        self.aws.clock.settle()
        return str(execution["executionArn"])

    def events(self, queue: str = "events") -> list[dict[str, Any]]:
        """Return the events that came since the last look."""
        sqs = self.aws.client("sqs")
        url = sqs.create_queue(QueueName=queue)["QueueUrl"]
        messages = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10).get("Messages", ())
        for message in messages:
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return [json.loads(message["Body"]) for message in messages]


@pytest.mark.parametrize(("expression", "wakes"), [("rate(1 minute)", 4), ("rate(2 minutes)", 2)])
def test_a_schedule_wakes_its_target_whenever_it_is_due(
    aws: LocalAws, tmp_path: Path, expression: str, wakes: int
) -> None:
    world = World(aws, tmp_path, {"ScheduleExpression": expression})

    for _ in range(4):
        world.minute()

    events = world.events()
    assert len(events) == wakes
    assert (events[0]["source"], events[0]["detail-type"]) == ("aws.events", "Scheduled Event")
    assert events[-1]["time"] == "2027-01-15T08:04:00Z"


def test_a_schedule_that_is_disabled_wakes_nobody(aws: LocalAws, tmp_path: Path) -> None:
    world = World(aws, tmp_path, EACH_MINUTE | {"State": "DISABLED"})

    world.minute()

    assert world.events() == []


def test_a_schedule_that_is_disabled_later_wakes_nobody_from_then_on(
    aws: LocalAws, tmp_path: Path
) -> None:
    world = World(aws, tmp_path, EACH_MINUTE)
    world.minute()
    aws.client("events").disable_rule(Name="r")
    world.rules.refresh()

    world.minute()

    assert len(world.events()) == 1


@pytest.mark.parametrize(
    ("state", "statuses"),
    [(FAILS, ["FAILED"]), (PASSES, ["SUCCEEDED"]), (WAITS, ["RUNNING"])],
)
def test_an_executions_status_wakes_who_asked_for_it(
    aws: LocalAws, tmp_path: Path, state: dict[str, Any], statuses: list[str]
) -> None:
    world = World(aws, tmp_path, ended(*statuses))

    arn = world.run(state)
    world.rules.deliver()

    (event,) = world.events()
    assert event["source"] == "aws.states"
    assert event["resources"] == [arn]
    assert (event["detail"]["name"], event["detail"]["status"]) == ("run", statuses[0])
    assert event["detail"]["startDate"] == aws.clock.now * 1000


def test_a_stopped_execution_is_told_as_aborted_with_its_cause(
    aws: LocalAws, tmp_path: Path
) -> None:
    world = World(aws, tmp_path, ended("FAILED", "TIMED_OUT", "ABORTED"))
    arn = world.run(WAITS)

    aws.client("stepfunctions").stop_execution(executionArn=arn, error="E", cause="by hand")
    world.rules.deliver()
    world.rules.deliver()

    (event,) = world.events()
    assert (event["detail"]["status"], event["detail"]["cause"]) == ("ABORTED", "by hand")
    assert event["detail"]["stopDate"] == aws.clock.now * 1000


def test_an_execution_that_takes_too_long_is_told_as_timed_out(
    aws: LocalAws, tmp_path: Path
) -> None:
    world = World(aws, tmp_path, ended("TIMED_OUT"))
    definition = {"StartAt": "A", "States": {"A": WAITS}, "TimeoutSeconds": 60}
    engine = aws.client("stepfunctions")
    machine = engine.create_state_machine(
        name="m", definition=json.dumps(definition), roleArn=f"arn:aws:iam::{ACCOUNT}:role/r"
    )
    engine.start_execution(stateMachineArn=machine["stateMachineArn"], name="late", input="{}")

    aws.clock.advance(120)
    world.rules.deliver()

    (event,) = world.events()
    assert (event["detail"]["name"], event["detail"]["status"]) == ("late", "TIMED_OUT")


@pytest.mark.parametrize("pattern", [ended("ABORTED"), ended("FAILED", name=["another"])])
def test_what_a_pattern_does_not_name_wakes_nobody(
    aws: LocalAws, tmp_path: Path, pattern: dict[str, Any]
) -> None:
    world = World(aws, tmp_path, pattern)

    world.run(FAILS)
    world.rules.deliver()

    assert world.events() == []


def test_an_event_that_may_not_be_delivered_goes_to_the_dead_letters(
    aws: LocalAws, tmp_path: Path
) -> None:
    world = World(aws, tmp_path, ended("FAILED"), permitted=False)

    world.run(FAILS)
    world.rules.deliver()

    (event,) = world.events("dead")
    assert event["detail"]["status"] == "FAILED"
    assert world.events() == []
    assert "may not wake" in world.sent.failures[0]


def test_a_target_that_is_no_function_is_refused(aws: LocalAws, tmp_path: Path) -> None:
    target = {"Id": "T", "Arn": f"arn:aws:sqs:{REGION}:{ACCOUNT}:q"}

    with pytest.raises(CannotPlay, match=r"wakes arn:aws:sqs:.*, which is not played"):
        World(aws, tmp_path, EACH_MINUTE | {"Targets": [target]})
