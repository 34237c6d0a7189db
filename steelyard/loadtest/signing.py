"""AWS's signature of an InvokeEndpoint call, made by botocore and sent by our own client."""

import time
from collections.abc import Mapping

import botocore.session
from botocore.auth import SigV4Auth
from botocore.awsrequest import AWSRequest

from steelyard.loadtest.target import JSON, Target

SERVICE = "sagemaker"
VARIANT_HEADER = "X-Amzn-SageMaker-Target-Variant"
# AWS takes a signature whose date is within five minutes (IAM user guide, "AWS Signature Version
# 4"): so one can serve all requests of a minute with the same body, and signing, which costs a
# tenth of a millisecond, does not hold up the requests that are due.
_KEPT_SECONDS = 60.0


class NoCredentials(RuntimeError):
    """Nothing says who calls AWS; the message says what to do."""


class Sigv4Signer:
    """Signs with the credentials that the AWS command line would use."""

    def __init__(self, session: botocore.session.Session, region: str, variant: str | None) -> None:
        credentials = session.get_credentials()
        if credentials is None:
            raise NoCredentials(
                "AWS: found no credentials, allowed is whatever the aws command line takes: sign "
                "in, or set AWS_PROFILE"
            )
        self._credentials = credentials
        self._region = region
        self._variant = {} if variant is None else {VARIANT_HEADER: variant}
        self._kept: dict[tuple[str, bytes], tuple[float, Mapping[str, str]]] = {}

    def headers(self, url: str, body: bytes, content_type: str) -> Mapping[str, str]:
        """Return the headers of a signed request, at most a minute old."""
        now = time.time()
        since, kept = self._kept.get((url, body), (-_KEPT_SECONDS, {}))
        if now - since < _KEPT_SECONDS:
            return kept
        headers = {"Content-Type": content_type, **self._variant}
        request = AWSRequest("POST", url, headers=headers, data=body)
        frozen = self._credentials.get_frozen_credentials()
        SigV4Auth(frozen, SERVICE, self._region).add_auth(request)
        signed = dict(request.headers.items())
        self._kept[url, body] = now, signed
        return signed


def deployed(name: str, region: str, variant: str | None, bodies: list[bytes]) -> Target:
    """
    Return a deployed endpoint as a target; `variant` gets every request if it is given.

    Raises NoCredentials.
    """
    session = botocore.session.get_session()
    signer = Sigv4Signer(session, region, variant)
    client = session.create_client("sagemaker-runtime", region_name=region)
    url = f"{client.meta.endpoint_url}/endpoints/{name}/invocations"
    return Target(url, bodies, JSON, signer)
