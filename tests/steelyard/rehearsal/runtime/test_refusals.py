"""Requests that are refused before any container sees them."""

import pytest
from botocore.exceptions import ClientError

from steelyard.rehearsal.containers import Reply
from tests.steelyard.rehearsal.runtime.served import RECORD, Fixed, Served
from tests.steelyard.rehearsal.two_versions import CHAMPION, NAME


@pytest.mark.parametrize(
    "parameter",
    [
        "TargetModel",
        "TargetContainerHostname",
        "EnableExplanations",
        "InferenceComponentName",
        "SessionId",
        "PrefixAwareId",
    ],
)
def test_what_is_for_other_kinds_of_endpoints_is_refused(served: Served, parameter: str) -> None:
    response = served.refusal(RECORD, **{parameter: "x"})

    assert response["Error"]["Code"] == "ValidationError"
    assert f"does not support {parameter}: " in response["Error"]["Message"]


@pytest.mark.parametrize(
    ("parameters", "said"),
    [
        ({"CustomAttributes": "é"}, "'customAttributes' .* regular expression pattern: "),
        ({"CustomAttributes": "a" * 1025}, "'customAttributes' .* length less .* 1024$"),
        ({"ContentType": "a" * 1025}, "'contentType' .* length less .* 1024$"),
        ({"Accept": "a" * 1025}, "'accept' .* length less .* 1024$"),
        ({"InferenceId": "i" * 65}, "'inferenceId' .* length less .* 64$"),
        ({"TargetVariant": "not_a_name"}, "'targetVariant' .* regular expression pattern: "),
        ({"TargetVariant": "v" * 64}, "'targetVariant' .* length less .* 63$"),
        ({"endpoint": "not_a_name"}, "'endpointName' .* regular expression pattern: "),
        ({"endpoint": "e" * 64}, "'endpointName' .* length less .* 63$"),
    ],
)
def test_parameters_outside_of_their_shapes_are_refused_without_a_word_of_theirs(
    served: Served, parameters: dict[str, str], said: str
) -> None:
    with pytest.raises(ClientError, match=said) as refusal:
        served.invoke(RECORD, **parameters)

    error = refusal.value.response["Error"]
    assert error["Code"] == "ValidationError"
    assert error["Message"].startswith("1 validation error detected: ")
    assert not any(value in error["Message"] for value in parameters.values())


def test_every_parameter_outside_of_its_shape_is_named(served: Served) -> None:
    message = served.refusal(RECORD, InferenceId="i" * 65, Accept="a" * 1025)["Error"]["Message"]

    assert message.startswith("2 validation errors detected: ")
    assert "'inferenceId'" in message
    assert "'accept'" in message


def test_parameters_of_the_greatest_length_are_accepted(served: Served) -> None:
    served.route({CHAMPION: Fixed(Reply(200, b"", {}))})

    answer = served.invoke(b"", CustomAttributes="a" * 1024, InferenceId="i" * 64)

    assert answer["InvokedProductionVariant"] == CHAMPION


def test_a_streamed_and_an_asynchronous_answer_are_refused(served: Served) -> None:
    client = served.aws.client("sagemaker-runtime")

    with pytest.raises(ClientError, match=r"ValidationError.*async-invocations is not played"):
        client.invoke_endpoint_async(EndpointName=NAME, InputLocation="s3://b/k")
    with pytest.raises(ClientError, match=r"ValidationError.*response-stream is not played"):
        client.invoke_endpoint_with_response_stream(EndpointName=NAME, Body=RECORD)
