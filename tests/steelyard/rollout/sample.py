"""A policy and seeded traffic for the judge's tests."""

import random
from typing import Any

from steelyard.rollout.counters import Measurement, Point
from steelyard.rollout.policy import Policy

BINS = (0.40, 0.15, 0.08, 0.05, 0.03, 0.03, 0.03, 0.05, 0.08, 0.10)
OTHER = (0.52, 0.13, 0.06, 0.03, 0.01, 0.01, 0.02, 0.04, 0.08, 0.10)  # 0.12 away
CONSTANT = (0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 0.0, 0.0)

EDGES = [0.001, 0.002, 0.003, 0.005, 0.008, 0.012, 0.02, 0.03, 0.05, 0.08, 0.12]
"""Inner edges of the latency bins, in seconds."""


def policy_dict(**changes: Any) -> dict[str, Any]:
    return {
        "schema": 1,
        "steps": [{"weight": 10, "bake_seconds": 600}, {"weight": 50, "bake_seconds": 600}],
        "soak_seconds": 900,
        "longest_seconds": 3600,
        "pause_seconds": 1800,
        "settle_seconds": 90,
        "false_rollback": 0.01,
        "tolerance": {
            "errors_relative": 0.5,
            "errors_absolute": 0.001,
            "latency": 0.2,
            "predictions": 0.1,
        },
        "expected": {"score": 0.12, "confidence": 0.12},
        "minimum_requests": 50,
        "undecided": "pause",
        "patience_minutes": 1,
        "warmup_seconds": 120,
        "latency_edges": EDGES,
        "promotion_margin": None,
        "false_promotion": 0.05,
        "conduct": {
            "confirm": [],
            "freeze": [],
            "deadline_seconds": 86400,
            "headroom": 0.3,
            "champion_scale_out": "hold",
        },
        **changes,
    }


def policy(**changes: Any) -> Policy:
    return Policy.from_dict(policy_dict(**changes))


class Traffic:
    """Requests of seeded outcomes, split between the variants by a step's weight."""

    def __init__(self, seed: int = 1, per_minute: int = 300):
        self._random = random.Random(seed)
        self._per_minute = per_minute

    def point(self, n: int, errors: float, shares: tuple[float, ...]) -> Point:
        em = sum(self._random.random() < errors for _ in range(n))
        drawn = self._random.choices(range(len(shares)), shares, k=n - em)
        histogram = tuple(drawn.count(index) for index in range(len(shares)))
        return Point(n=n, e4=0, em=em, score=histogram, conf=histogram)

    def minute(
        self,
        minute: int,
        step: int = 0,
        weight: int = 10,
        errors: tuple[float, float] = (0.005, 0.005),
        shares: tuple[float, ...] = BINS,
    ) -> Measurement:
        """Measure one minute; `errors` are the champion's and the challenger's rates."""
        n = self._per_minute * weight // 100
        champion = self.point(self._per_minute - n, errors[0], BINS)
        return Measurement(minute, step, weight, champion, self.point(n, errors[1], shares))
