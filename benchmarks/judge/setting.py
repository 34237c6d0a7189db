"""What a scenario starts from: traffic, the champion, and the margins of the spec."""

import math
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from benchmarks.judge import bound
from benchmarks.judge.delivery import Delivery
from benchmarks.judge.world import HISTORY, HORIZON, Array, Condition, Fault, Part, Truth, scores

MINUTES = HISTORY + HORIZON
LEVELS = {"high": 54_000.0, "mid": 5_400.0, "low": 400.0, "tiny": 40.0}
"""Requests a minute, both variants together."""
STEPS = [0.05, 0.1, 0.25, 0.5]


@dataclass(frozen=True)
class Plot:
    """What a scenario makes of its setting."""

    conditions: tuple[Condition, ...] = ()
    fault: Fault | None = None
    first_stage: int = 0
    delivery: Delivery = field(default_factory=Delivery)


@dataclass(frozen=True)
class Setting:
    """The rollout's surroundings, drawn anew for every case."""

    rng: np.random.Generator
    level: str
    spec: dict[str, Any]
    base: Truth
    traffic: Array

    def uniform(self, low: float, high: float) -> float:
        """Return a number that is as likely anywhere between two ends."""
        return float(self.rng.uniform(low, high))

    def log_uniform(self, low: float, high: float) -> float:
        """Return a number whose logarithm is as likely anywhere between two ends."""
        return float(np.exp(self.rng.uniform(np.log(low), np.log(high))))

    def whole(self, low: int, high: int) -> int:
        """Return a whole number from `low` to `high`, both included."""
        return int(self.rng.integers(low, high + 1))

    @property
    def tolerated(self) -> float:
        """Return by how much the challenger's rate of 5xx may exceed the champion's."""
        relative, absolute = self.spec["margin_err_rel"], self.spec["margin_err_abs"]
        return float(relative * self.base.e5 + absolute)

    def excess(self, ticks: float, stage: int = 0) -> float:
        """Return the share of further failures that the perfect rule knows after `ticks`."""
        weight, base = STEPS[stage], self.base
        requests = weight * LEVELS[self.level] * ticks
        margins = weight, self.spec["margin_err_rel"], self.spec["margin_err_abs"]
        low, high = 0.0, 1.0
        for _ in range(40):
            middle = (low + high) / 2
            rate = base.e5 + middle * (1 - base.e4 - base.e5)
            q1, q0 = bound.nearest_errors(rate, base.e5, *margins)
            nats = bound.divergence(rate, q1) + (1 / weight - 1) * bound.divergence(base.e5, q0)
            is_enough = requests * nats >= math.log(1 / self.spec["alpha"])
            low, high = (low, middle) if is_enough else (middle, high)
        return high

    def moved(self, distance: float) -> Array:
        """Return the base's scores, some of them pulled elsewhere: total variation `distance`."""
        base = self.base.score
        target = scores(self.rng.dirichlet(np.ones(len(base))))
        most = 0.5 * float(np.abs(target - base).sum())
        share = min(1.0, distance / most)
        return (1 - share) * base + share * target


Scenario = Callable[["Setting"], Plot]


def setting(rng: np.random.Generator, level: str) -> Setting:
    """Return surroundings drawn at random."""
    median, sigma = rng.uniform(30_000, 120_000), rng.uniform(0.35, 0.7)
    noise = np.exp(rng.normal(0, 0.05, MINUTES))
    base = Truth(
        e4=float(np.exp(rng.uniform(np.log(0.002), np.log(0.01)))),
        e5=float(np.exp(rng.uniform(np.log(0.0005), np.log(0.01)))),
        latency=((1.0, float(median), float(sigma)),),
        score=_beta(rng, int(rng.choice([10, 20]))),
    )
    spec = _spec(rng, base.latency[0], len(base.score))
    return Setting(rng, level, spec, base, LEVELS[level] * noise)


def _beta(rng: np.random.Generator, bins: int) -> Array:
    """Return a histogram of scores, most of them low, as of a rare class."""
    a, b = rng.uniform(0.5, 1.5), rng.uniform(1.5, 4.0)
    middle = (np.arange(bins) + 0.5) / bins
    return scores(middle ** (a - 1) * (1 - middle) ** (b - 1))


def _spec(rng: np.random.Generator, latency: Part, bins: int) -> dict[str, Any]:
    _, median, sigma = latency
    edges = median * np.exp(np.linspace(-2.5 * sigma, 4.5 * sigma + 1.0, 21))
    return {
        "steps": STEPS,
        "tick_seconds": 60,
        "alpha": 0.01,
        "margin_err_rel": float(rng.choice([0.2, 0.5])),
        "margin_err_abs": float(rng.choice([0.0005, 0.001, 0.002])),
        "margin_latency_rel": float(rng.choice([0.1, 0.2])),
        "margin_score_tv": float(rng.choice([0.05, 0.1])),
        "warmup_ticks": int(rng.choice([2, 3])),
        "max_metric_delay": int(rng.choice([2, 3])),
        "latency_edges_us": [int(edge) for edge in edges],
        "score_edges": [i / bins for i in range(bins + 1)],
    }
