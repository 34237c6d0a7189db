"""An endpoint with two versions of the example, which clients call through boto3."""

from collections.abc import Iterator

import pytest

from steelyard.rehearsal import fleet
from steelyard.rehearsal.clock import Clock
from steelyard.rehearsal.faults import IMAGE
from steelyard.rehearsal.local_aws import local_aws
from steelyard.rehearsal.metrics import MetricStore
from tests.steelyard.rehearsal.local import ACCOUNT, REGION, assembly
from tests.steelyard.rehearsal.runtime.served import START, Served
from tests.steelyard.rehearsal.two_versions import NAME, template


@pytest.fixture(scope="module")
def standing(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    folder = tmp_path_factory.mktemp("runtime")
    with (
        Clock(START) as clock,
        local_aws(clock, ACCOUNT, REGION, folder / "aws") as aws,
    ):
        resources, assets = template(folder)
        aws.deploy(assembly(resources, assets))
        containers = fleet.start(aws, NAME, folder / "containers", lambda _: IMAGE)
        clock.advance(aws.endpoints.get(NAME).settles_at() - clock.now)
        try:
            yield Served(aws, containers, MetricStore())
        finally:
            for container in containers.values():
                container.kill()  # one that ends in order waits a second for late requests
                container.close()


@pytest.fixture
def served(standing: Served) -> Served:
    """The endpoint with all weight on the champion, and nothing counted yet."""
    standing.store = MetricStore()
    standing.route(standing.containers)
    return standing
