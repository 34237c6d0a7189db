"""What a client gets when the container fails, and what every invocation leaves in the metrics."""

import json
from contextlib import closing
from dataclasses import replace

import boto3
import pytest
from botocore.config import Config

from steelyard.rehearsal.containers import UNANSWERED, Reply
from steelyard.rehearsal.durations import BINS
from steelyard.rehearsal.promql import exposition
from steelyard.rehearsal.runtime import NO_ANSWER
from tests.steelyard.rehearsal.local import ACCOUNT, REGION
from tests.steelyard.rehearsal.runtime.served import RECORD, Fixed, Served
from tests.steelyard.rehearsal.two_versions import CHAMPION, NAME

LOG = f"/aws/sagemaker/Endpoints/{NAME}"


def test_a_bad_record_is_a_model_error_with_the_containers_own_words(served: Served) -> None:
    record = json.loads(RECORD) | {"mean_radius": "wide"}

    response = served.refusal(json.dumps(record), ContentType="application/json")

    assert response["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert response["Error"]["Code"] == "ModelError"
    assert response["OriginalStatusCode"] == 422
    (problem,) = json.loads(response["OriginalMessage"])["errors"]
    assert problem["field"] == "mean_radius"
    assert response["LogStreamArn"] == f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:{LOG}"
    assert response["Error"]["Message"] == (
        f'Received client error (422) from primary with message "{response["OriginalMessage"]}". '
        f"See https://{REGION}.console.aws.amazon.com/cloudwatch/home?region={REGION}"
        f"#logEventViewer:group={LOG} in account {ACCOUNT} for more information."
    )


@pytest.mark.parametrize("status", [201, 204, 302, 400, 404, 429, 500, 503])
def test_any_answer_but_200_is_a_model_error(served: Served, status: int) -> None:
    served.route({CHAMPION: Fixed(Reply(status, b"why \xff", {}))})

    response = served.refusal(b"")

    whose = "client" if 400 <= status < 500 else "server"
    assert response["Error"]["Message"].startswith(f"Received {whose} error ({status}) from ")
    assert (response["OriginalStatusCode"], response["OriginalMessage"]) == (status, "why \ufffd")


def test_no_answer_at_all_is_a_model_error_of_status_0(served: Served) -> None:
    dead = replace(served.containers[CHAMPION], port=1)
    with closing(dead.pool):
        served.route({CHAMPION: dead})

        response = served.refusal(RECORD)

    assert response["ResponseMetadata"]["HTTPStatusCode"] == 424
    assert response["OriginalStatusCode"] == UNANSWERED
    assert response["OriginalMessage"] == NO_ANSWER


def test_the_client_of_a_user_retries_no_model_error(served: Served) -> None:
    container = Fixed(Reply(500, b"", {}))
    served.route({CHAMPION: container})
    client = boto3.client(
        "sagemaker-runtime",
        region_name=REGION,
        endpoint_url=served.aws.url,
        aws_access_key_id="a",
        aws_secret_access_key="b",
        config=Config(proxies={}),
    )

    with pytest.raises(client.exceptions.ModelError) as error:
        client.invoke_endpoint(EndpointName=NAME, Body=b"")

    assert error.value.response["OriginalStatusCode"] == 500
    assert served.counted(CHAMPION)["Invocations"] == 1


def test_invocations_leave_the_native_metrics_and_refusals_leave_none(served: Served) -> None:
    served.invoke(RECORD, ContentType="application/json")
    served.refusal("{}", ContentType="application/json")
    served.refusal(RECORD, TargetVariant="v9-9-9")
    served.refusal(RECORD, TargetModel="m")

    assert served.counted(CHAMPION) == {
        "Invocations": 2,
        "Invocation4XXErrors": 1,
        "Invocation5XXErrors": 0,
        "InvocationModelErrors": 1,
    }


def test_each_request_that_a_container_counts_is_in_its_counters_of_time(served: Served) -> None:
    served.invoke(RECORD, ContentType="application/json")
    served.refusal("{}", ContentType="application/json")
    container = served.containers[CHAMPION]

    page = exposition(container.metrics() or "")

    counted = sum(value for name, _, value in page if name == "steelyard_requests_total")
    timed = sum(container.durations.told(*sample) for sample in page if sample[0] == BINS)
    assert counted == timed
    assert counted >= 2
