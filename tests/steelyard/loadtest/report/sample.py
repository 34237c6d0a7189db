"""A load test's result, made of arithmetic."""

from dataclasses import replace

from steelyard.loadtest.knee import Knee
from steelyard.loadtest.memory import Memory
from steelyard.loadtest.play import Plan, Point, Result
from steelyard.loadtest.report import Report
from steelyard.loadtest.target import Target
from steelyard.loadtest.trend import Trend
from steelyard.loadtest.verdict import Wanted, judge
from tests.steelyard.loadtest.single_server import measured

KNEE = Knee(900, 980, "over")


def report(rate=600.0, run=None, knee=KNEE, memory=None, title="an-endpoint"):
    """Return a report: a run at 600 requests a second, a knee at 900, and memory that grows."""
    run = measured(rate, 0.001) if run is None else run
    wanted = Wanted(0.010, 100.0, "10 x the file's 600 a minute")
    if memory is None:
        readings = tuple((float(i), 5e7 + i) for i in range(12))
        memory = Memory("PSS of the container's processes", readings, Trend(1.0, 0.5, 1.5, 11.0))
    points = (Point("good", run), Point("over", replace(run, rate=980.0)))
    plan = Plan(Target("http://127.0.0.1:1/invocations", [b"{}"]), wanted, rate, 20.0)
    return Report(title, "champion", plan, Result(run, judge(run, wanted), memory, knee, points))
