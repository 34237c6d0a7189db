"""
CloudWatch alarms on fixed limits.

Amazon CloudWatch User Guide, "Alarm evaluation" and "Configuring how CloudWatch alarms treat
missing data" (missing data as missing: older points are taken instead); Amazon SageMaker Developer
Guide, "Auto-Rollback Configuration and Monitoring" (the example alarm averages both fleets).
"""

from benchmarks.judge.rivals.rule import Metric, Point, Role, Rule


def error_rate(point: Point) -> float:
    """Return the share of 5xx."""
    return float(point["e5"] / point["n"])


def p99(point: Point) -> float:
    """Return the latency (us) that one request in a hundred exceeds."""
    return float(point["p99"])


class Alarm(Rule):
    """The challenger's 5xx or p99 is beyond its limit in 2 of the last 3 points."""

    points_to_alarm, evaluated, reach = 2, 3, 5

    def fails(self, now: int) -> bool:
        """Say whether either alarm rings."""
        return self._rings(now, error_rate, self.most_errors) or self._rings(
            now, p99, self.slowest_p99
        )

    def _rings(self, now: int, metric: Metric, limit: float) -> bool:
        values = [metric(point) for point in self.seen(now)][-self.evaluated :]
        beyond = sum(value is not None and value > limit for value in values)
        return beyond >= self.points_to_alarm

    def seen(self, now: int) -> list[Point]:
        """Return the newest points that the alarm looks at."""
        return list(self.series("challenger", now - self.reach + 1, now))


class Guardrail(Alarm):
    """One point of both fleets together is beyond its limit: the managed deployment's example."""

    points_to_alarm, evaluated, reach = 1, 1, 1

    def seen(self, now: int) -> list[Point]:
        """Return the newest minute of the whole endpoint."""
        roles: tuple[Role, Role] = ("champion", "challenger")
        both = [point for role in roles for point in self.series(role, now, now)]
        n = sum(point["n"] for point in both)
        if n == 0:
            return []
        slowest = sum(point["p99"] * point["n"] for point in both) / n
        return [{"n": n, "e5": sum(point["e5"] for point in both), "p99": slowest}]
