"""What other systems were seen to do with a challenger, and this one does not."""

import pytest

from exploration.actions import Action, enabled, take
from exploration.invariants import SHIFT, is_at_rest
from exploration.moments import passed
from exploration.replay import Request, aws, outcome
from exploration.scenes import SCENES, asking, in_force, promoted, scaling, until
from exploration.values import thawed
from exploration.world import POLICY, SETTINGS, beginning
from steelyard.rollout.policy import canonical

HOME = {"v0": 0.0, "v1": 100.0, "v2": 0.0}
FULL = {"v0": 0.0, "v1": 0.0, "v2": 100.0}


def begun(moment, count=1):
    world = beginning(count).allow(1, "start r1")
    return until(take(world, Action("start", "r1")).world, moment)


def happens(world, name):
    kind, _, subject = name.partition(" ")
    return take(world.allow(1, name), Action(kind, subject)).world


def to_rest(world):
    """Let everything go its way; return every world on it, and each call with its process."""
    worlds, calls = [world], []
    while not is_at_rest(world):
        if world.processes:
            request = outcome(world.processes[0])
            if isinstance(request, Request):
                calls.append((world.processes[0].handler, request))
        world = take(world, next(enabled(world))).world
        worlds.append(world)
    return worlds, calls


def weights_asked(calls):
    return [
        {one["VariantName"]: one["DesiredWeight"] for one in asked}
        for _, request in calls
        if request.operation == SHIFT
        and "DesiredWeight" in (asked := thawed(request.params)["DesiredWeightsAndCapacities"])[0]
    ]


def test_zero_measurements_are_no_success(stub):
    worlds, _ = to_rest(happens(begun(in_force(0)), "health unknown"))

    assert worlds[-1].lock.phase == "aborted"
    assert max(world.lock.step for world in worlds) == 0
    assert worlds[-1].weights() == HOME


def test_what_is_inconclusive_is_not_promoted():
    policy = canonical(POLICY.to_dict() | {"minimum_requests": 10**9})
    with aws(SETTINGS | {"POLICY": policy}):
        worlds, _ = to_rest(begun(in_force(0)))

    assert "paused" in {world.lock.phase for world in worlds}
    assert worlds[-1].lock.phase == "aborted"
    assert max(world.lock.step for world in worlds) == 0


@pytest.mark.parametrize("kind", ["unknown", "silent"])
def test_no_data_do_not_score_a_hundred(stub, kind):
    worlds, _ = to_rest(happens(begun(in_force(1)), f"health {kind}"))

    assert worlds[-1].lock.phase == "aborted"
    assert worlds[-1].weights() == HOME


@pytest.mark.parametrize("moment", [asking(0), asking(1)])
def test_no_weight_rises_during_an_abort(stub, moment):
    world = happens(begun(moment), "alarm v2")
    # The alarm's Lambda comes first, the weight that was about to be asked for after it.
    while any(process.handler == "rollback" for process in world.processes):
        place = [process.handler for process in world.processes].index("rollback")
        world = take(world, Action("step", "rollback", place)).world

    worlds, calls = to_rest(world)

    late = [asked for asked in weights_asked(calls) if asked["v2"] > 0]
    assert len(late) <= 1  # the one that was in flight, which the platform refuses
    assert {world.weights("DesiredWeight")["v2"] for world in worlds} == {0.0}


def test_an_aborted_rollout_does_not_begin_again_by_itself(stub):
    worlds, _ = to_rest(happens(begun(in_force(0)), "alarm v2"))
    world = worlds[-1]
    while world.now < worlds[-1].now + 7200:
        world = take(world, next(enabled(world))).world if world.processes else passed(world)

    assert (world.lock.rollout, world.lock.phase) == ("r1", "aborted")
    assert world.weights() == HOME


def test_an_aborted_challenger_gets_no_more_instances(stub):
    world = happens(begun(scaling, count=3), "abort")
    while any(process.handler == "rollback" for process in world.processes):
        place = [process.handler for process in world.processes].index("rollback")
        world = take(world, Action("step", "rollback", place)).world
    in_flight = len([one for one in world.processes if one.handler == "prepare"])

    _, calls = to_rest(world)

    scaled = [
        handler
        for handler, request in calls
        if request.operation == SHIFT and "DesiredInstanceCount" in request.params
    ]
    assert len(scaled) <= in_flight


@pytest.mark.parametrize("how", ["stop r1", "kill machine"])
def test_a_stopped_execution_leaves_no_weight_with_the_challenger(stub, how):
    worlds, _ = to_rest(happens(begun(in_force(0)), how))

    assert worlds[-1].lock.phase == "aborted"
    assert worlds[-1].weights() == HOME


def test_a_stopped_execution_that_is_started_again_raises_no_weight(stub):
    worlds, _ = to_rest(happens(begun(in_force(0)), "stop r1"))

    again, calls = to_rest(happens(worlds[-1], "redrive r1"))

    assert weights_asked(calls) == []
    assert again[-1].weights() == HOME


def test_a_healthy_challenger_is_promoted_and_can_be_reverted(stub):
    world = begun(promoted)
    assert world.weights() == FULL
    scene = to_rest(world)[0][-1]

    worlds, _ = to_rest(happens(scene, "revert"))

    assert worlds[-1].lock.phase == "aborted"
    assert worlds[-1].weights() == HOME


@pytest.mark.parametrize("name", SCENES)
def test_every_scene_begins(name):
    scene = SCENES[name]
    with aws(SETTINGS | scene.settings):
        assert {action.kind for action in enabled(scene.start())} & {"step", "time"}
