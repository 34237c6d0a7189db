"""What happened in one rollout, noted as it happens, for people and for the report."""

import bisect
import json
from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from steelyard.rehearsal.router import Answer


@dataclass
class Journal:
    """
    Notes of one rollout; every `t` is in virtual seconds since the rehearsal began.

    `copies` counts what shadow variants answered, to nobody.

    `edges` are the score bins of the models. `t_fault` is the moment from which the challenger's
    answers are bad.
    """

    champion: str
    challenger: str
    edges: Sequence[float]
    t_start: float = 0.0
    t_end: float = 0.0
    t_fault: float | None = None
    t_safe: float | None = None
    requests: int = 0
    errors: int = 0
    bad_requests: int = 0
    copies: int = 0
    weights: list[dict[str, Any]] = field(default_factory=list)
    steps: list[dict[str, Any]] = field(default_factory=list)
    alarms: list[dict[str, Any]] = field(default_factory=list)
    events: list[dict[str, Any]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    weights_in_force: dict[str, int] = field(default_factory=dict)
    _minutes: dict[int, dict[str, dict[str, int]]] = field(default_factory=dict)
    _scores: dict[str, list[int]] = field(default_factory=dict)

    def note_weights(self, t: float, live: Mapping[str, int]) -> bool:
        """Note the weights in force; say whether the challenger's has changed."""
        before = self.weights_in_force
        for variant, weight in live.items():
            if before.get(variant) != weight:
                self.weights.append({"t_seconds": t, "variant": variant, "weight": weight})
        if before.get(self.challenger, 0) > 0 and live[self.challenger] == 0:
            self.t_safe = t
        self.weights_in_force = dict(live)
        return before.get(self.challenger) != live[self.challenger]

    def note_step(self, t: float, index: int, weight: int) -> None:
        """Note that a step's weights are in force."""
        self._close_step(t)
        self.steps.append({"index": index, "weight": weight, "t_start": t, "t_end": None})

    def note_end(self, t: float) -> None:
        """Note that the rollout has ended."""
        self._close_step(t)
        self.t_end = t

    def note_event(self, t: float, event: str, done: bool, said: str) -> None:
        """Note what came of an event from outside."""
        self.events.append({"t_seconds": t, "event": event, "done": done, "said": said})

    def note_answers(self, t: float, answers: Sequence[Answer]) -> None:
        """Note what clients got, and how many copies were answered beside."""
        minute = self._minutes.setdefault(int(t // 60), _variants())
        for answer in answers:
            of_variant = minute[answer.variant]
            of_variant["requests"] += 1
            of_variant["errors"] += answer.failed
            if answer.status == 200:
                self._count_score(answer)
            if answer.variant == self.challenger and self.t_fault is not None:
                self.bad_requests += self.t_safe is None
        self.requests += len(answers)
        self.copies += sum(len(answer.copies) for answer in answers)
        self.errors += sum(answer.failed for answer in answers)

    def served(self, variant: str) -> int:
        """Return how many requests a variant answered so far."""
        return sum(minute[variant]["requests"] for minute in self._minutes.values())

    def entry(self) -> dict[str, Any]:
        """Return all of it, as the report tells it."""
        return {
            "weights": self.weights,
            "requests": self.requests,
            "bad_requests": self.bad_requests,
            "t_start": self.t_start,
            "t_end": self.t_end,
            "t_fault": self.t_fault,
            "steps": self.steps,
            "alarms": self.alarms,
            "events": self.events,
            "minutes": self.minutes(),
            "scores": self.scores(),
        }

    def minutes(self) -> list[dict[str, Any]]:
        """Return requests and errors per minute and variant."""
        return [
            {"t_seconds": 60.0 * minute, "variants": {name: dict(c) for name, c in found.items()}}
            for minute, found in sorted(self._minutes.items())
        ]

    def scores(self) -> dict[str, Any]:
        """Return the histogram of the predictions as served, per variant."""
        return {
            variant: {"edges": list(self.edges), "counts": counts}
            for variant, counts in sorted(self._scores.items())
        }

    def _count_score(self, answer: Answer) -> None:
        counts = self._scores.setdefault(answer.variant, [0] * (len(self.edges) - 1))
        for prediction in json.loads(answer.body)["predictions"]:
            place = bisect.bisect_right(self.edges, _binned(prediction)) - 1
            counts[min(max(place, 0), len(counts) - 1)] += 1

    def _close_step(self, t: float) -> None:
        if self.steps and self.steps[-1]["t_end"] is None:
            self.steps[-1]["t_end"] = t


def _binned(prediction: dict[str, Any]) -> float:
    """Return what falls into the score bins: of several classes, the index of the one given."""
    if "scores" in prediction:
        return list(prediction["scores"]).index(str(prediction["label"]))
    return float(prediction["score"])


def _variants() -> dict[str, dict[str, int]]:
    return defaultdict(lambda: {"requests": 0, "errors": 0})
