"""SetWeights: what it asks for, when it says that it is in force, and what it refuses."""

import pytest

from lambdas import set_weights
from lambdas.aws import LedgerConflict
from lambdas.set_weights import RolloutEnded, WeightsRefused
from steelyard.rehearsal.endpoint_model import EndpointModel, Refused


@pytest.fixture
def world(world):
    world.hold(step=-1)
    return world


def ask(world, index=0, weight=10):
    return set_weights.handler(world.event(index=index, weight=weight), None)


def test_the_first_call_asks_for_the_weights_and_does_not_call_them_settled(world):
    assert ask(world) == {"settled": False}

    assert world.weights("DesiredWeight") == {"v0": 0, "v1": 90, "v2": 10}
    assert (world.lock().step, world.lock().asked_at, world.lock().since) == (0, world.now, None)
    assert [record["reason"] for record in world.records()] == ["asking for weight 10"]


def test_the_weights_are_settled_once_they_are_in_force(world):
    ask(world)
    assert ask(world) == {"settled": False}
    world.settle()

    assert ask(world) == {"settled": True}

    assert world.weights() == {"v0": 0, "v1": 90, "v2": 10}
    assert world.lock().since == world.now
    assert world.records()[-1]["reason"] == "weights are in force"


def test_the_next_step_does_not_keep_the_last_one_s_bake(world):
    world.hold(step=0, since=world.now, token="of the last step")
    world.endpoint({"v0": 0, "v1": 90, "v2": 10})

    ask(world, index=1, weight=50)
    assert world.lock().since is None
    world.settle()
    ask(world, index=1, weight=50)

    assert (world.lock().step, world.lock().token) == (1, None)
    assert world.weights() == {"v0": 0, "v1": 50, "v2": 50}


def test_a_busy_endpoint_is_asked_again_later(world):
    world.busy()
    assert ask(world) == {"settled": False}
    assert world.weights("DesiredWeight")["v2"] == 0

    world.aws.clock.advance(60)
    ask(world)
    world.settle()

    assert ask(world) == {"settled": True}


class Overtaken(EndpointModel):
    """An endpoint whose update began between the look at it and the call."""

    def update_weights_and_capacities(self, desired, at):
        raise Refused("ValidationException", 'Cannot update in-progress endpoint "arn".')


def test_an_endpoint_that_became_busy_after_the_look_at_it_is_asked_again_later(world):
    models = world.aws.endpoints.models
    models["scales-test"] = Overtaken(**vars(models["scales-test"]))

    assert ask(world) == {"settled": False}


def test_weights_that_the_platform_rolled_back_are_asked_for_again(world):
    models = world.aws.endpoints.models
    models["scales-test"] = models["scales-test"].roll_back_next()
    ask(world)
    world.settle()
    assert world.weights()["v2"] == 0

    ask(world)
    world.settle()

    assert ask(world) == {"settled": True}


def test_a_weight_that_the_ledger_did_not_take_is_never_asked_for(world):
    world.occupy("r1", 1)

    with pytest.raises(LedgerConflict):
        ask(world)

    assert world.weights("DesiredWeight")["v2"] == 0


@pytest.mark.parametrize(
    "changes", [{"phase": "aborting"}, {"phase": "aborted"}, {"rollout": "r2"}]
)
def test_after_an_abort_no_weight_is_raised(world, changes):
    world.hold(**changes)

    with pytest.raises(RolloutEnded, match="rollout r1 is no longer progressing"):
        ask(world)

    assert world.weights("DesiredWeight")["v2"] == 0


def test_while_an_alarm_of_the_challenger_rings_no_weight_is_raised(world):
    name = world.ring("v2")

    with pytest.raises(RolloutEnded, match=f"alarm {name} is ringing"):
        ask(world)

    assert world.weights("DesiredWeight")["v2"] == 0


def test_an_endpoint_on_another_config_is_not_the_one_the_rollout_began_on(world):
    world.endpoint({"v0": 0, "v1": 1, "v2": 0}, config="config-2")

    with pytest.raises(WeightsRefused, match="runs on config-2, the rollout began on config-1"):
        ask(world)

    assert world.weights("DesiredWeight")["v2"] == 0


def test_weights_that_do_not_come_into_force_within_the_limit_end_the_rollout(world):
    ask(world)
    world.aws.clock.advance(60)
    models = world.aws.endpoints.models
    models["scales-test"] = models["scales-test"].system_update(world.now, 7200)
    world.aws.clock.advance(1740)
    assert ask(world) == {"settled": False}
    world.aws.clock.advance(1)

    with pytest.raises(WeightsRefused, match=r"asked for 1801 s ago .* SystemUpdating, limit 1800"):
        ask(world)
