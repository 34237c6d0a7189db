"""What must hold in every world and of every call: I1 to I9 of docs/reliability.md."""

from collections.abc import Iterator
from typing import Any

from exploration.replay import Process, Request
from exploration.values import thawed
from exploration.world import MINUTE, World
from steelyard.rollout.conduct import LEASE_SECONDS, WATCHDOG_SECONDS
from steelyard.rollout.ledger import ACTIVE, UNDER_WAY, Lock

SHIFT = "update_endpoint_weights_and_capacities"


def of_call(before: World, process: Process, request: Request, after: World) -> tuple[str, ...]:
    """Return which invariants a process's call breaks; one that is refused counts, too."""
    if request.operation == SHIFT:
        return tuple(_of_change(before, process, thawed(request.params), after))
    lock, health = before.lock, process.health
    # A revert does not wait for a deployment: it may begin to abort while one is under way.
    if request.operation == "update_endpoint" and lock is not None and lock.phase in UNDER_WAY:
        return (f"I3: a deployment changes the endpoint while {lock.rollout} is {lock.phase}",)
    is_blind = health.kind in ("unknown", "silent")
    since = None if lock is None or not is_blind else lock.since
    if request.operation == "send_task_success" and since is not None and health.since <= since:
        return ("I9: a step is passed, and nothing was measured in it",)
    return ()


def _of_change(before: World, process: Process, params: Any, after: World) -> Iterator[str]:
    desired = params["DesiredWeightsAndCapacities"]
    asked = {one["VariantName"]: one["DesiredWeight"] for one in desired if "DesiredWeight" in one}
    known = known_phase(process)
    if not asked:
        if process.handler == "prepare" and known not in UNDER_WAY:
            yield f"I1: a challenger gets instances, and what {process.handler} knows is: {known}"
        return
    if set(asked) != set(before.weights()) or sum(asked.values()) <= 0:
        yield f"I5: {process.handler} asks for {asked}: every variant, and not all 0"
    lock = before.lock
    if _raises(before, asked):
        yield from _raised(before, process, known, after)
    elif lock is not None and lock.phase in UNDER_WAY and not asked.get(lock.challenger):
        yield f"I1: {process.handler} sends the weights home before the ledger knows of the abort"


def _raises(world: World, asked: dict[str, float]) -> bool:
    """Say whether a variant that is on trial would get more than it was last given."""
    lock, wanted = world.lock, world.weights("DesiredWeight")
    home = None if lock is None else lock.champion
    return any(weight > wanted.get(name, 0) for name, weight in asked.items() if name != home)


def _raised(before: World, process: Process, known: str | None, after: World) -> Iterator[str]:
    if known == "paused":
        yield f"I8: {process.handler} raises a weight while it knows of the pause"
    elif known != "progressing":
        yield f"I1: {process.handler} raises a weight, and what it knows is: {known}"
    lock = before.lock
    if lock is None or lock.phase not in UNDER_WAY or after.endpoint is before.endpoint:
        return
    if not _is_held(before):
        yield f"I4: {lock.challenger} gets weight while {lock.champion} may scale in"
    if lock.lease_until is None or lock.lease_until < before.now:
        yield f"I2: {lock.challenger} gets weight without a lease"


def _is_held(world: World) -> bool:
    lock = world.lock
    return all(
        "DynamicScalingInSuspended" in target.held
        for target in world.targets
        if lock is None or target.variant == lock.champion
    )


def known_phase(process: Process) -> str | None:
    """Return the rollout's phase as the process last heard of it; None when it never asked."""
    for answer in reversed(process.answers):
        content = thawed(answer)
        refused = content.get("refused", {})
        item = content.get("Item") or content.get("Attributes") or refused.get("Item")
        if item is not None and "phase" in item:
            return str(item["phase"]["S"])
        if refused.get("Error", {}).get("Code") == "TransactionCanceledException":
            return "somebody else wrote the ledger"
    return None


def of_world(before: World, after: World) -> tuple[str, ...]:
    """Return which invariants the way from one world to the next breaks."""
    broken = [*_of_lock(before.lock, after.lock), *_of_time(before, after)]
    if sum(after.weights().values()) <= 0:
        broken.append("I5: all weights are 0")
    return tuple(broken)


