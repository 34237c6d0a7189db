"""Preflight, on an endpoint that is as it should be, and on others."""

import json

import pytest

from lambdas import preflight
from lambdas.preflight import NotReady
from steelyard.rollout.policy import canonical
from tests.lambdas.scaled import loaded, scales, tracks
from tests.lambdas.world import ENDPOINT
from tests.steelyard.rollout.sample import policy_dict

READY = {"ready": True}


@pytest.fixture
def world(world, monkeypatch):
    monkeypatch.setenv("STEELYARD_INSTANCES", json.dumps({"v0": 1, "v1": 1, "v2": 1}))
    world.hold(step=-1)
    return world


def conduct(**changes):
    """Return a policy with another conduct, as the ledger holds it."""
    return canonical(policy_dict(conduct=policy_dict()["conduct"] | changes))


def refused(world, **more):
    """Return what a rollout is refused for."""
    with pytest.raises(NotReady) as refusal:
        preflight.handler(world.event(**more), None)
    return str(refusal.value)


def rehearse(world):
    """Ask, as a dry run does, whether a rollout could begin now."""
    return preflight.handler({"rollout": "r2", "now": world.iso(), "dry_run": True}, None)


def test_an_endpoint_whose_champion_serves_alone_is_ready(world):
    assert preflight.handler(world.event(), None) == READY

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

    assert preflight.handler(world.event(), None) == READY


def test_everything_that_is_wrong_is_said_at_once(world):
    world.endpoint({"v0": 0, "v1": 0, "v2": 1})
    world.ring("v2")
    world.busy()

    with pytest.raises(NotReady) as refusal:
        preflight.handler(world.event(), None)

    assert len(str(refusal.value).split("; ")) == 4


@pytest.mark.parametrize(
    "changes", [{"rollout": "r2"}, {"phase": "aborting"}, {"generation": 2}], ids=str
)
def test_a_rollout_that_does_not_hold_the_lock_does_not_start(world, changes):
    world.hold(step=-1, **changes)

    assert refused(world) == "rollout r1 does not hold the lock of scales-test"


def test_no_rollout_starts_while_weights_may_not_be_raised(world):
    begin, end = int(world.now) - 60, int(world.now) + 7200
    world.hold(step=-1, policy=conduct(freeze=[{"weekly": False, "begin": begin, "end": end}]))

    until = world.iso(7200).replace(":00+", "+")
    assert refused(world).endswith(f"no weight is raised before {until}: rollout.freeze says so")
    world.aws.clock.advance(7200)
    assert preflight.handler(world.event(), None) == READY


def test_a_maximum_that_cannot_carry_the_champion_s_traffic_forbids_a_start(world, monkeypatch):
    monkeypatch.setenv("STEELYARD_INSTANCES", json.dumps({"v0": 1, "v1": 1, "v2": 3}))
    scales(world, "v2", maximum=2)

    assert "v2 needs 3 instances to carry all traffic, its scaling allows 2" in refused(world)


@pytest.mark.parametrize(
    ("requests", "scale_out", "is_ready"),
    [(700, "hold", True), (702, "hold", False), (5000, "allow", True)],
)
def test_a_champion_is_held_only_if_it_has_room(world, requests, scale_out, is_ready):
    world.hold(step=-1, policy=conduct(champion_scale_out=scale_out, headroom=0.3))
    scales(world, "v1")
    tracks(world, "v1", 1000)
    loaded(world, "v1", requests)

    if is_ready:
        assert preflight.handler(world.event(), None) == READY
    else:
        assert "v1 had 702 requests a minute per instance" in refused(world)


def test_a_dry_run_writes_nothing_and_needs_no_lock(world):
    world.hold(phase="promoted", rollout="r0")
    before = world.lock()

    assert rehearse(world) == READY

    assert (world.lock(), world.records("r2"), world.records("r0")) == (before, [], [])


def test_a_dry_run_tells_all_that_a_rollout_would_be_refused_for(world, monkeypatch):
    world.hold(phase="promoted")
    world.claim("the-endpoint-stack")
    world.hold(phase="paused")
    name = world.ring("v2")
    world.endpoint({"v0": 0, "v1": 50, "v2": 50})
    monkeypatch.setenv("STEELYARD_POLICY", conduct(headroom=0.5))
    scales(world, "v1")
    tracks(world, "v1", 1000)
    loaded(world, "v1", 600)

    with pytest.raises(NotReady) as refusal:
        rehearse(world)

    told = str(refusal.value)
    assert "rollout r1 is paused: wait until it ends, or abort it" in told
    until = world.iso(7200).replace(":00+", "+")
    assert f"a deploy of the-endpoint-stack holds rollouts off until {until}" in told
    assert "v2 has weight 50 before the rollout has begun" in told
    assert f"alarm {name} is ringing" in told
    assert "at most 500 leave 50%" in told


def test_a_claim_that_has_run_out_holds_nothing_off(world):
    world.hold(phase="promoted")
    world.claim(lasts=-1)

    assert rehearse(world) == READY


def test_a_dry_run_without_a_challenger_is_refused(world, monkeypatch):
    monkeypatch.delenv("STEELYARD_CHALLENGER")

    with pytest.raises(NotReady, match=f"{ENDPOINT} was deployed without a challenger"):
        rehearse(world)
