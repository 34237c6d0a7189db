"""A whole load test: one long run that is judged, and short ones that look for the knee."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Protocol

import aiohttp

from steelyard.loadtest import client, memory, target
from steelyard.loadtest.arrivals import Arrivals, schedule
from steelyard.loadtest.client import Glimpse, Patience
from steelyard.loadtest.knee import Finding, Knee, finding, search
from steelyard.loadtest.measurement import Measurement, late_seconds, measure
from steelyard.loadtest.memory import Memory
from steelyard.loadtest.quantiles import least_samples
from steelyard.loadtest.target import Target
from steelyard.loadtest.trend import trend
from steelyard.loadtest.verdict import Verdict, Wanted, judge

# What no generator in Python can send: the search ends before.
_MOST_RATE = 100_000.0
# At a lower rate, the samples of one p99 take more than a minute.
_LEAST_RATE = 7.5
_STEP_SECONDS = 5.0
_STEP_WARM_UP = 1.0
# Poisson arrivals may be fewer than on average.
_SPARE = 1.2
_READING_SECONDS = 1.0
# Of the run, before a trend of memory is told: pools and caches fill.
_SETTLING = 0.25


class Screen(Protocol):
    """Where progress is shown."""

    def begin(self, what: str, rate: float, seconds: float) -> None:
        """Announce a run at a rate, for so many seconds with its warm-up."""

    def show(self, glimpse: Glimpse) -> None:
        """Show how a run is going."""


@dataclass(frozen=True)
class Plan:
    """
    What is done to which target, at how many requests a second, for how many seconds.

    `process` is that of a container of ours, whose memory can be read; `seeks_knee` says whether
    higher rates are tried, too.
    """

    target: Target
    wanted: Wanted
    rate: float
    seconds: float
    warm_up: float = 2.0
    arrivals: Arrivals = "poisson"
    seed: int = 7
    patience: Patience = field(default_factory=Patience)
    process: int | None = None
    seeks_knee: bool = False


@dataclass(frozen=True)
class Point:
    """One rate that was tried, and what it was."""

    finding: Finding
    run: Measurement


@dataclass(frozen=True)
class Result:
    """Everything that a load test found; `knee` is None when none was sought."""

    run: Measurement
    verdict: Verdict
    memory: Memory
    knee: Knee | None
    points: tuple[Point, ...]


async def play(plan: Plan, screen: Screen) -> Result:
    """Load the target as planned; raises whatever the screen raises, and CancelledError."""
    async with client.session() as opened:
        async with _remembered(plan, opened) as remember:
            run = await _run(plan, opened, screen, plan.rate, plan.seconds, plan.warm_up, "the run")
            held = remember()
        knee, points = None, [Point(finding(run, plan.wanted.p99), run)]
        if plan.seeks_knee:
            knee = await _seek(plan, opened, screen, points)
    return Result(run, judge(run, plan.wanted), held, knee, tuple(points))


async def _run(
    plan: Plan,
    opened: aiohttp.ClientSession,
    screen: Screen,
    rate: float,
    seconds: float,
    warm_up: float,
    what: str,
) -> Measurement:
    screen.begin(what, rate, warm_up + seconds)
    arrivals = schedule(plan.arrivals, rate, -warm_up, seconds, plan.seed)
    run = client.Run(opened, plan.target, arrivals, plan.patience, plan.seed)
    samples = await run.play(screen.show)
    return measure(samples, rate, seconds, late_seconds(plan.wanted.p99))


async def _seek(
    plan: Plan, opened: aiohttp.ClientSession, screen: Screen, points: list[Point]
) -> Knee:
    """Try rates until the knee is known, beginning with what the run has found; notes each."""
    rates = search(plan.rate, max(plan.rate / 16, _LEAST_RATE), _MOST_RATE)
    next(rates)
    rate, found = plan.rate, points[0].finding
    try:
        while True:
            if found != "good":
                # Once is chance on a machine that does other things, too.
                found = await _try(plan, opened, screen, rate, points)
            rate = rates.send(found)
            found = await _try(plan, opened, screen, rate, points)
    except StopIteration as end:
        return end.value  # type: ignore[no-any-return]  # what a generator returns is untyped


async def _try(
    plan: Plan, opened: aiohttp.ClientSession, screen: Screen, rate: float, points: list[Point]
) -> Finding:
    seconds = max(_STEP_SECONDS, _SPARE * least_samples(0.99) / rate)
    run = await _run(plan, opened, screen, rate, seconds, _STEP_WARM_UP, "looking for the knee")
    points.append(Point(finding(run, plan.wanted.p99), run))
    return points[-1].finding


@asynccontextmanager
async def _remembered(
    plan: Plan, opened: aiohttp.ClientSession
) -> AsyncIterator[Callable[[], Memory]]:
    """Read the server's memory each second while the context lasts."""
    readings: list[tuple[float, float]] = []
    source, read = _reader(plan, opened)
    begun = asyncio.get_running_loop().time() + plan.warm_up

    async def note() -> None:
        while (held := await read()) is not None:
            readings.append((asyncio.get_running_loop().time() - begun, held))
            await asyncio.sleep(_READING_SECONDS)

    task = asyncio.create_task(note())
    try:
        yield lambda: _memory(source, readings, plan.seconds)
    finally:
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task


def _memory(source: str, readings: list[tuple[float, float]], seconds: float) -> Memory:
    settled = [reading for reading in readings if reading[0] >= _SETTLING * seconds]
    return Memory(source if readings else "", tuple(readings), trend(settled))


def _reader(plan: Plan, opened: aiohttp.ClientSession) -> tuple[str, memory.Reader]:
    if plan.process is not None:
        return "PSS of the container's processes", memory.of_process(plan.process)
    if plan.target.signer is not None:
        return "", memory.nothing
    place = target.metrics(plan.target.url)
    return f"process_resident_memory_bytes of {place}", memory.of_url(opened, place)
