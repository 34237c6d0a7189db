"""What the exploration's tests share: the stub in AWS's place, and moto to compare with."""

import pytest

from exploration.replay import aws
from exploration.traffic import START
from exploration.world import SETTINGS
from steelyard.rehearsal.clock import Clock
from steelyard.rehearsal.local_aws import local_aws


@pytest.fixture
def stub():
    """Let handlers ask the exploration instead of AWS."""
    with aws(SETTINGS):
        yield


@pytest.fixture(scope="module")
def moto(tmp_path_factory):
    """Run one local AWS, on a virtual clock that begins as every exploration does."""
    with (
        Clock(START) as clock,
        local_aws(clock, "111122223333", "eu-central-1", tmp_path_factory.mktemp("aws")) as found,
    ):
        yield found
