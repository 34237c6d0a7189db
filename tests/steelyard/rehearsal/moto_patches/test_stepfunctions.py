"""moto's state machines keep the cause of a failed task, and live in virtual time."""

import json
from typing import Any

import pytest

from steelyard.rehearsal.local_aws import LocalAws

WAITS_FOR_A_TOKEN = {
    "Type": "Task",
    "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
    "Parameters": {"QueueUrl.$": "$.queue", "MessageBody.$": "$$.Task.Token"},
    "HeartbeatSeconds": 300,
    "TimeoutSeconds": 1000,
    "End": True,
}
SAYS_SO = {
    "Type": "Task",
    "Resource": "arn:aws:states:::sqs:sendMessage",
    "Parameters": {"QueueUrl.$": "$.queue", "MessageBody": "still there"},
    "End": True,
}


class Machine:
    """One execution of a state machine that begins with one state."""

    def __init__(self, aws: LocalAws, state: dict[str, Any], **more: dict[str, Any]) -> None:
        self._aws = aws
        self.engine = aws.client("stepfunctions")
        self._sqs = aws.client("sqs")
        self._queue = self._sqs.create_queue(QueueName="q")["QueueUrl"]
        machine = self.engine.create_state_machine(
            name="machine",
            definition=json.dumps({"StartAt": "A", "States": {"A": state, **more}}),
            roleArn=f"arn:aws:iam::{aws.account}:role/r",
        )
        started = self.engine.start_execution(
            stateMachineArn=machine["stateMachineArn"],
            input=json.dumps({"queue": self._queue, "items": [1, 2]}),
        )
        self._execution = started["executionArn"]
        aws.clock.settle()

    def token(self) -> str:
        (token,) = self.messages()
        return token

    def messages(self) -> list[str]:
        """Return the messages that came since the last look."""
        messages = self._sqs.receive_message(QueueUrl=self._queue).get("Messages", ())
        for message in messages:
            self._sqs.delete_message(QueueUrl=self._queue, ReceiptHandle=message["ReceiptHandle"])
        return [message["Body"] for message in messages]

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


def test_moto_still_lets_a_stopped_execution_run(plain: dict[str, Any]) -> None:
    assert plain["stopped_executions"] == "RUNNING", "moto stops it at once now: remove `stop`"


def test_a_stopped_execution_has_ended_at_once_and_for_good(aws: LocalAws) -> None:
    machine = Machine(aws, WAITS_FOR_A_TOKEN)

    machine.engine.stop_execution(executionArn=machine.now()["executionArn"], cause="by hand")
    stopped = machine.now()
    aws.clock.advance(2000)

    assert (stopped["status"], stopped["cause"]) == ("ABORTED", "by hand")
    after = machine.now()
    assert (after["status"], after["stopDate"]) == ("ABORTED", stopped["stopDate"])


def test_a_stopped_map_brings_nothing_about_any_more(aws: LocalAws) -> None:
    caught = {
        "Type": "Map",
        "ItemsPath": "$.items",
        "ItemSelector": {"queue.$": "$.queue"},
        "MaxConcurrency": 1,
        "ItemProcessor": {
            "ProcessorConfig": {"Mode": "INLINE"},
            "StartAt": "B",
            "States": {"B": WAITS_FOR_A_TOKEN},
        },
        "Catch": [{"ErrorEquals": ["States.ALL"], "Next": "C", "ResultPath": "$.error"}],
        "End": True,
    }
    machine = Machine(aws, caught, C=SAYS_SO)
    token = machine.token()

    machine.engine.stop_execution(executionArn=machine.now()["executionArn"])
    aws.clock.advance(2000)

    assert machine.now()["status"] == "ABORTED"
    assert machine.messages() == []
    with pytest.raises(machine.engine.exceptions.TaskTimedOut):
        machine.engine.send_task_heartbeat(taskToken=token)


@pytest.mark.parametrize(
    ("word", "said"),
    [
        ("send_task_heartbeat", {}),
        ("send_task_success", {"output": "{}"}),
        ("send_task_failure", {"error": "E", "cause": "c"}),
    ],
)
@pytest.mark.parametrize("end", ["stopped", "failed", "unknown"])
def test_a_word_for_a_closed_task_is_too_late(
    aws: LocalAws, word: str, said: dict[str, str], end: str
) -> None:
    machine = Machine(aws, WAITS_FOR_A_TOKEN)
    token = machine.token() if end != "unknown" else "none"
    if end == "stopped":
        machine.engine.stop_execution(executionArn=machine.now()["executionArn"])
    if end == "failed":
        machine.engine.send_task_failure(taskToken=token, error="E", cause="c")
    aws.clock.settle()

    with pytest.raises(machine.engine.exceptions.TaskTimedOut):
        getattr(machine.engine, word)(taskToken=token, **said)
