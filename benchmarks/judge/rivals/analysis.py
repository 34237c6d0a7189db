"""
Threshold checks that count failures: Argo Rollouts and Flagger.

Argo Rollouts, "Analysis & Progressive Delivery": success rate of five minutes, measured every
five minutes, `successCondition: result[0] >= 0.95`, `failureLimit: 3` (fails when exceeded).
Flagger, "Metrics Analysis" and "How it works": each minute, success rate at least 99 %, p99 within
its limit; a failed check halts the advance, `threshold: 5` failed checks roll back, and no values
fail, too.
"""

from typing import Any

from benchmarks.judge.rivals.alarm import error_rate, p99
from benchmarks.judge.rivals.rule import Rule, total


class Argo(Rule):
    """A background analysis, with the limits of the documentation's example."""

    window, least_success, failure_limit = 5, 0.95, 3

    def __init__(self, start: dict[str, Any]):
        super().__init__(start)
        self.failures: int = 0

    def fails(self, now: int) -> bool:
        """Say whether the analysis has failed more often than it may."""
        if (now + 1) % self.window == 0:
            found = total(self.series("challenger", now - self.window + 1, now))
            self.failures += found["n"] > 0 and not self.passes(found["e5"] / found["n"])
        return bool(self.failures > self.failure_limit)

    def passes(self, errors: float) -> bool:
        """Say whether a rate of 5xx is a success."""
        return 1 - errors >= self.least_success


class StrictArgo(Argo):
    """The same with a limit drawn from the champion's history, and no failure allowed."""

    failure_limit = 0

    def passes(self, errors: float) -> bool:
        """Say whether a rate of 5xx is a success."""
        return errors <= self.most_errors


class Flagger(Rule):
    """Failed checks are counted over the whole rollout; a failed check halts the advance."""

    bake, least_success, threshold = 1, 0.99, 5

    def __init__(self, start: dict[str, Any]):
        super().__init__(start)
        self.failed, self.is_halted = 0, False

    def fails(self, now: int) -> bool:
        """Say whether enough checks have failed."""
        found = list(self.series("challenger", now, now))
        checks = [
            1 - error_rate(point) >= self.least_success and p99(point) <= self.slowest_p99
            for point in found
        ]
        self.is_halted = not checks or not all(checks)
        self.failed += self.is_halted
        return self.failed >= self.threshold

    def may_go_on(self, now: int) -> bool:
        """Say whether this tick's check passed."""
        return not self.is_halted
