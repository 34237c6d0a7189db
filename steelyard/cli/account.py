"""The AWS account that a command speaks to, chosen as the AWS command line lets it be chosen."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import boto3
import click
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    CredentialRetrievalError,
    NoCredentialsError,
    NoRegionError,
    PartialCredentialsError,
    ProfileNotFound,
    SSOError,
)
from botocore.exceptions import (
    ConnectionError as Unreached,
)

from lambdas.aws import EndpointRefused, LedgerUnreachable
from steelyard.cli.place import Unusable

_URL = "AWS_ENDPOINT_URL"
_CREDENTIALS = (
    "credentials: given none that AWS takes ({}), allowed are those of the AWS command line: "
    "sign in, or choose others with --profile"
)
_NO_CREDENTIALS = (
    CredentialRetrievalError,
    NoCredentialsError,
    PartialCredentialsError,
    SSOError,
)
# What services answer to credentials that are unknown, outdated or not allowed to do this.
_REFUSALS = {
    "AccessDenied",
    "AccessDeniedException",
    "ExpiredToken",
    "ExpiredTokenException",
    "InvalidClientTokenId",
    "InvalidSignatureException",
    "UnrecognizedClientException",
}


@contextmanager
def connected(profile: str | None, region: str | None, url: str | None) -> Iterator[None]:
    """
    Let boto3 speak to one account while the context lasts; None leaves it to the environment.

    Raises Unusable, with the cure, where AWS cannot be reached or does not take the credentials;
    ClickException (exit code 1) where it answers with another error.
    """
    session, before = boto3.DEFAULT_SESSION, os.environ.get(_URL)
    try:
        if profile is not None or region is not None:
            boto3.setup_default_session(profile_name=profile, region_name=region)
        if url is not None:
            os.environ[_URL] = url
        yield
    except (BotoCoreError, ClientError) as error:
        problem = _problem(error)
        if problem is None:
            raise click.ClickException(f"AWS: {error}: try again") from error
        raise Unusable([problem]) from error
    except (EndpointRefused, LedgerUnreachable) as error:
        raise click.ClickException(f"AWS: {error}: try again") from error
    finally:
        boto3.DEFAULT_SESSION = session
        if url is not None:
            os.environ.pop(_URL)
            os.environ.update({_URL: before} if before is not None else {})


def _problem(error: BotoCoreError | ClientError) -> str | None:
    """Return what is wrong with the account that was chosen; None for another trouble."""
    if isinstance(error, ProfileNotFound):
        known = ", ".join(boto3.Session().available_profiles) or "none"
        return f"--profile: {error}, allowed is {known}: write one of these"
    if isinstance(error, _NO_CREDENTIALS):
        return _CREDENTIALS.format(error)
    if isinstance(error, NoRegionError):
        return "--region: given none, allowed is a region of AWS: write for example eu-central-1"
    if isinstance(error, ClientError) and error.response["Error"]["Code"] in _REFUSALS:
        return _CREDENTIALS.format(error)
    if isinstance(error, Unreached):
        return f"AWS: {error}, allowed is an address that answers: mend --region or --endpoint-url"
    return None
