"""How processes go on and end in a world, and who hears of it."""

from dataclasses import replace

from exploration.execution import Execution
from exploration.machine import sdk_error
from exploration.replay import SDK, Process, Raised, Request, Returned, outcome
from exploration.services import MACHINES, onward
from exploration.values import frozen, thawed
from exploration.world import World

NOBODY = "nobody"
"""The caller of a process whose answer nobody waits for, and that is not delivered again."""

RETRY_SECONDS = (60.0, 120.0)
"""How long Lambda waits before it delivers an asynchronous event a second and a third time."""


def replied(world: World, place: int, answer: str) -> World:
    """Return the world in which a process got the answer to its call, and goes on."""
    process = world.processes[place]
    return finished(world, place, replace(process.answered(answer), stalled=False))


def finished(world: World, place: int, process: Process) -> World:
    """Hand over what a process says, once it has ended."""
    found = outcome(process)
    if isinstance(found, Request):
        return with_process(world, place, process)
    rest = without_process(world, place)
    if isinstance(found, Raised):
        return failed(rest, process, found.error, found.message)
    return _answered(rest, process, found)


def _answered(world: World, process: Process, found: Returned) -> World:
    """Hand what a process returned to the execution that waits for it."""
    if process.caller in (None, NOBODY):
        return world
    execution = _caller(world, process)
    machine = MACHINES[execution.machine]
    return onward(world, machine.returned(execution, thawed(found.value), world.now))


def failed(world: World, process: Process, error: str, message: str) -> World:
    """Tell whoever waits that a process failed; Lambda delivers an asynchronous event again."""
    if process.caller == NOBODY:
        return world
    if process.caller is None:
        if process.attempt == len(RETRY_SECONDS):
            return world
        again = replace(process, attempt=process.attempt + 1, answers=(), stalled=False)
        due = world.now + RETRY_SECONDS[process.attempt]
        return world.but(later=tuple(sorted([*world.later, (due, again)], key=str)))
    if process.handler == SDK:
        error, cause = sdk_error(thawed(process.event)["service"], error), message
    else:
        cause = frozen({"errorMessage": message, "errorType": error})
    execution = _caller(world, process)
    machine = MACHINES[execution.machine]
    return onward(world, machine.failed(execution, error, cause, world.now))


def _caller(world: World, process: Process) -> Execution:
    """Return the execution that waits for a process."""
    return next(one for one in world.executions if one.name == process.caller)


def with_process(world: World, place: int, process: Process) -> World:
    """Return the world with a process at a place."""
    processes = world.processes
    return world.but(processes=(*processes[:place], process, *processes[place + 1 :]))


def without_process(world: World, place: int) -> World:
    """Return the world without the process at a place."""
    return world.but(processes=(*world.processes[:place], *world.processes[place + 1 :]))


def orphaned(world: World, execution: str) -> World:
    """Let the processes of an execution answer nobody: it has gone on without them."""
    return world.but(
        processes=tuple(
            replace(one, caller=NOBODY) if one.caller == execution else one
            for one in world.processes
        )
    )
