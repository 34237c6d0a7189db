"""Look at worlds: all that a few actions reach, those on random ways, and where each one ends."""

import random
import re
import time
from collections import deque
from dataclasses import dataclass, field

from exploration import invariants
from exploration.actions import Action, enabled, take
from exploration.world import World

FAR_SECONDS = 3 * 3600.0
"""No rollout of the exploration's policy may take longer than this, whatever happens: I7."""


SHOWN = 60
"""How many actions of a way are printed."""


@dataclass(frozen=True)
class Violation:
    """A broken invariant, and the shortest way to it that was found."""

    broken: str
    path: tuple[str, ...]

    def __str__(self) -> str:
        lines = self.path
        if len(lines) > SHOWN:
            lines = (*lines[: SHOWN // 2], "...", *lines[-SHOWN // 2 :])
        return "\n".join([self.broken, *(f"    {line}" for line in lines)])


@dataclass
class Found:
    """What a search saw; `unfinished` worlds were seen, but not how they end."""

    states: int = 0
    transitions: int = 0
    depth: int = 0
    unfinished: int = 0
    seconds: float = 0.0
    violations: dict[str, Violation] = field(default_factory=dict)

    def add(self, broken: tuple[str, ...], path: tuple[str, ...]) -> None:
        """Keep the shortest way to each kind of violation: its sentence without the numbers."""
        for sentence in broken:
            kind = re.sub(r"(?<!I)\d+", "#", sentence)
            if kind not in self.violations or len(path) < len(self.violations[kind].path):
                self.violations[kind] = Violation(sentence, path)


class Search:
    """One exploration from one world; it remembers what it has seen."""

    def __init__(self, start: World) -> None:
        self.found = Found()
        self._start = start
        self._begun = time.perf_counter()
        self._parents: dict[World, tuple[World, Action] | None] = {start: None}
        self._ends_well: set[World] = set()

    def all(self, depth: int, seconds: float = float("inf")) -> Found:
        """
        Look at every world within `depth` actions, and where the last of them end.

        Half of `seconds` is for each of the two; `Found.depth` says how far all worlds were seen.
        """
        queue = deque([(self._start, 0)])
        while queue and queue[0][1] < depth and not self._is_over(seconds / 2):
            world, so_far = queue.popleft()
            for action in enabled(world):
                taken = take(world, action)
                self.found.transitions += 1
                if taken.broken:
                    self.found.add(taken.broken, (*self._path(world), _line(world, action)))
                elif taken.world not in self._parents:
                    self._parents[taken.world] = (world, action)
                    queue.append((taken.world, so_far + 1))
        self.found.depth = queue[0][1] if queue else depth
        # The earlier worlds go on to these: how these end is how those do.
        while queue and not self._is_over(seconds):
            self._finish(queue.popleft()[0])
        self.found.unfinished = len(queue)
        return self._closed()

    def detours(
        self, most: int, seconds: float = float("inf"), transitions: float = float("inf")
    ) -> Found:
        """
        Look at every run to its end that leaves the usual course `most` times or less.

        The usual course lets the oldest process go on, and time pass when there is none; whatever
        else can happen at a moment is a detour. It ends after so many seconds or transitions.
        """
        left = {self._start: most}
        queue = deque([self._start])
        while queue and not self._is_over(seconds) and self.found.transitions < transitions:
            world = queue.popleft()
            is_over = self._is_at_end(world)
            for place, action in enumerate(enabled(world)):
                rest = left[world] - (place > 0)
                if rest < 0 or (is_over and place == 0):
                    continue
                taken = take(world, action)
                self.found.transitions += 1
                if taken.broken:
                    self.found.add(taken.broken, (*self._path(world), _line(world, action)))
                elif left.get(taken.world, -1) < rest:
                    left[taken.world] = rest
                    self._parents.setdefault(taken.world, (world, action))
                    queue.append(taken.world)
        self.found.depth, self.found.unfinished = most, len(queue)
        return self._closed()

    def _is_at_end(self, world: World) -> bool:
        """Say whether nothing more comes of a world by itself, and look whether that is well."""
        if not invariants.is_at_rest(world):
            if world.now - self._start.now <= FAR_SECONDS:
                return False
            self.found.add(invariants.unended(world), self._path(world))
        elif broken := invariants.at_rest(world):
            self.found.add(broken, self._path(world))
        return True

    def _is_over(self, seconds: float) -> bool:
        return time.perf_counter() - self._begun > seconds

    def walks(self, count: int, length: int, seed: int, seconds: float = float("inf")) -> Found:
        """Go random ways, each from the start; the rare things are as likely as the usual."""
        chance = random.Random(seed)
        for _ in range(count):
            if self._is_over(seconds):
                break
            self._walk(chance, length)
        return self._closed()

    def _walk(self, chance: random.Random, length: int) -> None:
        world = self._start
        path: list[str] = []
        for _ in range(length):
            actions = list(enabled(world))
            usual = [action for action in actions if action.kind in ("step", "time")]
            # Rare things are rare, or the budgets are spent before anything has happened.
            pool = usual if usual and chance.random() < 0.9 else actions
            action = chance.choice(pool)
            path.append(_line(world, action))
            taken = take(world, action)
            self.found.transitions += 1
            self._parents.setdefault(taken.world, (world, action))
            if taken.broken:
                self.found.add(taken.broken, tuple(path))
            world = taken.world
            if taken.broken or invariants.is_at_rest(world):
                break
        self.found.depth = max(self.found.depth, length)
        self._finish(world, tuple(path))

    def _finish(self, world: World, path: tuple[str, ...] | None = None) -> None:
        """Let nothing more go wrong, and look whether the world comes to rest as it should."""
        known, start = path, world
        way: list[World] = []
        steps: list[tuple[World, Action]] = []
        # What could still have happened makes no difference where nothing more does.
        world = world.but(budget=(), rang=None)
        while world not in self._ends_well:
            way.append(world)
            is_over = invariants.is_at_rest(world)
            if is_over:
                broken = invariants.at_rest(world)
            elif world.now - self._start.now > FAR_SECONDS:
                broken = invariants.unended(world)
            else:
                action = next(enabled(world))
                steps.append((world, action))
                self.found.transitions += 1
                world, broken = take(world, action)
            if broken:
                lines = (_line(*step) for step in steps)
                known = self._path(start) if known is None else known
                self.found.add(broken, (*known, "then nothing more goes wrong:", *lines))
                return
            if is_over:
                break
        self._ends_well.update(way)

    def _path(self, world: World) -> tuple[str, ...]:
        lines: list[str] = []
        while (parent := self._parents[world]) is not None:
            world, action = parent
            lines.append(_line(world, action))
        return tuple(reversed(lines))

    def _closed(self) -> Found:
        self.found.states = len(self._parents) + len(self._ends_well)
        self.found.seconds = time.perf_counter() - self._begun
        return self.found


def _line(world: World, action: Action) -> str:
    """Return an action as a person reads it: when, what, and which call it is."""
    from exploration.replay import Request, outcome

    said = f"{world.now - 1_800_000_000:7.0f} s  {action}"
    if action.kind in ("step", "crash", "stall"):
        process = world.processes[action.place]
        found = outcome(process) if process.handler not in world.dead else None
        if isinstance(found, Request):
            said += f": {found.service}.{found.operation}"
    return said
