"""The local AWS for handlers called in this process: a ledger, an endpoint, alarms, a topic."""

import boto3
import pytest

from steelyard.rehearsal.clock import Clock
from steelyard.rehearsal.local_aws import local_aws
from tests.lambdas.world import ENDPOINT, POLICY, TABLE, TOPIC, World

EPOCH = 1_800_000_000.0


@pytest.fixture(scope="module")
def local(tmp_path_factory):
    """Run one local AWS, on a virtual clock, for the tests of one module."""
    folder = tmp_path_factory.mktemp("aws")
    with (
        Clock(EPOCH) as clock,
        local_aws(clock, "111122223333", "eu-central-1", folder) as aws,
        pytest.MonkeyPatch.context() as patch,
    ):
        # A session keeps the credentials of its first client: no other test may share it.
        patch.setattr(boto3, "DEFAULT_SESSION", None)
        for name, value in aws.environment.items():
            patch.setenv(name, value)
        yield aws


@pytest.fixture
def world(local, monkeypatch) -> World:
    """Give a fresh world, and the settings by which every handler finds it."""
    local.reset()
    # Minutes are the judge's unit: every test begins with one.
    local.clock.advance(-local.clock.now % 60)
    settings = {
        "ENDPOINT": ENDPOINT,
        "LEDGER": TABLE,
        "TOPIC": TOPIC,
        "CHAMPION": "v1",
        "CHALLENGER": "v2",
        "VARIANTS": "v0,v1,v2",
        "POLICY": POLICY,
        "INSTANCES": '{"v0": 1, "v1": 1, "v2": 1}',
    }
    for name, value in settings.items():
        monkeypatch.setenv(f"STEELYARD_{name}", value)
    return World(local)


@pytest.fixture
def move(world, monkeypatch):
    """Let a service be at another address, for the clients that are made from now on."""

    def move(service, url):
        monkeypatch.setenv(f"AWS_ENDPOINT_URL_{service}", url)
        # Its clients know the old address.
        monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)

    return move
