"""Calls of a deployed endpoint, signed."""

import boto3
import botocore.session
import pytest
import time_machine

from steelyard.loadtest import client
from steelyard.loadtest.arrivals import schedule
from steelyard.loadtest.client import Patience, Run
from steelyard.loadtest.signing import NoCredentials, Sigv4Signer, deployed

REGION = "eu-central-1"
URL = f"https://runtime.sagemaker.{REGION}.amazonaws.com/endpoints/e-staging/invocations"


@pytest.fixture(autouse=True)
def _nobody(monkeypatch, tmp_path):
    """Nobody's credentials, whoever runs the tests."""
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIDEXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "wJalrXUtnFEMI")
    monkeypatch.setenv("AWS_SESSION_TOKEN", "a-token")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "none"))


def signer(variant=None):
    return Sigv4Signer(botocore.session.get_session(), REGION, variant)


def boto_headers(body):
    """Return the headers that AWS's own SDK would send."""
    seen = {}

    def catch(request, **_):
        seen.update(request.headers.items())
        raise InterruptedError

    runtime = boto3.client("sagemaker-runtime", region_name=REGION)
    runtime.meta.events.register("before-send", catch)
    with pytest.raises(InterruptedError):
        runtime.invoke_endpoint(
            EndpointName="e-staging",
            ContentType="application/json",
            Body=body,
            TargetVariant="v1-0-0",
        )
    return {name: it.decode() if isinstance(it, bytes) else str(it) for name, it in seen.items()}


def test_a_request_is_signed_as_awss_own_sdk_signs_it():
    with time_machine.travel("2026-01-02T03:04:05Z", tick=False):
        ours = signer("v1-0-0").headers(URL, b'{"a": 1}', "application/json")
        theirs = boto_headers(b'{"a": 1}')

    for name in ("Authorization", "X-Amz-Date", "X-Amz-Security-Token"):
        assert ours[name] == theirs[name]
    assert ours["X-Amzn-SageMaker-Target-Variant"] == "v1-0-0"


def test_without_a_variant_none_is_asked_for():
    headers = signer().headers(URL, b"{}", "application/json")

    assert "X-Amzn-SageMaker-Target-Variant" not in headers
    assert "target-variant" not in headers["Authorization"]


def test_a_signature_serves_for_a_minute_and_for_its_own_body_only():
    kept = signer()
    with time_machine.travel("2026-01-02T03:04:05Z", tick=False) as clock:
        one = kept.headers(URL, b"1", "application/json")
        same = kept.headers(URL, b"1", "application/json")
        other = kept.headers(URL, b"2", "application/json")
        clock.shift(61)
        later = kept.headers(URL, b"1", "application/json")

    assert one is same
    assert one["Authorization"] != other["Authorization"]
    assert one["X-Amz-Date"] != later["X-Amz-Date"]


def test_without_credentials_the_cure_is_told(monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)

    with pytest.raises(NoCredentials, match=r"found no credentials, .* AWS_PROFILE"):
        signer()


def test_a_deployed_endpoint_gets_signed_requests_at_its_own_path(server, monkeypatch):
    monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER_RUNTIME", server.url)
    target = deployed("e-staging", REGION, "v1-0-0", [b'{"a": 1}'])

    async def work():
        async with client.session() as opened:
            due = schedule("constant", 50, 0, 0.1, 0)
            return await Run(opened, target, due, Patience(), 1).play(lambda _: None)

    samples = client.run(work)

    assert list(samples.failures) == [""] * 5
    path, headers, body = server.seen[0]
    assert (path, body) == ("/endpoints/e-staging/invocations", b'{"a": 1}')
    assert f"/{REGION}/sagemaker/aws4_request" in headers["Authorization"]
    assert headers["Host"] == server.url.removeprefix("http://")
