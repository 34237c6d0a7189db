"""Troubles with the account that was chosen are told with their cure."""

import click
import pytest
from botocore.exceptions import (
    ClientError,
    CredentialRetrievalError,
    EndpointConnectionError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ReadTimeoutError,
    SSOTokenLoadError,
)

from lambdas.aws import EndpointRefused, LedgerUnreachable
from steelyard.cli.account import connected
from steelyard.cli.place import Unusable


def refused(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "said"}}, "DescribeStacks")


SIGN_IN = "sign in, or choose others with --profile"
UNUSABLE = [
    (NoCredentialsError(), SIGN_IN),
    (PartialCredentialsError(provider="env", cred_var="AWS_SECRET_ACCESS_KEY"), SIGN_IN),
    (CredentialRetrievalError(provider="process", error_msg="x"), SIGN_IN),
    (SSOTokenLoadError(profile_name="x", error_msg="x"), SIGN_IN),
    (refused("ExpiredToken"), SIGN_IN),
    (refused("AccessDeniedException"), SIGN_IN),
    (NoRegionError(), "write for example eu-central-1"),
    (EndpointConnectionError(endpoint_url="http://x"), "mend --region or --endpoint-url"),
]
ANOTHER = [
    refused("Throttling"),
    ReadTimeoutError(endpoint_url="http://x"),
    LedgerUnreachable("no answer"),
    EndpointRefused("no answer"),
]


@pytest.mark.parametrize(("error", "cure"), UNUSABLE, ids=lambda it: type(it).__name__)
def test_an_account_that_cannot_be_used_ends_with_2_and_the_cure(error: Exception, cure: str):
    with pytest.raises(Unusable) as refusal, connected(None, None, None):
        raise error

    assert refusal.value.exit_code == 2
    assert refusal.value.message.endswith(cure)


@pytest.mark.parametrize("error", ANOTHER, ids=lambda it: type(it).__name__)
def test_another_trouble_of_aws_ends_with_1_and_its_words(error: Exception):
    with pytest.raises(click.ClickException) as refusal, connected(None, None, None):
        raise error

    assert refusal.value.exit_code == 1
    assert refusal.value.message == f"AWS: {error}: try again"
