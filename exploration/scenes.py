"""Where explorations begin: moments of one rollout at which much can go wrong, and what may."""

from collections.abc import Callable
from dataclasses import dataclass, field

from exploration.actions import Action, enabled, take
from exploration.invariants import SHIFT
from exploration.replay import Request, outcome
from exploration.world import POLICY, World, beginning
from steelyard.rollout.policy import canonical

Moment = Callable[[World], bool]

LONGEST = 5_000


@dataclass(frozen=True)
class Scene:
    """
    One beginning: `moment` of a rollout in which nothing went wrong, and what may happen from it.

    Each of `events` may happen once, in every order and at every call, `together` of them in one
    exploration. `settings` differ from the usual ones; the champion has `count` instances.
    """

    moment: Moment
    events: tuple[str, ...]
    together: int = 2
    settings: dict[str, str] = field(default_factory=dict)
    count: int = 1

    def start(self, together: int | None = None) -> World:
        """Return the world of the scene; inside `aws(SETTINGS | self.settings)` only."""
        world = beginning(self.count).allow(1, "start r1")
        world = take(world, Action("start", "r1")).world
        found = until(world, self.moment)
        return found.allow(self.together if together is None else together, *self.events)


def until(world: World, moment: Moment) -> World:
    """Return the world at a moment, if nothing goes wrong before."""
    for _ in range(LONGEST):
        if moment(world):
            return world
        world = take(world, next(enabled(world))).world
    raise ValueError(f"the moment {moment.__name__} does not come within {LONGEST} actions")


def at_once(world: World) -> bool:
    """Say whether the execution has just been started."""
    return bool(world.executions)


def scaling(world: World) -> bool:
    """Say whether Prepare is about to ask for the challenger's instances."""
    return any(
        process.handler == "prepare" and _next(world, place) == SHIFT
        for place, process in enumerate(world.processes)
    )


def asking(step: int) -> Moment:
    """Return the moment at which a step's weights are about to be asked for."""

    def moment(world: World) -> bool:
        return (
            world.lock is not None
            and world.lock.step == step
            and any(
                process.handler == "set_weights" and _next(world, place) == SHIFT
                for place, process in enumerate(world.processes)
            )
        )

    return moment


def in_force(step: int) -> Moment:
    """Return the moment at which a step's weights are in force, and its bake is about to begin."""
    return lambda world: (
        world.lock is not None and world.lock.step == step and world.lock.since is not None
    )


def judging(step: int) -> Moment:
    """Return the moment at which the judge is about to be woken in a step's bake."""
    return lambda world: (
        in_force(step)(world)
        and world.now % 60 == 0
        and any(process.handler == "judge" for process in world.processes)
        and any(execution.waits == "token" for execution in world.executions)
    )


def advancing(step: int) -> Moment:
    """Return the moment at which the judge is about to end a step's bake with success."""
    return lambda world: (
        any(_next(world, place) == "send_task_success" for place, _ in enumerate(world.processes))
        and in_force(step)(world)
    )


def gated(world: World) -> bool:
    """Say whether the rollout waits for a person before its first weight."""
    return world.lock is not None and world.lock.gate == "start" and not world.processes


def promoted(world: World) -> bool:
    """Say whether the rollout has just been promoted."""
    return world.lock is not None and world.lock.phase == "promoted" and not world.processes


def _next(world: World, place: int) -> str:
    found = outcome(world.processes[place])
    return found.operation if isinstance(found, Request) else ""


def _with_gates() -> dict[str, str]:
    policy = POLICY.to_dict()
    return {"POLICY": canonical(policy | {"conduct": policy["conduct"] | {"confirm": ["start"]}})}


_FAULTS = ("crash", "stall")

SCENES: dict[str, Scene] = {
    "it begins": Scene(
        at_once,
        ("alarm v2", "abort", "stop r1", "deploy c2", "scale v1", "reconfigure c2", *_FAULTS),
    ),
    "two begin": Scene(at_once, ("start r2", "abort", "deploy c2", *_FAULTS)),
    "capacity is asked for": Scene(
        scaling, ("alarm v2", "abort", "scale v1", "kill machine", "maintain", *_FAULTS), count=2
    ),
    "10 % is asked for": Scene(
        asking(0),
        ("alarm v2", "duplicate", "abort", "stop r1", "kill machine", "pause", *_FAULTS),
    ),
    "10 % is in force": Scene(
        in_force(0),
        ("alarm v2", "pause", "kill machine", "maintain", "reconfigure c2", *_FAULTS),
    ),
    "10 % is judged": Scene(
        judging(0),
        ("alarm v2", "pause", "resume", "kill judge", "kill machine", "deploy c2", *_FAULTS),
    ),
    "nobody is left": Scene(
        judging(0), ("kill judge", "kill machine", "kill rollback", "alarm v2", "maintain", "stall")
    ),
    "10 % is passed": Scene(
        advancing(0), ("alarm v2", "abort", "pause", "stop r1", "redrive r1", *_FAULTS)
    ),
    "100 % is asked for": Scene(
        asking(1), ("alarm v2", "duplicate", "abort", "kill machine", "maintain", *_FAULTS)
    ),
    "100 % is judged": Scene(
        judging(1), ("health failing", "health unknown", "abort", "kill machine", *_FAULTS)
    ),
    "100 % has soaked": Scene(advancing(1), ("alarm v2", "abort", "pause", "stop r1", *_FAULTS)),
    "it is promoted": Scene(
        promoted, ("revert", "abort", "alarm v2", "redrive r1", "deploy c2", *_FAULTS)
    ),
    "it is started again": Scene(promoted, ("start r2", "revert", "abort", *_FAULTS)),
    "a person is waited for": Scene(
        gated, ("approve", "pause", "abort", "alarm v2", *_FAULTS), settings=_with_gates()
    ),
}
