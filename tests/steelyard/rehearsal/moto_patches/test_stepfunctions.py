"""moto's state machines keep the cause of a failed task, and live in virtual time."""

import json
from typing import Any

from steelyard.rehearsal.local_aws import LocalAws

WAITS_FOR_A_TOKEN = {
    "Type": "Task",
    "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
    "Parameters": {"QueueUrl.$": "$.queue", "MessageBody.$": "$$.Task.Token"},
    "HeartbeatSeconds": 300,
    "TimeoutSeconds": 1000,
    "End": True,
}


class Machine:
    """One execution of a state machine with one state."""

    def __init__(self, aws: LocalAws, state: dict[str, Any]) -> None:
        self._aws = aws
        self.engine = aws.client("stepfunctions")
        self._sqs = aws.client("sqs")
        self._queue = self._sqs.create_queue(QueueName="q")["QueueUrl"]
        machine = self.engine.create_state_machine(
            name="machine",
            definition=json.dumps({"StartAt": "A", "States": {"A": state}}),
            roleArn=f"arn:aws:iam::{aws.account}:role/r",
        )
        started = self.engine.start_execution(
            stateMachineArn=machine["stateMachineArn"], input=json.dumps({"queue": self._queue})
        )
        self._execution = started["executionArn"]
        aws.clock.settle()

    def token(self) -> str:
        (message,) = self._sqs.receive_message(QueueUrl=self._queue)["Messages"]
        token: str = message["Body"]
        return token

    def now(self) -> dict[str, Any]:
        self._aws.clock.settle()
        description: dict[str, Any] = self.engine.describe_execution(executionArn=self._execution)
        return description


def test_moto_still_drops_the_cause_of_a_failed_task(plain: dict[str, Any]) -> None:
    assert plain["causes_of_failed_tasks"] is None, "moto keeps the cause now: remove the patch"


def test_the_cause_of_a_failed_task_is_kept(aws: LocalAws) -> None:
    machine = Machine(aws, WAITS_FOR_A_TOKEN)

    machine.engine.send_task_failure(taskToken=machine.token(), error="Bad", cause="because")

    ended = machine.now()
    assert (ended["status"], ended["error"], ended["cause"]) == ("FAILED", "Bad", "because")


def test_a_wait_passes_in_virtual_time(aws: LocalAws) -> None:
    machine = Machine(aws, {"Type": "Wait", "Seconds": 3600, "End": True})

    aws.clock.advance(3599)
    before = machine.now()["status"]
    aws.clock.advance(1)

    assert (before, machine.now()["status"]) == ("RUNNING", "SUCCEEDED")


def test_a_task_without_a_heartbeat_fails_when_it_is_due(aws: LocalAws) -> None:
    machine = Machine(aws, WAITS_FOR_A_TOKEN)
    token = machine.token()

    aws.clock.advance(299)
    machine.engine.send_task_heartbeat(taskToken=token)
    aws.clock.advance(299)
    before = machine.now()["status"]
    aws.clock.advance(2)

    assert before == "RUNNING"
    assert machine.now()["error"] == "States.Timeout"


def test_heartbeats_do_not_lengthen_a_task_beyond_its_time_out(aws: LocalAws) -> None:
    machine = Machine(aws, WAITS_FOR_A_TOKEN)
    token = machine.token()

    for _ in range(9):
        aws.clock.advance(110)
        machine.engine.send_task_heartbeat(taskToken=token)
        aws.clock.settle()
    before = machine.now()["status"]
    aws.clock.advance(20)

    assert before == "RUNNING"
    assert machine.now()["error"] == "States.Timeout"
