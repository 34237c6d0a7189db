"""A rehearsal as the report is handed it: three rollouts, played by arithmetic."""

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest

from steelyard.rehearsal.report.schema import Report, canonical, parse

CHAMPION, CHALLENGER = "v1-0-0", "v1-1-0"
EDGES = [round(0.1 * i, 1) for i in range(11)]
ALARM = "tumour-classifier-staging-v1-1-0-ErrorRate"


@dataclass(frozen=True)
class Story:
    """A rollout of five steps of 13 minutes; a fault begins 130 s into the step it names."""

    scenario: str
    start: float
    reason: str
    faulty_step: int | None = None
    caught_by: str | None = None
    seconds_to_safe: float = math.inf

    @property
    def fault(self) -> float:
        return math.inf if self.faulty_step is None else self.begin(self.faulty_step) + 130

    @property
    def safe(self) -> float:
        return self.fault + self.seconds_to_safe

    @property
    def end(self) -> float:
        return min(self.safe + 300, self.begin(5) + 480)

    def begin(self, step: int) -> float:
        return self.start + 120 + 780.0 * step

    def step(self, t: float) -> int:
        return min(4, int((t - self.begin(0)) // 780))

    def weight(self, t: float) -> int:
        return 0 if t < self.begin(0) or t >= self.safe else (5, 10, 25, 50, 100)[self.step(t)]

    def weights(self, t: float) -> dict[str, int]:
        return {CHAMPION: 100 - self.weight(t), CHALLENGER: self.weight(t)}


STORIES = (
    Story("better challenger", 0.0, "every step advanced: errors 2.1 < 200, score 0.09 < 0.22"),
    Story("dead challenger", 4500.0, f"alarm: {ALARM}, 5xx 41 > 20", 2, "alarm", 194.0),
    Story("wrong answers", 6900.0, "judge: challenger 31 errors > limit 20", 3, "judge", 320.0),
)


def example() -> dict[str, Any]:
    """Return a rehearsal of three rollouts: promoted, aborted by an alarm, by the judge."""
    return {
        "schema": 1,
        "endpoint": "tumour-classifier",
        "environment": "staging",
        "simulated": ["the endpoint's life cycle", "latency: log-normal, seeded, median 12 ms"],
        "unverified": ["that suspending a scalable target outlives a stack update"],
        "phases": [{"name": "synthesise", "seconds": 6.1}, {"name": "play", "seconds": 33.5}],
        "virtual_seconds": 9900.0,
        "traffic": {"requests_per_minute": 300, "seed": 7},
        "rollouts": [rollout(story) for story in STORIES],
    }


def rollout(story: Story) -> dict[str, Any]:
    """Return what the rehearsal would report of a story."""
    rng = random.Random(story.scenario)
    minutes = list(minutes_of(story, rng))
    served = [sum(m["variants"].get(v, {"requests": 0})["requests"] for m in minutes)
              for v in (CHAMPION, CHALLENGER)]  # fmt: skip
    changes = [story.start, *(t for t in map(story.begin, range(5)) if t < story.safe), story.safe]
    is_faulty = story.faulty_step is not None
    ending = "aborted" if is_faulty else "promoted"
    return {
        "scenario": story.scenario,
        "endpoint": "tumour-classifier-staging",
        "champion": CHAMPION,
        "challenger": CHALLENGER,
        "fault": f"dead@{story.faulty_step}" if is_faulty else None,
        "expected": ending,
        "outcome": ending,
        "passed": True,
        "problems": [],
        "reason": story.reason,
        "caught_by": story.caught_by,
        "weights": [
            {"t_seconds": t, "variant": variant, "weight": weight}
            for t in changes if t < math.inf
            for variant, weight in story.weights(t).items()
        ],
        "requests": sum(served),
        "bad_requests": 137 if is_faulty else 0,
        "seconds_from_fault_to_safe": story.seconds_to_safe if is_faulty else None,
        "t_start": story.start,
        "t_end": story.end,
        "t_fault": story.fault if is_faulty else None,
        "steps": [
            {"index": i, "weight": story.weight(t), "t_start": t,
             "t_end": t + 780 if t + 780 < story.safe else None}
            for i, t in enumerate(changes[1:]) if t < min(story.safe, story.begin(5))
        ],
        "minutes": minutes,
        "scores": {v: {"edges": EDGES, "counts": scores(rng, n)}
                   for v, n in zip((CHAMPION, CHALLENGER), served, strict=True)},
        "decisions": list(decisions_of(story, rng)),
        "alarms": [
            {"t_seconds": t, "name": ALARM, "state": state, "reason": "5xx 41 > 20"}
            for t, state in ((story.start, "OK"), (story.safe - 12, "ALARM"))
            if story.caught_by == "alarm"
        ],
        "events": [],
        "ledger": [
            {"seq": seq, "t_seconds": t, "kind": "acted", "actor": "set-weights",
             "reason": f"challenger at {story.weight(t)} %"}
            for seq, t in enumerate(changes) if t < math.inf
        ],
    }  # fmt: skip


def minutes_of(story: Story, rng: random.Random) -> Iterator[dict[str, Any]]:
    for i in range(int((story.end - story.start) / 60)):
        t = story.start + 60.0 * i
        total = round(rng.gauss(300, 14))
        theirs = round(total * story.weight(t) / 100)
        wrong = round(theirs * (0.6 if story.fault <= t < story.safe else 0.002) + rng.random() / 2)
        counts = {CHAMPION: (total - theirs, rng.random() < 0.2), CHALLENGER: (theirs, wrong)}
        yield {
            "t_seconds": t,
            "variants": {v: {"requests": n, "errors": int(e)} for v, (n, e) in counts.items() if n},
        }


def scores(rng: random.Random, total: int) -> list[int]:
    shape = [math.exp(-(((x - 0.4) / 0.16) ** 2)) + (x > 0.75) + 0.05 for x in EDGES[:-1]]
    return [round(total * share / sum(shape) * rng.uniform(0.93, 1.07)) for share in shape]


def decisions_of(story: Story, rng: random.Random) -> Iterator[dict[str, Any]]:
    errors, growth = 1.0, 6.5 if story.caught_by == "judge" else 2.5
    for t in range(int(story.begin(0)) + 60, int(min(story.safe, story.begin(5))), 60):
        errors *= growth if t > story.fault else rng.uniform(0.7, 1.4)
        ending = "advance" if story.step(t + 60) > story.step(t) else "continue"
        yield {
            "t_seconds": float(t),
            "step": story.step(t),
            "outcome": "abort" if errors > 200 else ending,
            "reasons": [f"errors {errors:.3g} {'>' if errors > 200 else '<'} limit 200"],
            "evidence": {"errors": errors, "errors_limit": 200.0,
                         "score": 0.05 + 0.03 * rng.random(), "score_limit": 0.22},
        }  # fmt: skip
        if errors > 200:
            return


@pytest.fixture(scope="module")
def report() -> dict[str, Any]:
    return example()


@pytest.fixture(scope="module")
def played(report: dict[str, Any]) -> Report:
    return parse(canonical(report))
