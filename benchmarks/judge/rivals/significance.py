"""
Rules that test: Kayenta's judgement of time series, and a z-test that is looked at each tick.

Spinnaker, "How canary judgment works" and kayenta's MannWhitneyClassifier: Mann-Whitney at 98 %
on the points of each metric, an allowed effect size, and the share of metrics that pass as score.
"""

import math
from collections.abc import Sequence
from statistics import NormalDist
from typing import Any

from scipy.stats import mannwhitneyu

from benchmarks.judge.rivals.alarm import error_rate, p99
from benchmarks.judge.rivals.rule import Metric, Point, Rule, total


def p50(point: Point) -> float:
    """Return the median latency (us)."""
    return float(point["p50"])


def mean_score(point: Point) -> float | None:
    """Return the mean bin of the scores; None where nothing was scored."""
    n = sum(point["score"])
    return sum(i * k for i, k in enumerate(point["score"])) / n if n else None


class Kayenta(Rule):
    """Judges each step's points at its end; fewer than three quarters of the metrics fail it."""

    metrics: tuple[Metric, ...] = (error_rate, p99, p50, mean_score)
    critical, least_score, level, effect = error_rate, 0.75, 0.02, 1.1

    def fails(self, now: int) -> bool:
        """Say whether the judgement at the end of a step fails the canary."""
        if not self.may_go_on(now):
            return False
        passed = {metric: self._passes(metric, now) for metric in self.metrics}
        score = sum(passed.values()) / len(passed)
        return not passed[type(self).critical] or score < self.least_score

    def _passes(self, metric: Metric, now: int) -> bool:
        ours, theirs = (
            [
                v
                for point in self.series(role, self.entered, now)
                if (v := metric(point)) is not None
            ]
            for role in ("challenger", "champion")
        )
        if not ours or not theirs:
            return len(ours) == len(theirs) or metric is not type(self).critical
        return not self._differs(ours, theirs, both=metric is mean_score)

    def _differs(self, ours: Sequence[float], theirs: Sequence[float], both: bool) -> bool:
        ratio = (sum(ours) / len(ours)) / max(1e-12, sum(theirs) / len(theirs))
        if 1 / self.effect <= ratio <= self.effect or (ratio < 1 and not both):
            return False
        side = "two-sided" if both else "greater"
        level = self.level if both else self.level / 2
        return bool(mannwhitneyu(ours, theirs, alternative=side).pvalue < level)


class RepeatedZ(Rule):
    """Compares pooled shares each tick, at the promised level, as if it were the only look."""

    def __init__(self, start: dict[str, Any]):
        super().__init__(start)
        self.limit = NormalDist().inv_cdf(1 - self.spec["alpha"])

    def fails(self, now: int) -> bool:
        """Say whether 5xx, slow requests or high scores are more than the champion's."""
        ours, theirs = (total(self.series(role, 0, now)) for role in ("challenger", "champion"))
        if not ours["n"] or not theirs["n"]:
            return False
        slow = [(sum(it["lat"][len(it["lat"]) // 2 :]), it["n"]) for it in (ours, theirs)]
        high = [
            (sum(it["score"][len(it["score"]) // 2 :]), sum(it["score"])) for it in (ours, theirs)
        ]
        failed = [(it["e5"], it["n"]) for it in (ours, theirs)]
        return any(_z(*pair) > self.limit for pair in (failed, slow, high))


def _z(ours: tuple[int, int], theirs: tuple[int, int]) -> float:
    (k1, n1), (k0, n0) = ours, theirs
    if not n1 or not n0:
        return 0.0
    pooled = (k1 + k0) / (n1 + n0)
    spread = math.sqrt(pooled * (1 - pooled) * (1 / n1 + 1 / n0))
    return (k1 / n1 - k0 / n0) / spread if spread else 0.0
