"""The endpoint: what is asked of SageMaker, and how its answers are read."""

import socket

import pytest

from lambdas.aws import Alarms, Endpoint, EndpointBusy, EndpointGone, EndpointRefused, endpoint
from tests.lambdas.faults import Faults
from tests.lambdas.world import ENDPOINT


def test_a_shift_names_every_variant_and_leaves_the_counts_alone(world):
    Endpoint(ENDPOINT).shift({"v0": 0, "v1": 75, "v2": 25})
    world.settle()

    assert world.weights() == {"v0": 0, "v1": 75, "v2": 25}
    assert world.weights("DesiredInstanceCount") == {"v0": 1, "v1": 1, "v2": 1}


def test_an_endpoint_that_is_being_updated_is_busy(world):
    Endpoint(ENDPOINT).shift({"v0": 0, "v1": 75, "v2": 25})

    with pytest.raises(EndpointBusy, match="Cannot update in-progress endpoint"):
        Endpoint(ENDPOINT).shift({"v0": 0, "v1": 100, "v2": 0})


@pytest.mark.parametrize("weights", [{"v9": 100}, {"v0": 0, "v1": 0, "v2": 0}])
def test_a_refusal_for_another_reason_is_not_taken_for_a_busy_endpoint(world, weights):
    with pytest.raises(EndpointRefused, match="ValidationException") as refusal:
        Endpoint(ENDPOINT).shift(weights)

    assert refusal.type is EndpointRefused


def test_an_endpoint_that_is_not_there_is_gone(world):
    for call in (Endpoint("gone").describe, lambda: Endpoint("gone").shift({"v1": 100})):
        with pytest.raises(EndpointGone, match="Could not find endpoint"):
            call()


def test_instances_of_one_variant_are_asked_for_and_all_weights_left_alone(world):
    Endpoint(ENDPOINT).scale("v2", 3)
    world.settle()

    assert world.weights("CurrentInstanceCount") == {"v0": 1, "v1": 1, "v2": 3}
    assert world.weights() == {"v0": 0, "v1": 1, "v2": 0}


def test_a_connection_that_hangs_is_given_up_and_tried_again_within_the_lambda_s_time(
    world, monkeypatch
):
    monkeypatch.setattr(endpoint, "READ_SECONDS", 0.05)
    with socket.create_server(("127.0.0.1", 0)) as mute, Faults().at_work() as faults:
        url = f"http://127.0.0.1:{mute.getsockname()[1]}"
        monkeypatch.setenv("AWS_ENDPOINT_URL_SAGEMAKER", url)

        with pytest.raises(EndpointRefused, match="Read timeout"):
            Endpoint(ENDPOINT).shift({"v1": 100})

    assert len(faults.sent) > 1


def test_all_attempts_together_leave_the_lambda_half_its_minute(world):
    config = Endpoint(ENDPOINT)._sagemaker.meta.config
    attempts = config.retries["total_max_attempts"]
    pauses = sum(2**attempt for attempt in range(attempts - 1))

    assert attempts * (config.connect_timeout + config.read_timeout) + pauses <= 30


def test_only_this_endpoint_s_and_this_variant_s_alarms_that_ring_now_are_named(world):
    ringing = world.ring("v1-1-0")
    world.ring("v1-0-0")
    world.ring("v1-1-00")

    assert Alarms(ENDPOINT).ringing("v1-1-0") == [ringing]
    assert Alarms("scales").ringing("v1-1-0") == []
