"""Play one case to one judge: an open rollout, tick by tick, by the judge protocol."""

import importlib
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

from benchmarks.judge.case import Case
from benchmarks.judge.counts import Counts, Drawn, draw
from benchmarks.judge.delivery import ROLES, Role
from benchmarks.judge.world import HISTORY, HORIZON, Moment

Factory = Callable[[Any], Any]
Tick = Callable[[dict[str, Any]], str | dict[str, Any]]
ENDINGS = {"ROLLBACK": "rolled back", "PROMOTE": "promoted"}


@dataclass(frozen=True)
class Run:
    """
    How a rollout went: its ending, the stage of each minute, the judge's CPU seconds.

    proven: whether the judge said of every step it left that it left it on evidence.
    """

    case: Case
    ending: str
    stages: tuple[int, ...]
    seconds: float
    proven: bool = False


def load(name: str) -> Factory:
    """Return the factory that `module:factory` names; raises ValueError for another form."""
    module, colon, factory = name.partition(":")
    if not colon:
        raise ValueError(f"judge: given {name}, allowed is module:factory")
    found: Factory = getattr(importlib.import_module(module), factory)
    return found


def play(case: Case, factory: Factory) -> Run:
    """Return how the rollout goes under this judge; a told judge is given the case, too."""
    given = case if getattr(factory, "is_told", False) else start_message(case)
    began = time.process_time()
    judge = factory(given)
    spent = time.process_time() - began
    tick: Tick = judge.tick if hasattr(judge, "tick") else judge
    stage = proven = 0
    stages: list[int] = []
    drawn: dict[int, dict[Role, Drawn]] = {}
    for now in range(HORIZON):
        stages.append(stage)
        drawn[now] = _draw(case, now, stage)
        message = tick_message(case, now, stages, drawn)
        began = time.process_time()
        answer = tick(message)
        spent += time.process_time() - began
        said = {"verdict": answer} if isinstance(answer, str) else answer
        word = said["verdict"]
        stage += word == "PROMOTE"
        proven += word == "PROMOTE" and bool(said.get("proven"))
        if word == "ROLLBACK" or stage == len(case.steps):
            return Run(case, ENDINGS[word], tuple(stages), spent, 0 < stage == proven)
    return Run(case, "stuck", tuple(stages), spent)


def start_message(case: Case) -> dict[str, Any]:
    """Return the protocol's first message: the spec and the champion's history."""
    history = [
        {
            "minute": minute,
            "champion": _draw(case, minute, 0, weight=0.0)["champion"][1],
            "challenger": None,
        }
        for minute in range(-HISTORY, 0)
    ]
    return {"type": "start", "id": case.id, "spec": case.spec, "history": history}


def tick_message(
    case: Case, now: int, stages: list[int], drawn: dict[int, dict[Role, Drawn]]
) -> dict[str, Any]:
    """Return the protocol's message of tick `now`, with every point that arrives at it."""
    points = []
    for minute in range(max(0, now - case.spec["max_metric_delay"]), now + 1):
        found: dict[str, Counts] = dict(_arriving(case, minute, now, drawn[minute]))
        if found:
            weight = case.steps[stages[minute]]
            none = {"champion": None, "challenger": None}
            points.append({"minute": minute, "weight": weight, **none, **found})
    stage = stages[now]
    head = {"type": "tick", "id": case.id, "now": now, "stage": stage}
    return {**head, "weight": case.steps[stage], "points": points}


def _arriving(
    case: Case, minute: int, now: int, drawn: dict[Role, Drawn]
) -> Iterator[tuple[Role, Counts]]:
    """Yield what the metric store says of a minute, if anything of it is new at this tick."""
    new = {role for role in ROLES if case.delivery.arrives(minute, role, now)}
    if not new:
        return
    for role in ROLES if case.delivery.whole else sorted(new):
        known = case.delivery.known(minute, role, now)
        counts = None if known is None else drawn[role][known]
        if counts is not None:
            yield role, counts


def _draw(case: Case, minute: int, stage: int, weight: float | None = None) -> dict[Role, Drawn]:
    share = case.steps[stage] if weight is None else weight
    return draw(case.world, Moment(minute, stage), share, case.seed, case.edges)
