"""The local AWS: what is deployed on it, what it answers, and what it forgets."""

import os
import urllib.error
import urllib.request
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import boto3
import pytest
from botocore.exceptions import ClientError, HTTPClientError

from steelyard.rehearsal.assembly import CannotPlay
from steelyard.rehearsal.clock import Clock
from steelyard.rehearsal.endpoint_model import EndpointModel
from steelyard.rehearsal.local_aws import PUBLICATION_SECONDS, LocalAws, local_aws
from tests.steelyard.rehearsal.local import ACCOUNT, REGION, assembly, function, invoke

SOURCE = """
import boto3


def handler(event, context):
    return boto3.client("sns").list_topics()["Topics"]
"""
TOPIC = {"Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "t"}}}


def query(aws: LocalAws, text: str, at: float) -> Any:
    import json

    body = urlencode({"query": text, "time": at}).encode()
    with urllib.request.urlopen(f"{aws.url}/api/v1/query", body) as answer:
        return json.loads(answer.read())


def test_handlers_meet_the_same_aws_as_the_rehearsal(aws: LocalAws, tmp_path: Path) -> None:
    resources, code = function(SOURCE, tmp_path)

    aws.deploy(assembly(resources | TOPIC, code))

    (topic,) = invoke(aws, "f:live", {})["payload"]
    assert topic["TopicArn"] == f"arn:aws:sns:{REGION}:{ACCOUNT}:t"


def test_reset_forgets_everything_that_was_deployed(aws: LocalAws, tmp_path: Path) -> None:
    stacks = assembly(TOPIC)
    aws.deploy(stacks)
    aws.samples.add(aws.clock.now, "m", {}, 1.0)

    aws.reset()

    assert aws.client("sns").list_topics()["Topics"] == []
    assert query(aws, "m[60s]", aws.clock.now + 60)["data"]["result"] == []
    aws.deploy(stacks)
    assert len(aws.client("sns").list_topics()["Topics"]) == 1


def test_reset_forgets_the_endpoints_that_could_be_invoked(aws: LocalAws) -> None:
    variants = [{"VariantName": "v", "InitialInstanceCount": 1}]
    aws.endpoints.models["e"] = EndpointModel.create("e", "c", variants, aws.clock.now)

    aws.reset()

    with pytest.raises(ClientError, match=r"Endpoint e of account \d+ not found"):
        aws.client("sagemaker-runtime").invoke_endpoint(EndpointName="e", Body=b"")


def test_a_second_local_aws_knows_nothing_of_the_first(tmp_path: Path) -> None:
    found = []
    for number in range(2):
        folder = tmp_path / str(number)
        with Clock(1_800_000_000.0) as clock, local_aws(clock, ACCOUNT, REGION, folder) as aws:
            found.append(aws.client("sns").list_topics()["Topics"])
            aws.deploy(assembly(TOPIC))

    assert found == [[], []]


def test_raw_samples_are_asked_for_by_promql_once_they_are_published(aws: LocalAws) -> None:
    aws.samples.add(aws.clock.now, "m", {"host": "i-1"}, 7.0)
    at = aws.clock.now

    before = query(aws, "m[60s]", at)
    aws.clock.advance(PUBLICATION_SECONDS)
    after = query(aws, "m[60s]", at)

    assert before["data"]["result"] == []
    assert after["data"]["result"] == [
        {"metric": {"__name__": "m", "host": "i-1"}, "values": [[at, "7"]]}
    ]


def test_a_query_outside_of_the_language_is_refused(aws: LocalAws) -> None:
    with pytest.raises(urllib.error.HTTPError) as refusal:
        query(aws, "sum(rate(m[5m]))", aws.clock.now)

    assert refusal.value.code == 400
    refusal.value.close()


def test_a_stack_that_cannot_be_created_is_named(aws: LocalAws) -> None:
    config = {"EndpointConfigName": "nothing", "EndpointName": "e"}
    resources = {"E": {"Type": "AWS::SageMaker::Endpoint", "Properties": config}}

    with pytest.raises(CannotPlay, match="stack could not be created"):
        aws.deploy(assembly(resources))


def test_every_answer_is_dated_by_the_virtual_clock(aws: LocalAws) -> None:
    aws.clock.advance(90)

    for ask in (aws.client("dynamodb").list_tables, aws.client("sagemaker").list_endpoints):
        dated = ask()["ResponseMetadata"]["HTTPHeaders"]["date"]
        assert parsedate_to_datetime(dated).timestamp() == aws.clock.now


def test_no_other_aws_can_be_reached_meanwhile(aws: LocalAws) -> None:
    somewhere = boto3.client(
        "sagemaker", region_name=REGION, aws_access_key_id="a", aws_secret_access_key="b"
    )

    with pytest.raises(HTTPClientError, match="a rehearsal reached out to"):
        somewhere.list_endpoints()


def test_the_process_gets_its_environment_back(tmp_path: Path) -> None:
    before = dict(os.environ)

    with Clock(1_800_000_000.0) as clock, local_aws(clock, ACCOUNT, REGION, tmp_path):
        pass

    assert dict(os.environ) == before
