"""What every modelled rule shares: the newest version of each minute, and a fixed bake."""

from collections.abc import Callable, Iterator
from typing import Any, Literal

Point = dict[str, Any]
Role = Literal["champion", "challenger"]
Metric = Callable[[Point], float | None]


class Rule:
    """
    A judge that promotes after a fixed bake in each step unless `fails` says otherwise.

    Limits are set as an operator would who knows the champion's last half hour: twice its rate of
    5xx, but at least 1 %, and one and a half times its p99.
    """

    bake = 10
    """Ticks in each step."""

    def __init__(self, start: dict[str, Any]):
        self.spec = start["spec"]
        self.points: dict[Role, dict[int, Point]] = {"champion": {}, "challenger": {}}
        self.entered, self.stage = 0, 0
        known = [it["champion"] for it in start["history"] if it["champion"] is not None]
        requests = max(1, sum(point["n"] for point in known))
        self.most_errors: float = max(0.01, 2 * sum(point["e5"] for point in known) / requests)
        p99 = sum(point["p99"] * point["n"] for point in known) / requests
        self.slowest_p99: float = 1.5 * p99 if known else float("inf")

    def tick(self, message: dict[str, Any]) -> str:
        """Return the verdict at a tick."""
        now = message["now"]
        if message["stage"] != self.stage:
            self.entered, self.stage = now, message["stage"]
        for point in message["points"]:
            for role, known in self.points.items():
                if point[role] is not None:
                    known[point["minute"]] = point[role]
        if self.fails(now):
            return "ROLLBACK"
        return "PROMOTE" if self.may_go_on(now) else "CONTINUE"

    def fails(self, now: int) -> bool:
        """Say whether to roll back."""
        raise NotImplementedError

    def may_go_on(self, now: int) -> bool:
        """Say whether the step has baked."""
        return now - self.entered + 1 >= self.bake

    def series(self, role: Role, first: int, last: int) -> Iterator[Point]:
        """Yield the points of minutes `first` to `last`, the last included, oldest first."""
        known = self.points[role]
        return (known[minute] for minute in range(first, last + 1) if minute in known)


def total(points: Iterator[Point]) -> Point:
    """Return the sum of points: requests, errors and histograms."""
    found: Point = {"n": 0, "e4": 0, "e5": 0, "lat": [], "score": []}
    for point in points:
        for name in ("n", "e4", "e5"):
            found[name] += point[name]
        for name in ("lat", "score"):
            earlier = found[name] or [0] * len(point[name])
            found[name] = [a + b for a, b in zip(earlier, point[name], strict=True)]
    return found
