"""How time passes in a world: to the next moment at which something is due."""

from collections.abc import Iterator
from dataclasses import replace

from exploration import invariants
from exploration.processes import failed, orphaned, without_process
from exploration.services import MACHINES, health, invoked, onward
from exploration.values import iso
from exploration.world import LAMBDA_SECONDS, MINUTE, World
from steelyard.rehearsal.endpoint_model import EndpointModel


def passed(world: World) -> World:
    """Return the world at the next moment at which something is due, with that begun."""
    due = min(_dues(world))
    world = world.but(
        now=due,
        overdue=invariants.overdue(world, due),
        undriven=invariants.undriven(world, due),
        endpoint=_trimmed(world, due),
    )
    for execution in world.executions:
        if execution.due is not None and execution.due <= due:
            world = orphaned(world, execution.name)
            world = onward(world, MACHINES[execution.machine].time(execution, due))
    for name, at in world.ticks:
        if at <= due:
            event = {"source": "aws.events", "time": iso(due), "id": f"{name}-{due:.0f}"}
            world = invoked(world, name, event)
    ready = [process for at, process in world.later if at <= due]
    world = world.but(
        ticks=tuple((name, at + MINUTE if at <= due else at) for name, at in world.ticks),
        later=tuple((at, process) for at, process in world.later if at > due),
    )
    for process in ready:
        renewed = replace(process, at=due, health=health(world))
        if process.handler not in world.dead:
            world = world.but(processes=(*world.processes, renewed))
    return _timed_out(world)


def _dues(world: World) -> Iterator[float]:
    yield from (at for _, at in world.ticks)
    yield from (at for at, _ in world.later)
    yield from (one.due for one in world.executions if one.due is not None)
    yield from (process.at + LAMBDA_SECONDS for process in world.processes)
    yield from (phase.since for phase in world.endpoint.timeline if phase.since > world.now)
    for span in world.endpoint.maintenance:
        yield from (at for at in span if at > world.now)


def _timed_out(world: World) -> World:
    """End every process that has run for as long as a Lambda may."""
    for place in reversed(range(len(world.processes))):
        process = world.processes[place]
        if process.at + LAMBDA_SECONDS <= world.now:
            world = failed(without_process(world, place), process, "Sandbox.Timedout", "60 s")
    return world


def _trimmed(world: World, now: float) -> EndpointModel:
    """Return the endpoint without its past, of which nothing but its creation shows."""
    first, *rest = world.endpoint.timeline
    current = max((p.since for p in rest if p.since <= now), default=first.since)
    return replace(
        world.endpoint,
        timeline=(first, *(phase for phase in rest if phase.since >= current)),
        maintenance=tuple(span for span in world.endpoint.maintenance if span[1] > now),
    )
