"""What happens to a world from outside: alarms, people, deployments, the platform, losses."""

from collections.abc import Callable, Mapping

from exploration.execution import stopped
from exploration.processes import NOBODY, orphaned
from exploration.services import MACHINES, alarm_event, invoked, onward
from exploration.traffic import CHAMPION, Health
from exploration.values import frozen, iso, thawed
from exploration.world import ENDPOINT, World
from steelyard.rehearsal.endpoint_model import EndpointModel
from steelyard.rehearsal.endpoint_request import Refused
from steelyard.rollout.ledger import ACTIVE


def _ring(world: World, variant: str) -> World:
    name = f"{ENDPOINT}-{variant}-Latency"
    event = alarm_event(world.now, variant)
    rung = world.but(alarms=world.alarms | {name}, rang=frozen(event))
    return invoked(rung, "rollback", event)


def _ring_again(world: World, _subject: str) -> World:
    return invoked(world, "rollback", thawed(world.rang))


def _calm(world: World, _subject: str) -> World:
    return world.but(alarms=frozenset())


def _order(kind: str) -> Callable[[World, str], World]:
    def order(world: World, _subject: str) -> World:
        event = {"now": iso(world.now), "actor": "a person", "reason": "a reason"}
        if world.lock is not None:
            event["rollout"] = world.lock.rollout
        if kind in ("abort", "revert"):
            more = {"revert": True} if kind == "revert" else {}
            return invoked(world, "rollback", event | more, NOBODY)
        return invoked(world, "operate", event | {"order": kind}, NOBODY)

    return order


def _start(world: World, name: str) -> World:
    return onward(world, MACHINES["rollout"].begin(name, {}, world.now))


def _deploy(world: World, name: str) -> World:
    return onward(world, MACHINES["deploy"].begin(name, {}, world.now))


def _stop(world: World, name: str) -> World:
    """Stop an execution, of which EventBridge tells."""
    ended = stopped(next(one for one in world.executions if one.name == name))
    return onward(orphaned(world, name), (ended, None))


def _kill(world: World, function: str) -> World:
    """Let a function never run again, or every execution end without a word."""
    if function != "machine":
        return world.but(dead=world.dead | {function})
    for execution in world.executions:
        if execution.status == "RUNNING" and execution.machine == "rollout":
            world = orphaned(world, execution.name).with_execution(stopped(execution))
    return world


def _redrive(world: World, name: str) -> World:
    ended = next(one for one in world.executions if one.name == name)
    return onward(world, MACHINES[ended.machine].redriven(ended, world.now))


def _scale(world: World, variant: str) -> World:
    """Let autoscaling ask for one instance more of a variant."""
    (count,) = (
        v["DesiredInstanceCount"]
        for v in world.description["ProductionVariants"]
        if v["VariantName"] == variant
    )
    asked = [{"VariantName": variant, "DesiredInstanceCount": count + 1}]
    return _unless_refused(
        world, lambda: world.endpoint.update_weights_and_capacities(asked, world.now)
    )


def _maintain(world: World, _subject: str) -> World:
    return world.but(endpoint=world.endpoint.system_update(world.now, 600.0))


def _reconfigure(world: World, name: str) -> World:
    """Let somebody else put the endpoint on another config, live weights kept."""
    variants = [
        {"VariantName": variant, "InitialVariantWeight": float(variant == CHAMPION)}
        | {"InitialInstanceCount": 1}
        for variant in world.weights()
    ]
    return _unless_refused(
        world, lambda: world.endpoint.update_endpoint(name, variants, world.now, True)
    )


def _unless_refused(world: World, change: Callable[[], EndpointModel]) -> World:
    try:
        return world.but(endpoint=change())
    except Refused:
        return world


def _sicken(world: World, kind: str) -> World:
    return world.but(health=Health(kind, world.now))


EVENTS: Mapping[str, Callable[[World, str], World]] = {
    "alarm": _ring,
    "duplicate": _ring_again,
    "calm": _calm,
    **{kind: _order(kind) for kind in ("abort", "pause", "resume", "approve", "revert")},
    "start": _start,
    "deploy": _deploy,
    "stop": _stop,
    "kill": _kill,
    "redrive": _redrive,
    "scale": _scale,
    "maintain": _maintain,
    "reconfigure": _reconfigure,
    "health": _sicken,
}


def _is_new(world: World, name: str) -> bool:
    return all(one.name != name for one in world.executions)


def _is(status: str) -> Callable[[World, str], bool]:
    return lambda world, name: any(
        one.name == name and one.status == status for one in world.executions
    )


def _may_scale(world: World, variant: str) -> bool:
    return any(
        target.variant == variant and "DynamicScalingOutSuspended" not in target.held
        for target in world.targets
    )


# An event that is not listed can always come.
APPLIES: Mapping[str, Callable[[World, str], bool]] = {
    "duplicate": lambda world, _: world.rang is not None,
    "calm": lambda world, _: bool(world.alarms),
    "start": _is_new,
    "deploy": _is_new,
    "stop": _is("RUNNING"),
    "redrive": _is("ABORTED"),
    "scale": _may_scale,
    "abort": lambda world, _: world.lock is not None,
    "revert": lambda world, _: world.lock is not None and world.lock.phase not in ACTIVE,
    **dict.fromkeys(
        ("pause", "resume", "approve"),
        lambda world, _: world.lock is not None and world.lock.phase in ACTIVE,
    ),
}


def may_come(world: World, name: str) -> bool:
    """Say whether an event (`alarm v2`) is left in the budget and makes sense in this world."""
    kind, _, subject = name.partition(" ")
    applies = APPLIES.get(kind)
    return bool(
        world.left(name) and kind in EVENTS and (applies is None or applies(world, subject))
    )
