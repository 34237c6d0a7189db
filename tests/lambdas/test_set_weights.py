"""SetWeights: what it asks for, when it says that it is in force, and what it refuses."""

import pytest

from lambdas import set_weights
from lambdas.aws import LedgerConflict
from lambdas.set_weights import RolloutEnded, WeightsRefused
from steelyard.rehearsal.endpoint_model import EndpointModel, Refused
from tests.lambdas.world import conducted

ALWAYS = {"weekly": False, "begin": 0, "end": 2_000_000_000}


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
    world.hold(step=0, since=world.now, token="of the last step", gate="promotion")
    world.endpoint({"v0": 0, "v1": 90, "v2": 10})

    ask(world, index=1, weight=50)
    assert world.lock().since is None
    world.settle()
    ask(world, index=1, weight=50)

    assert (world.lock().step, world.lock().token, world.lock().gate) == (1, None, None)
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
    "changes",
    [{"phase": "aborting"}, {"phase": "aborted"}, {"rollout": "r2"}, {"generation": 2}],
    ids=str,
)
def test_after_an_abort_no_weight_is_raised(world, changes):
    world.hold(**changes)

    with pytest.raises(RolloutEnded, match="rollout r1 is no longer under way"):
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


def test_the_lease_begins_before_the_weight_is_asked_for(world):
    world.busy()
    ask(world)

    assert world.weights("DesiredWeight")["v2"] == 0
    assert world.lock().lease_until == world.now + 180


def test_waiting_for_the_weights_renews_the_lease_before_half_of_it_is_gone(world):
    world.busy()
    asked = world.now
    ask(world)

    leases = []
    models = world.aws.endpoints.models
    models["scales-test"] = models["scales-test"].system_update(world.now, 7200)
    for _ in range(4):
        world.aws.clock.advance(45)
        ask(world)
        leases.append(world.lock().lease_until - asked)

    assert leases == [180, 180, 315, 315]


def test_weights_in_force_have_a_whole_lease(world):
    ask(world)
    world.settle()
    ask(world)

    assert world.lock().lease_until == world.now + 180


def test_before_each_call_the_ledger_says_again_that_the_rollout_goes_on(world):
    world.busy()
    ask(world)
    world.aws.clock.advance(60)
    models = world.aws.endpoints.models
    models["scales-test"] = Stopped(**vars(models["scales-test"]))
    Stopped.world = world

    with pytest.raises(LedgerConflict):
        ask(world)

    assert world.weights("DesiredWeight")["v2"] == 0


class Stopped(EndpointModel):
    """An endpoint while whose description is read the rollout is stopped."""

    def describe(self, at):
        self.world.hold(phase="aborting")
        return super().describe(at)


def test_a_paused_rollout_asks_for_no_weight_and_keeps_its_lease(world):
    world.hold(phase="paused", step=0, lease_until=world.now + 60, pause_until=world.now + 600)

    assert ask(world, index=1, weight=50) == {"settled": False}
    assert ask(world, index=0) == {"settled": False}

    assert world.weights("DesiredWeight")["v2"] == 0
    assert (world.lock().step, world.lock().lease_until) == (0, world.now + 180)


def test_a_paused_rollout_whose_weights_came_into_force_goes_on_to_its_bake(world):
    ask(world)
    world.settle()
    lock = world.lock()
    world.hold(phase="paused", step=0, seq=lock.seq, pause_until=world.now + 600)

    assert ask(world) == {"settled": True}


def test_the_platform_s_time_does_not_run_out_during_a_pause(world):
    world.hold(phase="paused", step=0, asked_at=world.now - 3600, pause_until=world.now + 60)

    assert ask(world) == {"settled": False}


@pytest.mark.parametrize(
    ("changes", "index", "why"),
    [
        ({"deadline": 1_700_000_000}, 0, "deadline of 2023-11-14 22:13:20 UTC has passed"),
        ({"phase": "paused", "pause_until": 1_700_000_000}, 0, "nobody ended the pause by 2023"),
        ({"step": 0}, 2, "step 2 does not follow step 0"),
        ({"step": 1}, 0, "step 0 does not follow step 1"),
        ({"policy": conducted(confirm=["start"])}, 0, "nobody approved the start"),
        (
            {"step": 1, "policy": conducted(confirm=["promotion"]), "approved": ["start", "1"]},
            2,
            "nobody approved the promotion",
        ),
        ({"policy": conducted(freeze=[ALWAYS])}, 0, "no rollout begins before 2033"),
    ],
)
def test_a_weight_that_may_not_rise_is_never_asked_for(world, changes, index, why):
    world.hold(**{"step": -1, **changes})

    with pytest.raises(RolloutEnded, match=why):
        ask(world, index=index, weight=10)

    assert world.weights("DesiredWeight")["v2"] == 0


@pytest.mark.parametrize(
    ("changes", "index"),
    [
        ({"policy": conducted(confirm=["start"]), "approved": ["start"]}, 0),
        ({"step": 1, "policy": conducted(confirm=["promotion"]), "approved": ["promotion"]}, 2),
        # The step was decided before the freeze began.
        ({"step": 0, "policy": conducted(freeze=[ALWAYS])}, 1),
    ],
)
def test_what_was_approved_and_decided_is_asked_for(world, changes, index):
    world.hold(**{"step": -1, **changes})

    ask(world, index=index, weight=10)

    assert world.weights("DesiredWeight")["v2"] == 10


def shadowed(world, **changes):
    world.hold(**{"kind": "shadow", "step": -1, "others": [], "began_at": world.now} | changes)
    world.endpoint({"v1": 1}, shadow="v2")


def test_a_shadow_run_opens_its_bake_and_asks_for_no_weight(world):
    shadowed(world)

    assert ask(world, weight=50) == {"settled": True}

    assert world.weights("DesiredWeight") == {"v1": 1}
    lock = world.lock()
    assert (lock.step, lock.since, lock.lease_until, lock.moved) == (0, world.now, None, False)
    (record,) = world.records()
    assert (record["reason"], record["weights"]) == ("weights are in force", {"v1": 100, "v2": 0})


def test_a_shadow_run_waits_until_its_variant_answers_but_not_for_ever(world):
    shadowed(world)
    models = world.aws.endpoints.models
    models["scales-test"] = models["scales-test"].system_update(world.now, 7200)

    assert ask(world, weight=50) == {"settled": False}
    assert (world.lock().step, world.records()) == (-1, [])
    world.aws.clock.advance(1801)

    with pytest.raises(WeightsRefused, match=r"v2 does not answer 1801 s .* SystemUpdating"):
        ask(world, weight=50)


@pytest.mark.parametrize(
    ("weights", "shadow", "why"),
    [
        ({"v1": 1, "v2": 0}, None, "its shadow variant is none, not v2"),
        ({"v1": 1}, "v3", "its shadow variant is v3, not v2"),
        ({"v0": 1}, "v2", "the champion v1 does not serve alone"),
    ],
)
def test_what_is_deployed_otherwise_is_no_shadow_run(world, weights, shadow, why):
    shadowed(world)
    world.endpoint(weights, shadow=shadow)

    with pytest.raises(WeightsRefused, match=why):
        ask(world, weight=50)

    assert world.lock().since is None


def test_while_an_alarm_of_the_shadow_rings_its_bake_is_not_opened(world):
    shadowed(world)
    name = world.ring("v2")

    with pytest.raises(RolloutEnded, match=f"alarm {name} is ringing"):
        ask(world, weight=50)
