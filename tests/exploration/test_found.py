"""What the exploration found in the handlers stays mended."""

from exploration import invariants
from exploration.actions import Action, enabled, take
from exploration.scenes import promoted, until
from exploration.world import beginning
from steelyard.rollout import judge
from steelyard.rollout.counters import Measurement, Point
from tests.steelyard.rollout.sample import policy


def start(world, name):
    return take(world.allow(1, f"start {name}"), Action("start", name)).world


def to_rest(world):
    while not invariants.is_at_rest(world):
        world = take(world, next(enabled(world))).world
    return world


def test_a_start_that_is_late_takes_no_lock_that_it_has_not_read(stub):
    world = start(start(beginning(), "r1"), "r2")
    late = next(place for place, one in enumerate(world.processes) if one.caller == "r2")
    world = take(world, Action("step", "acquire", late)).world  # it reads that there is no lock

    # Meanwhile r1 takes the lock, and is aborted before it has done anything.
    while world.lock is None:
        world = take(world, next(enabled(world))).world
    world = take(world.allow(1, "abort"), Action("abort")).world
    while world.lock.phase != "aborted":
        others = [place for place, one in enumerate(world.processes) if one.caller != "r2"]
        world = take(world, Action("step", "", others[0])).world
    world = to_rest(world)

    assert (world.lock.rollout, world.lock.generation) in (("r1", 1), ("r2", 2))


def test_a_challenger_that_is_promoted_is_not_put_on_trial_again(stub):
    world = to_rest(until(start(beginning(), "r1"), promoted))

    world = to_rest(start(world, "r2"))

    assert (world.lock.rollout, world.lock.phase) == ("r1", "promoted")
    assert invariants.at_rest(world) == ()


def test_an_answer_of_the_champion_in_the_soak_of_a_policy_of_one_step_is_weighed():
    one_step = policy(steps=[{"weight": 10, "bake_seconds": 600}], latency_edges=[])
    point = Point(20, 0, 0, (), ())
    state = judge.enter(one_step, judge.start(one_step), 0, 0)
    state = judge.fold(one_step, state, Measurement(0, 0, 10, point, point))
    state = judge.enter(one_step, state, 1, 60)

    assert judge.fold(one_step, state, Measurement(1, 1, 100, point, point)).compared == 2
