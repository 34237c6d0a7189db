"""Preflight, on an endpoint that is as it should be, and on others."""

import pytest

from lambdas import preflight
from lambdas.preflight import NotReady


@pytest.fixture
def world(world):
    world.hold(step=-1)
    return world


def test_an_endpoint_whose_champion_serves_alone_is_ready(world):
    assert preflight.handler(world.event(), None) == {}

    (record,) = world.records()
    assert (record["actor"], record["kind"]) == ("preflight", "acted")
    assert record["weights"] == {"v0": 0, "v1": 1, "v2": 0}
    assert world.lock().seq == 2


@pytest.mark.parametrize(
    ("weights", "sentence"),
    [
        (
            {"v0": 0, "v1": 1, "v2": 1},
            "v2 has weight 1 before the rollout has begun: only the champion v1 may have any",
        ),
        (
            {"v0": 0.5, "v1": 1, "v2": 0},
            "v0 has weight 0.5 before the rollout has begun: only the champion v1 may have any",
        ),
        ({"v0": 1, "v1": 0, "v2": 0}, "the champion v1 has no weight"),
        ({"v1": 1, "v2": 0}, "its variants are v1, v2, the file names v0, v1, v2"),
        (
            {"v0": 0, "v1": 1, "v2": 0, "v3": 0},
            "its variants are v0, v1, v2, v3, the file names v0, v1, v2",
        ),
    ],
)
def test_each_thing_that_forbids_a_start_has_its_sentence(world, weights, sentence):
    world.endpoint(weights)

    with pytest.raises(NotReady) as refusal:
        preflight.handler(world.event(), None)

    assert sentence in str(refusal.value)
    assert world.records() == []


def test_an_endpoint_that_is_not_in_service_is_not_ready(world):
    world.busy()

    with pytest.raises(NotReady, match="its status is SystemUpdating, not InService"):
        preflight.handler(world.event(), None)


def test_an_endpoint_that_never_served_is_described_without_variants(world):
    problems = preflight.shortcomings({"EndpointStatus": "Failed"}, world.lock())

    assert problems[0] == "its status is Failed, not InService"
    assert problems[-1] == "the champion v1 has no weight"


def test_a_ringing_alarm_of_the_challenger_forbids_a_start_for_it_would_fire_no_action(world):
    name = world.ring("v2")

    with pytest.raises(NotReady, match=f"alarm {name} is ringing"):
        preflight.handler(world.event(), None)


@pytest.mark.parametrize(("variant", "state"), [("v2", "OK"), ("v1", "ALARM")])
def test_a_silent_alarm_and_one_of_the_champion_do_not_forbid_it(world, variant, state):
    world.ring(variant, state)

    assert preflight.handler(world.event(), None) == {}


def test_everything_that_is_wrong_is_said_at_once(world):
    world.endpoint({"v0": 0, "v1": 0, "v2": 1})
    world.ring("v2")
    world.busy()

    with pytest.raises(NotReady) as refusal:
        preflight.handler(world.event(), None)

    assert len(str(refusal.value).split("; ")) == 4


@pytest.mark.parametrize("changes", [{"rollout": "r2"}, {"phase": "aborting"}])
def test_a_rollout_that_does_not_hold_the_lock_does_not_start(world, changes):
    world.hold(step=-1, **changes)

    with pytest.raises(NotReady, match="rollout r1 does not hold the lock of scales-test"):
        preflight.handler(world.event(), None)
