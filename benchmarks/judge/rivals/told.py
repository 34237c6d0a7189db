"""A judge that is told the fault, and stays where it first shows: how much air there is."""

import math
from typing import Any

from benchmarks.judge.case import Case
from benchmarks.judge.channel import best
from benchmarks.judge.world import Moment


class Told:
    """
    Rolls back when the likelihood ratio of the true fault to the nearest tolerated is 1/alpha.

    It pays what any sequential rule pays beyond the bound: overshoot and chance.
    """

    is_told = True

    def __init__(self, case: Case):
        self.case = case
        self.limit = math.log(1 / case.spec["alpha"])
        self.stages: list[int] = []
        self.evidence: dict[int, float] = {}
        self.known: dict[int, dict[str, Any]] = {}

    def tick(self, message: dict[str, Any]) -> str:
        """Return the verdict at a tick."""
        self.stages.append(message["stage"])
        if self.case.world.fault is None or message["stage"] < self.case.world.first_stage:
            return "PROMOTE"
        for point in message["points"]:
            seen = {role: point[role] for role in ("champion", "challenger") if point[role]}
            self.known.setdefault(point["minute"], {}).update(seen)
            self._weigh(point["minute"])
        self._listen(message["now"] - self.case.spec["max_metric_delay"])
        return "ROLLBACK" if sum(self.evidence.values()) >= self.limit else "CONTINUE"

    def _weigh(self, minute: int) -> None:
        """Take a minute's evidence anew; a minute that still lacks a variant has none."""
        known, stage = self.known[minute], self.stages[minute]
        if len(known) == 2:
            told = best(self.case, minute, stage).told
            self.evidence[minute] = told(known["champion"], known["challenger"])

    def _listen(self, minute: int) -> None:
        """Count the requests that are missing from a minute which can no longer be late."""
        if minute < 0 or "challenger" in self.known.get(minute, {}):
            return
        stage, world = self.stages[minute], self.case.world
        if not world.truths(Moment(minute, stage))[1].answers:
            self.evidence[minute] = self.case.steps[stage] * world.requests(minute)
