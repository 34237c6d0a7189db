"""While a rollout is played, anybody may call the endpoint as clients do."""

import json
from contextlib import closing
from pathlib import Path

import pytest

from steelyard.rehearsal.clock import Clock
from steelyard.rehearsal.local_aws import local_aws
from steelyard.rehearsal.play import Glimpse, Play
from steelyard.rehearsal.rehearse import EPOCH
from steelyard.rehearsal.traffic import Traffic, bodies
from tests.rehearsal.kit import ENDPOINT, REQUESTS_PER_MINUTE, Kit
from tests.steelyard.rehearsal.runtime.served import held_out


class SeenEnough(Exception):
    """The rollout need not be played to its end."""


def test_a_client_of_the_played_endpoint_is_answered_by_its_containers(
    kit: Kit, tmp_path: Path
) -> None:
    scenario = kit.scenario("promoted")
    requests = bodies(held_out(20))
    answers = []

    with (
        Clock(EPOCH) as clock,
        local_aws(clock, scenario.assembly.account, scenario.assembly.region, tmp_path) as aws,
        closing(Traffic(requests, REQUESTS_PER_MINUTE, seed=7)) as traffic,
    ):

        def call(_: Glimpse) -> None:
            answer = aws.client("sagemaker-runtime").invoke_endpoint(
                EndpointName=f"{ENDPOINT}-test", ContentType="application/json", Body=requests[0]
            )
            answers.append((answer["InvokedProductionVariant"], json.load(answer["Body"])))
            raise SeenEnough

        with pytest.raises(SeenEnough):
            Play(aws, scenario, traffic, 7, tmp_path / "containers", call).run()

    ((variant, body),) = answers
    assert (variant, body["model_version"]) == ("v1-0-0", "1.0.0")