def _of_lock(old: Lock | None, new: Lock | None) -> Iterator[str]:
    if old is None or new is None or old == new:
        return
    if old.rollout != new.rollout:
        if old.phase in ACTIVE:
            yield f"I3: {new.rollout} took the lock while {old.rollout} was {old.phase}"
        if new.generation <= old.generation:
            yield f"I3: generation {new.generation} comes after {old.generation}"
    elif new.phase in UNDER_WAY and old.phase not in UNDER_WAY:
        yield f"I1: {new.rollout} was {old.phase} and is {new.phase} again"


def _of_time(before: World, after: World) -> Iterator[str]:
    if after.undriven > before.undriven and after.undriven > (most := longest(after)):
        yield (
            f"I2: the challenger has weight for {after.undriven:.0f} s since nobody drives the "
            f"rollout, limit {most:.0f} s"
        )
    if after.overdue > before.overdue and after.overdue > (bound := limit(after)):
        is_under_way = after.lock is not None and after.lock.phase in UNDER_WAY
        yield (
            f"{'I2' if is_under_way else 'I1'}: the challenger has weight for "
            f"{after.overdue:.0f} s beyond what the ledger allows, limit {bound:.0f} s"
        )


def limit(world: World) -> float:
    """Return how long (s) a weight may outlive its lease: until the watchdog that comes next."""
    return WATCHDOG_SECONDS * (1.0 + world.lost)


def longest(world: World) -> float:
    """Return how long (s) a weight may outlive who drives it: one more tick renews its lease."""
    return MINUTE * (1.0 + world.unjudged) + LEASE_SECONDS + limit(world)


def undriven(world: World, until: float) -> float:
    """Return for how long (s) the challenger has had weight and no execution ran, as `overdue`."""
    lock = world.lock
    if lock is None or lock.phase not in UNDER_WAY or not world.weights().get(lock.challenger):
        return 0.0
    if any(one.name == lock.rollout and one.status == "RUNNING" for one in world.executions):
        return 0.0
    refuses = world.description["EndpointStatus"] != "InService"
    return world.undriven + (0.0 if refuses else until - world.now)


def overdue(world: World, until: float) -> float:
    """
    Return for how long (s) the challenger has had weight beyond its lease, or after an abort.

    The time in which the platform refuses every change is not counted: nobody can shorten it.
    """
    lock = world.lock
    if lock is None or lock.phase == "promoted" or not world.weights().get(lock.challenger):
        return 0.0
    begin = world.now
    if lock.phase in UNDER_WAY and lock.lease_until is not None:
        if until <= lock.lease_until:
            return 0.0
        begin = max(begin, lock.lease_until)
    refuses = world.description["EndpointStatus"] != "InService"
    return world.overdue + (0.0 if refuses else until - begin)


def is_at_rest(world: World) -> bool:
    """Say whether nothing is in flight any more: no process, no execution, no rollout."""
    lock = world.lock
    return (
        not world.processes
        and not world.later
        and all(one.status != "RUNNING" for one in world.executions)
        and (lock is None or (lock.phase not in ACTIVE and not lock.suspended))
        and world.now >= world.endpoint.settles_at()
        and world.description["EndpointStatus"] == "InService"
    )


def at_rest(world: World) -> tuple[str, ...]:
    """Return which invariants a world at rest breaks."""
    lock, broken = world.lock, []
    held = sorted(target.variant for target in world.targets if target.held)
    if held:
        broken.append(f"I4: nothing is in flight and the scaling of {held} is held")
    if lock is None:
        return tuple(broken)
    serving = lock.challenger if lock.phase == "promoted" else lock.champion
    stray = {name: weight for name, weight in world.weights().items() if weight}
    if set(stray) != {serving}:
        number = "I6" if lock.phase == "promoted" else "I1, I6"
        broken.append(f"{number}: rollout {lock.rollout} is {lock.phase}, and live is {stray}")
    return tuple(broken)


def unended(world: World) -> tuple[str, ...]:
    """Return which invariant a world breaks that does not come to rest."""
    lock = world.lock
    if lock is not None and lock.phase not in ACTIVE and lock.suspended:
        return (f"I4: {lock.rollout} is {lock.phase}, and nobody resumes {lock.suspended}",)
    states = [f"{one.name} {one.state}" for one in world.executions if one.status == "RUNNING"]
    phase = "" if lock is None else f"{lock.rollout} is {lock.phase}"
    return (f"I7: it does not end: {', '.join([phase, *states])}",)
