"""
The fault table: each call on the way home goes wrong in each way, once; how long until weight 0?

Three ways home are played, each from a rollout that bakes at 10 %: an alarm wakes the rollback
Lambda, the judge fails the execution, and nobody but the watchdog is left. A call goes wrong after
its client's own retries; what those take at most is added to the virtual time.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from exploration.actions import Action, enabled, take
from exploration.invariants import SHIFT, at_rest, is_at_rest
from exploration.moments import passed
from exploration.processes import replied
from exploration.replay import Process, Request, aws, outcome
from exploration.scenes import judging, until
from exploration.services import call
from exploration.table import Refusal
from exploration.traffic import CHALLENGER
from exploration.values import frozen
from exploration.world import LAMBDA_SECONDS, ROOT, SETTINGS, World, beginning
from lambdas.aws.endpoint import ATTEMPTS, CONNECT_SECONDS, READ_SECONDS
from lambdas.rollback import MARK_SECONDS

PAGE = ROOT / "docs" / "reliability.md"
BEGIN, END = "<!-- faults: begin -->", "<!-- faults: end -->"

LEDGER_SECONDS = 20.0
"""What a call to the ledger takes that nobody hurries: four attempts of five seconds."""
OUTAGE_SECONDS = 600.0

FAULTS = ("throttled", "answered 500", "timed out before it took effect", "timed out after")
REFUSED = "refused as in progress"
PATHS = ("an alarm", "the judge", "the watchdog alone")
STATES = ("SystemUpdating for 10 min", "RollingBack", "ledger unreachable for 10 min")


@dataclass(frozen=True)
class Cell:
    """What came of one fault: seconds from the cause to the first weight call and to weight 0."""

    path: str
    target: "Target"
    fault: str
    to_call: float
    to_home: float
    platform: float
    end: str

    @property
    def ours(self) -> float:
        """The seconds to weight 0 that the platform did not take."""
        return self.to_home - self.platform


def cells() -> list[Cell]:
    """Play every fault and return what came of it."""
    with aws(SETTINGS, unseen=frozenset()):
        return [_played(path, fault, target) for path in PATHS for fault, target in _cases(path)]


Target = tuple[str, str]
"""A call on a way home: the handler and the operation; empty where the world itself is at fault."""


def _cases(path: str) -> Iterator[tuple[str, Target]]:
    """Yield the faults of a way home: none, those of its calls, and those of the platform."""
    yield "none", ("", "")
    for handler, operation in _calls(path):
        yield from ((fault, (handler, operation)) for fault in FAULTS)
        if operation == SHIFT:
            yield REFUSED, (handler, operation)
    yield from ((state, ("", "")) for state in STATES)


def _calls(path: str) -> list[Target]:
    """Return the calls of a way home on which nothing goes wrong, in their order."""
    world, found = _begun(path), []
    while not is_at_rest(world):
        for process in world.processes[:1]:
            request = outcome(process)
            if isinstance(request, Request) and process.handler in _DRIVERS[path]:
                found.append((process.handler, request.operation))
        world = take(world, next(enabled(world))).world
        if world.weights()[CHALLENGER] == 0:
            break
    return list(dict.fromkeys(found))


_DRIVERS = {
    "an alarm": ("rollback",),
    "the judge": ("judge", "rollback"),
    "the watchdog alone": ("watchdog",),
}


def _begun(path: str) -> World:
    """Return the world in which the cause has just come."""
    world = take(beginning().allow(1, "start r1"), Action("start", "r1")).world
    world = until(world, judging(0))
    if path == "an alarm":
        while world.processes:
            world = take(world, next(enabled(world))).world
        return _happen(world, Action("alarm", "v2"))
    if path == "the judge":
        return _happen(world, Action("alarm", "v2")).but(processes=world.processes)
    for function in ("judge", "rollback", "machine"):
        world = _happen(world, Action("kill", function))
    lease = world.lock.lease_until if world.lock is not None else None
    assert lease is not None
    while world.now <= lease:
        world = take(world, next(enabled(world))).world
    return world


def _happen(world: World, action: Action) -> World:
    return take(world.allow(1, str(action)), action).world


def _played(path: str, fault: str, target: Target) -> Cell:
    play = _Play(_begun(path), fault, target)
    while not is_at_rest(play.world):
        play.on()
        if play.now > 4 * 3600:
            raise ValueError(f"{path}, {fault} {target}: no rest after four hours")
    lock = play.world.lock
    end = "; ".join(at_rest(play.world)) or (lock.phase if lock is not None else "")
    return Cell(path, target, fault, play.called or 0.0, play.home or 0.0, play.platform, end)


class _Play:
    """Everything in its order, but for what goes wrong; and a watch, in seconds from the cause."""

    def __init__(self, world: World, fault: str, target: Target) -> None:
        self._fault = fault
        self._target = target
        self._begun = world.now
        self._is_done = False
        self.called: float | None = None
        self.home: float | None = None
        self.platform = 0.0
        if fault.startswith("SystemUpdating"):
            world = world.but(endpoint=world.endpoint.system_update(world.now, OUTAGE_SECONDS))
        if fault == "RollingBack":
            world = world.but(endpoint=world.endpoint.roll_back_next())
        self.world = world

    @property
    def now(self) -> float:
        """Seconds since the cause."""
        return self.world.now - self._begun

    def on(self) -> None:
        """Let the next call be made, or time pass until something is due."""
        if not self.world.processes:
            self._go(passed(self.world))
            return
        process = self.world.processes[0]
        request = outcome(process)
        if not isinstance(request, Request) or (answer := self._answer(process, request)) is None:
            self._step(0)
            return
        self._note(request)
        if answer is _LOST and self._fault == "timed out after":
            self._go(call(self.world, request)[0])
        self._wait(process, self.now + _cost(process, request, self._fault))
        if process in self.world.processes[:1]:
            self._go(replied(self.world, 0, frozen(answer)))

    def _answer(self, process: Process, request: Request) -> dict[str, Any] | None:
        """Return what a call is answered that goes wrong; None for one that does not."""
        if self._fault.startswith("ledger"):
            is_out = request.service == "dynamodb" and self.now < OUTAGE_SECONDS
            return _LOST if is_out else None
        if self._is_done or (process.handler, request.operation) != self._target:
            return None
        self._is_done = True
        return _ANSWERS[self._fault]

    def _step(self, place: int) -> None:
        process = self.world.processes[place]
        request = outcome(process)
        if isinstance(request, Request):
            self._note(request)
        self._go(take(self.world, Action("step", process.handler, place)).world)

    def _wait(self, process: Process, end: float) -> None:
        """Let time pass for a process whose client still tries; what others do, they do."""
        while process in self.world.processes[:1]:
            if len(self.world.processes) > 1:
                self._step(1)
                continue
            later = passed(self.world)
            if later.now - self._begun > end:
                self._go(self.world.but(now=self._begun + end))
                return
            self._go(later)

    def _note(self, request: Request) -> None:
        if request.operation == SHIFT and self.called is None:
            self.called = self.now

    def _go(self, world: World) -> None:
        if self.home is None and self.world.description["EndpointStatus"] != "InService":
            self.platform += world.now - self.world.now
        self.world = world
        if self.home is None and world.weights()[CHALLENGER] == 0:
            self.home = self.now


_LOST = {"lost": "ReadTimeoutError"}
_ANSWERS: dict[str, dict[str, Any]] = {
    "throttled": {"refused": Refusal("ThrottlingException", "Rate exceeded").answer},
    "answered 500": {"refused": Refusal("InternalServerError", "try again").answer},
    "timed out before it took effect": _LOST,
    "timed out after": _LOST,
    REFUSED: {
        "refused": Refusal("ValidationException", "Cannot update in-progress endpoint").answer
    },
}


def _cost(process: Process, request: Request, fault: str) -> float:
    """Return how long (s) a client tries before it gives up, at most."""
    is_slow = "timed out" in fault or "unreachable" in fault
    if request.service == "dynamodb":
        is_mark = (process.handler, request.operation) == ("rollback", "update_item")
        slow = MARK_SECONDS if is_mark else LEDGER_SECONDS
        return slow if is_slow else 0.35
    if request.service == "sagemaker":
        pauses = float(sum(2**attempt for attempt in range(ATTEMPTS - 1)))
        tries = ATTEMPTS * (CONNECT_SECONDS + READ_SECONDS)
        return 0.0 if "progress" in fault else pauses + (tries if is_slow else 0.0)
    return LAMBDA_SECONDS if is_slow else 15.0


def quantile(values: list[float], share: float) -> float:
    """Return the smallest value that at least this share of them does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, -int(-share * len(ordered) // 1) - 1)]


def table(found: list[Cell]) -> str:
    """Return the section of the page: a table for each way home, and the figures of all."""
    lines = [line for path in PATHS for line in _way(path, [c for c in found if c.path == path])]
    figures: tuple[tuple[str, Callable[[Cell], float]], ...] = (
        ("to the first weight call", lambda cell: cell.to_call),
        ("to weight 0", lambda cell: cell.to_home),
        ("of it not the platform's", lambda cell: cell.ours),
    )
    lines += [
        f"All {len(found)} cells:",
        "",
        "| seconds | p50 | p99 | worst |",
        "|---|---|---|---|",
    ]
    for name, value in figures:
        values = [value(cell) for cell in found]
        numbers = (quantile(values, 0.5), quantile(values, 0.99), max(values))
        lines.append(f"| {name} | {' | '.join(f'{number:.1f}' for number in numbers)} |")
    return "\n".join(lines)


def _way(path: str, found: list[Cell]) -> Iterator[str]:
    """Yield the lines of one way home: a row for each call, a column for each fault."""
    columns = [*FAULTS, REFUSED]
    yield from (f"**{path.capitalize()}**", "")
    yield f"| call | {' | '.join(columns)} |"
    yield "|---" * (len(columns) + 1) + "|"
    for target in dict.fromkeys(cell.target for cell in found if cell.target[0]):
        row = {cell.fault: _text(cell) for cell in found if cell.target == target}
        name = f"{target[0]}: {'weights' if target[1] == SHIFT else target[1]}"
        yield f"| {name} | {' | '.join(row.get(column, '') for column in columns)} |"
    yield from ("", "| the platform | |", "|---|---|")
    yield from (f"| {cell.fault} | {_text(cell)} |" for cell in found if not cell.target[0])
    yield ""


def _text(cell: Cell) -> str:
    said = f"{cell.to_call:.1f} / {cell.to_home:.1f} / {cell.ours:.1f}"
    return said if cell.end == "aborted" else f"{said}: {cell.end}"


def page(found: list[Cell]) -> str:
    """Return docs/reliability.md as it should be: the table anew, all else as it is."""
    text = PAGE.read_text("utf-8")
    before, _, rest = text.partition(BEGIN)
    _, _, after = rest.partition(END)
    return f"{before}{BEGIN}\n{table(found)}\n{END}{after}"


if __name__ == "__main__":
    PAGE.write_text(page(cells()), "utf-8")
