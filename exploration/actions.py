"""What can happen next in a world, and the world in which it has happened."""

from collections.abc import Iterator
from dataclasses import replace
from typing import NamedTuple

from exploration import invariants
from exploration.events import EVENTS, may_come
from exploration.moments import passed
from exploration.processes import failed, finished, replied, with_process, without_process
from exploration.replay import SDK, Process, Request, outcome
from exploration.services import call
from exploration.world import World


class Action(NamedTuple):
    """One thing that happens: to a process by its place, or to the world."""

    kind: str
    subject: str = ""
    place: int = 0

    def __str__(self) -> str:
        return f"{self.kind} {self.subject}".strip()


class Taken(NamedTuple):
    """The world after an action, and which invariants it broke."""

    world: World
    broken: tuple[str, ...] = ()


def enabled(world: World) -> Iterator[Action]:
    """Yield what can happen next."""
    for place, process in enumerate(world.processes):
        name = _name(process)
        yield Action("step", name, place)
        if process.handler != SDK and world.left("crash"):
            yield Action("crash", name, place)
        if process.handler != SDK and world.left("stall") and not process.stalled:
            yield Action("stall", name, place)
    if all(process.stalled for process in world.processes):
        yield Action("time")
    for name, _ in world.budget:
        if may_come(world, name):
            kind, _, subject = name.partition(" ")
            yield Action(kind, subject)


def take(world: World, action: Action) -> Taken:
    """Return the world after an action."""
    if action.kind == "step":
        return _stepped(world, action.place)
    if action.kind == "time":
        after = passed(world)
        return Taken(after, invariants.of_world(world, after))
    if action.kind in ("crash", "stall"):
        process = world.processes[action.place]
        spent = world.spend(action.kind)
        spent = spent.but(
            lost=spent.lost + (process.handler == "watchdog"),
            unjudged=spent.unjudged + (process.handler == "judge"),
        )
        if action.kind == "stall":
            return Taken(with_process(spent, action.place, replace(process, stalled=True)))
        after = failed(
            without_process(spent, action.place), process, "Lambda.Unknown", "it was killed"
        )
        return Taken(after, invariants.of_world(world, after))
    name = f"{action.kind} {action.subject}".strip()
    after = EVENTS[action.kind](world.spend(name), action.subject)
    return Taken(after, invariants.of_world(world, after))


def _stepped(world: World, place: int) -> Taken:
    """Let a process make its next call, and go on to the one after it."""
    process = world.processes[place]
    if process.handler in world.dead:
        after = without_process(world, place)
        return Taken(failed(after, process, "Lambda.TooManyRequestsException", "it never runs"))
    request = outcome(process)
    if isinstance(request, Request):
        after, answer = call(world, request)
        broken = invariants.of_call(world, process, request, after)
        after = replied(after, place, answer)
        return Taken(after, broken + invariants.of_world(world, after))
    return Taken(finished(world, place, process))


def _name(process: Process) -> str:
    return process.handler if process.handler != SDK else f"call of {process.caller}"
