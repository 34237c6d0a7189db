"""No invariant is broken, in any order of calls that the short exploration reaches."""

import pytest

from exploration.__main__ import main
from exploration.actions import Action, enabled, take
from exploration.replay import aws
from exploration.scenes import SCENES
from exploration.search import Search
from exploration.seeded import SEEDED
from exploration.world import SETTINGS, beginning


def violations(*searches):
    return [str(one) for found in searches for one in found.violations.values()]


@pytest.mark.parametrize("name", SCENES)
def test_a_short_exploration_breaks_no_invariant(name):
    scene = SCENES[name]
    with aws(SETTINGS | scene.settings):
        every = Search(scene.start()).all(2)
        runs = Search(scene.start()).detours(1, transitions=3000)
        some = Search(scene.start(3)).walks(2, 300, seed=1)

    assert violations(every, runs, some) == []


@pytest.mark.proof
@pytest.mark.parametrize("name", SCENES)
def test_a_long_exploration_breaks_no_invariant(name):
    scene = SCENES[name]
    with aws(SETTINGS | scene.settings):
        every = Search(scene.start()).all(9, 10)
        runs = Search(scene.start()).detours(2, 10)
        some = Search(scene.start(3)).walks(300, 400, seed=1, seconds=6)

    assert violations(every, runs, some) == []


@pytest.mark.parametrize("name", SEEDED)
def test_a_seeded_fault_is_found_by_its_invariant(name):
    fault = SEEDED[name]
    scene = SCENES[fault.scene]
    with aws(SETTINGS | scene.settings), fault.seeded():
        start = scene.start().allow(len(fault.events), *fault.events)
        found = Search(start).all(fault.depth)

    numbers = {kind.split(":")[0] for kind in found.violations}
    assert any(fault.invariant in number for number in numbers)


@pytest.mark.parametrize("name", SEEDED)
def test_without_the_fault_nothing_is_found_there(name):
    fault = SEEDED[name]
    scene = SCENES[fault.scene]
    with aws(SETTINGS | scene.settings):
        start = scene.start().allow(len(fault.events), *fault.events)
        found = Search(start).all(min(fault.depth, 6))

    assert list(found.violations) == []


def test_a_violation_is_told_with_the_shortest_way_to_it():
    fault = SEEDED["rollback names only the champion"]
    scene = SCENES[fault.scene]
    with aws(SETTINGS), fault.seeded():
        found = Search(scene.start().allow(1, "alarm v2")).all(5)

    (violation,) = found.violations.values()
    assert [line.split("s  ")[1] for line in violation.path] == [
        "alarm v2",
        "step rollback: dynamodb.update_item",
        f"step rollback: sagemaker.{'update_endpoint_weights_and_capacities'}",
    ]


def test_the_same_seed_goes_the_same_ways():
    scene = SCENES["10 % is judged"]
    with aws(SETTINGS):
        one, other = (Search(scene.start()).walks(3, 100, seed=5) for _ in range(2))

    assert (one.states, one.transitions) == (other.states, other.transitions)


def test_every_event_happens_once_at_most_and_no_more_together_than_allowed(stub):
    world = beginning().allow(2, "start r1", "maintain", "scale v1")
    for name in ("start r1", "maintain"):
        kind, _, subject = name.partition(" ")
        assert Action(kind, subject) in list(enabled(world))
        world = take(world, Action(kind, subject)).world

    assert {action.kind for action in enabled(world)} == {"step"}


def test_a_run_without_a_detour_is_the_usual_course(stub):
    start = SCENES["10 % is in force"].start()

    found = Search(start).detours(0)

    assert (found.unfinished, list(found.violations)) == (0, [])
    assert found.transitions == found.states - 1


def test_time_waits_for_every_process_that_is_not_late(stub):
    world = beginning().allow(2, "start r1", "stall")
    world = take(world, Action("start", "r1")).world
    (process,) = world.processes

    assert Action("time") not in list(enabled(world))
    world = take(world, Action("stall", process.handler)).world
    assert Action("time") in list(enabled(world))


def test_a_process_ends_after_a_minute_and_the_execution_hears_of_it(stub):
    world = beginning().allow(2, "start r1", "stall")
    world = take(world, Action("start", "r1")).world
    world = take(world, Action("stall", "acquire")).world
    while world.now < beginning().now + 60:
        world = take(world, Action("time")).world

    assert [process.handler for process in world.processes if process.caller] == ["rollback"]


def test_an_alarm_that_is_not_handled_is_delivered_twice_more(stub):
    world = beginning().allow(9, "alarm v2", *["crash"] * 8)
    world, at = take(world, Action("alarm", "v2")).world, []
    while world.now < beginning().now + 600:
        if world.processes:
            (process,) = world.processes[:1]
            at += [world.now - beginning().now] if process.handler == "rollback" else []
            kind = "crash" if process.handler == "rollback" else "step"
            world = take(world, Action(kind, process.handler)).world
        else:
            world = take(world, Action("time")).world

    assert at == [0, 60, 180]


def test_the_command_prints_what_it_saw_and_says_whether_it_is_well(capsys):
    code = main(["--depth", "2", "--detours", "0", "--walks", "1", "--scene", "10 % is in force"])

    head, every, runs, some = capsys.readouterr().out.splitlines()
    assert code == 0
    assert head.split() == ["from", "states", "transitions", "depth", "seconds", "violations"]
    assert every.endswith("0 (every order)")
    assert runs.endswith("0 (whole runs, by detours)")
    assert some.endswith("0 (random, seed 1)")
