"""Prepare: scaling is held, then the challenger gets its instances, all at weight 0."""

import json

import pytest

from lambdas import prepare
from lambdas.aws import LedgerConflict
from lambdas.prepare import NotPrepared, RolloutEnded
from steelyard.rollout.policy import canonical
from tests.lambdas.faults import Faults
from tests.lambdas.scaled import WHOLE, scales, suspended
from tests.lambdas.world import ENDPOINT
from tests.steelyard.rollout.sample import policy_dict


@pytest.fixture
def world(world, monkeypatch):
    instances(monkeypatch, v0=1, v1=1, v2=1)
    world.hold(step=-1)
    return world


def instances(monkeypatch, **counts):
    monkeypatch.setenv("STEELYARD_INSTANCES", json.dumps(counts))


def call(world, **more):
    return prepare.handler(world.event(**more), None)["prepared"]


def counts(world, field="CurrentInstanceCount"):
    return world.weights(field)


def grow(world, **changes):
    """Let a variant have been given other instances."""
    for variant, count in changes.items():
        models, now = world.aws.endpoints.models, world.now
        desired = [{"VariantName": variant, "DesiredInstanceCount": count}]
        models[ENDPOINT] = models[ENDPOINT].update_weights_and_capacities(desired, now)
        world.settle()


def test_without_scaling_and_with_enough_instances_nothing_is_to_be_done(world):
    before = world.lock()

    assert call(world) is True

    assert (world.lock(), world.records()) == (before, [])


def test_scaling_of_both_variants_is_held_and_the_ledger_names_them(world):
    scales(world, "v0", "v1", "v2")

    assert call(world) is True

    assert suspended(world, "v1") == suspended(world, "v2") == WHOLE
    assert suspended(world, "v0") == set()
    assert world.lock().suspended == ("v1", "v2")
    (record,) = world.records()
    assert (record["actor"], record["reason"]) == ("prepare", "scaling of v1, v2 is held")


def test_a_champion_that_may_grow_is_only_kept_from_shrinking(world):
    conduct = policy_dict()["conduct"] | {"champion_scale_out": "allow"}
    world.hold(step=-1, policy=canonical(policy_dict(conduct=conduct)))
    scales(world, "v1", "v2")

    assert call(world) is True

    assert suspended(world, "v1") == {"DynamicScalingInSuspended"}
    assert suspended(world, "v2") == WHOLE


def test_what_people_suspended_is_not_the_rollout_s_to_let_go(world):
    scales(world, "v1", **dict.fromkeys(WHOLE, True))
    scales(world, "v2", DynamicScalingOutSuspended=True)

    call(world)

    assert world.lock().suspended == ("v2",)
    assert suspended(world, "v2") == WHOLE


def test_the_ledger_names_a_variant_before_its_scaling_is_held(world):
    scales(world, "v1")
    world.occupy("r1", 1)

    with pytest.raises(LedgerConflict):
        call(world)

    assert suspended(world, "v1") == set()


def test_scaling_that_was_named_and_then_not_held_is_held_by_the_next_call(world):
    scales(world, "v1")
    world.hold(step=-1, suspended=["v1"])

    assert call(world) is True

    assert suspended(world, "v1") == WHOLE
    assert world.records() == []


def test_scaling_that_was_let_go_by_one_who_looked_before_is_held_again(world):
    scales(world, "v1", **dict.fromkeys(WHOLE, True))
    world.hold(step=-1, suspended=["v1"], began_at=world.now - 30)

    assert call(world) is False
    scales(world, "v1")
    world.aws.clock.advance(30)
    assert call(world) is True

    assert suspended(world, "v1") == WHOLE


def test_a_challenger_grows_in_the_file_s_proportion_and_all_weights_stay(world, monkeypatch):
    instances(monkeypatch, v0=1, v1=2, v2=1)
    grow(world, v1=5)

    assert call(world) is False
    assert counts(world, "DesiredInstanceCount") == {"v0": 1, "v1": 5, "v2": 3}
    assert call(world) is False
    world.settle()
    assert call(world) is True

    assert counts(world) == {"v0": 1, "v1": 5, "v2": 3}
    assert world.weights() == {"v0": 0, "v1": 1, "v2": 0}
    assert [record["reason"] for record in world.records()] == ["asking for 3 instances of v2"]


def test_a_challenger_with_more_instances_keeps_them(world):
    grow(world, v2=3)

    assert call(world) is True
    assert counts(world)["v2"] == 3


def test_a_maximum_that_cannot_carry_all_traffic_is_refused(world):
    scales(world, "v2", maximum=3)
    grow(world, v1=4)

    with pytest.raises(NotPrepared, match=r"v2 needs 4 instances .* its scaling allows 3: raise"):
        call(world)

    assert counts(world, "DesiredInstanceCount")["v2"] == 1


def test_instances_that_never_become_healthy_end_the_rollout_with_numbers(world):
    grow(world, v1=2)
    world.hold(step=-1, began_at=world.now)
    models = world.aws.endpoints.models
    models[ENDPOINT] = models[ENDPOINT].roll_back_next()
    call(world)
    world.aws.clock.advance(1801)

    with pytest.raises(NotPrepared, match=r"v2 has 1 of 2 .* InService 1801 s .* limit 1800 s"):
        call(world)

    assert world.weights() == {"v0": 0, "v1": 1, "v2": 0}


def test_instances_that_the_platform_took_back_are_asked_for_again(world):
    grow(world, v1=2)
    models = world.aws.endpoints.models
    models[ENDPOINT] = models[ENDPOINT].roll_back_next()
    call(world)
    world.settle()
    assert call(world) is False
    world.settle()

    assert call(world) is True
    assert counts(world)["v2"] == 2


def test_an_endpoint_that_is_busy_is_waited_for(world):
    grow(world, v1=2)
    world.busy()

    assert call(world) is False
    world.aws.clock.advance(60)
    assert call(world) is False
    assert counts(world, "DesiredInstanceCount")["v2"] == 2


def test_a_refusal_is_waited_for_where_the_description_did_not_tell(world):
    grow(world, v1=2)
    with Faults().at_work() as faults:
        faults.strike("UpdateEndpointWeightsAndCapacities", "in progress")

        assert call(world) is False

    assert call(world) is False
    assert counts(world, "DesiredInstanceCount")["v2"] == 2


def test_enough_instances_on_an_endpoint_that_takes_no_weights_now_are_not_enough(world):
    world.busy()

    assert call(world) is False


def test_an_endpoint_on_another_config_is_refused(world):
    world.endpoint({"v1": 1, "v2": 0}, config="config-2")

    with pytest.raises(NotPrepared, match="runs on config-2, the rollout began on config-1"):
        call(world)


@pytest.mark.parametrize(
    ("changes", "event"),
    [
        ({"rollout": "r2"}, {}),
        ({"generation": 2}, {}),
        ({"phase": "aborting"}, {}),
        ({"phase": "promoted"}, {}),
        ({}, {"generation": 0}),
    ],
)
def test_a_rollout_that_holds_the_endpoint_no_more_prepares_nothing(world, changes, event):
    scales(world, "v1", "v2")
    grow(world, v1=3)
    world.hold(**{"step": -1} | changes)

    with pytest.raises(RolloutEnded, match="rollout r1 is not under way any more"):
        call(world, **event)

    assert suspended(world, "v1") == set()
    assert counts(world, "DesiredInstanceCount")["v2"] == 1
