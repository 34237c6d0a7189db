"""A process is a value: it stops at each call, goes on where it was, and knows nothing of it."""

import json

import boto3
import pytest

from exploration.replay import Process, Raised, Request, Returned, aws, outcome
from exploration.traffic import Health
from exploration.values import frozen
from lambdas.aws import Ledger

EVENT = {"time": "2027-01-15T08:01:00Z"}


@pytest.fixture
def run(stub, monkeypatch):
    """Make a process of a function in the judge's place."""

    def made(function):
        monkeypatch.setattr("lambdas.judge.handler", function)
        from exploration.replay import forget

        forget()
        return Process("judge", frozen(EVENT), 0.0, Health())

    return made


def two_calls(event, _context):
    topic = boto3.client("sns")
    topic.publish(Message="not a call that stops")
    first = boto3.client("sagemaker").describe_endpoint(EndpointName=event["time"])
    second = boto3.client("dynamodb").get_item(Key=first["A"])
    return {"said": [first["A"], second["B"]]}


def test_it_stops_at_each_call_and_goes_on_with_the_answer(run):
    process = run(two_calls)

    first = outcome(process)
    second = outcome(process.answered(frozen({"A": 1})))
    end = outcome(process.answered(frozen({"A": 1})).answered(frozen({"B": 2})))

    assert first == Request(
        "sagemaker", "describe_endpoint", frozen({"EndpointName": EVENT["time"]})
    )
    assert second == Request("dynamodb", "get_item", '{"Key":1}')
    assert end == Returned('{"said":[1,2]}')


def test_the_same_process_always_asks_the_same(run):
    process = run(two_calls).answered(frozen({"A": 1}))

    assert outcome(process) == outcome(
        Process(**{f: getattr(process, f) for f in process.__slots__})
    )


def test_a_call_in_a_finally_is_not_taken_for_the_one_it_stopped_at(run):
    def with_finally(_event, _context):
        try:
            boto3.client("dynamodb").get_item(Key="1")
        finally:
            boto3.client("stepfunctions").send_task_failure(taskToken="t")

    assert outcome(run(with_finally)).operation == "get_item"


def test_no_handler_can_catch_the_stop(run):
    def careless(_event, _context):
        try:
            boto3.client("dynamodb").get_item(Key="1")
        except Exception:
            return "caught"

    assert isinstance(outcome(run(careless)), Request)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (
            {"refused": {"Error": {"Code": "ThrottlingException", "Message": "m"}}},
            "ThrottlingException",
        ),
        ({"lost": "ReadTimeoutError"}, "ReadTimeoutError"),
    ],
)
def test_a_refusal_is_raised_as_boto3_raises_it(run, answer, error):
    process = run(two_calls).answered(frozen(answer))

    ended = outcome(process)

    assert isinstance(ended, Raised)
    assert ended.error == error


def test_a_refusal_can_be_caught_by_the_clients_own_name(run):
    def catches(_event, _context):
        client = boto3.client("dynamodb")
        try:
            client.update_item(Key="1")
        except client.exceptions.ConditionalCheckFailedException as error:
            return error.response["Item"]

    refused = {"refused": {"Error": {"Code": "ConditionalCheckFailedException"}, "Item": "old"}}

    assert outcome(run(catches).answered(frozen(refused))) == Returned('"old"')


def test_the_ledgers_time_is_the_answers(stub, monkeypatch):
    monkeypatch.setattr("lambdas.judge.handler", lambda _event, _context: Ledger("t", "e").now())
    date = {"ResponseMetadata": {"HTTPHeaders": {"date": "Fri, 15 Jan 2027 08:00:00 GMT"}}}

    ended = outcome(Process("judge", "{}", 0.0, Health(), answers=(json.dumps(date),)))

    assert ended == Returned("1800000000.0")


def test_aws_is_back_in_its_place_afterwards():
    before = boto3.client

    with aws({}):
        assert boto3.client is not before

    assert boto3.client is before
