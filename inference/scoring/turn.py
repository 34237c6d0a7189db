"""
Score together what arrived together: all jobs of one turn of the event loop share one model call.

No timer holds a job back. While a slow call is away in a thread, new jobs gather for the next one,
so batches grow with the load by themselves.
"""

import asyncio
import time
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import TypeVar

from inference.scoring.prediction import Scored

Row = list[float]
Score = Callable[[Sequence[Row]], list[Scored]]
Result = TypeVar("Result")

SLOW_SECONDS = 0.001
"""A call that is expected to take longer leaves the loop, which answers /ping meanwhile."""
MOST_ROWS = 256
"""In a shared call: larger ones no longer gain, as they leave the processor's cache."""


class TooLateError(Exception):
    """A job waited for so long that nobody wants its answer any more."""


class Job:
    """
    The rows of one request, which came at `since` (of time.perf_counter).

    `future` is done once `result` is there: what the model said, or the exception that it raised.
    """

    __slots__ = ("future", "result", "rows", "since")

    def __init__(self, rows: Sequence[Row], since: float, future: asyncio.Future[None]) -> None:
        self.rows = rows
        self.since = since
        self.future = future
        self.result: list[Scored] | Exception | None = None


class Turns:
    """
    The one queue before the model.

    `done` gets each call's jobs, in order, before those who wait for them go on; what it raises
    becomes the result of them all. A job that has waited for `longest_seconds` is not scored any
    more. `known` are calls' rows and seconds, as they were measured beforehand.
    """

    def __init__(
        self,
        score: Score,
        done: Callable[[Sequence[Job]], None],
        known: Mapping[int, float],
        longest_seconds: float,
    ) -> None:
        self._score = score
        self._done = done
        self._costs = Costs(known)
        self._longest_seconds = longest_seconds
        self._waiting: deque[Job] = deque()
        self._is_due = False
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="model")

    @property
    def waiting(self) -> int:
        """Jobs that no call has taken yet."""
        return len(self._waiting)

    def submit(self, job: Job) -> None:
        """Put a job into the queue; its future is done when its result is there."""
        self._waiting.append(job)
        if not self._is_due:
            self._is_due = True
            asyncio.get_running_loop().call_soon(self._turn)

    async def aside(self, work: Callable[[], Result]) -> Result:
        """Do other work in the model's thread. Raises what it raises."""
        return await asyncio.get_running_loop().run_in_executor(self._thread, work)

    def close(self) -> None:
        """Give the thread back; nothing may be waiting."""
        self._thread.shutdown(wait=False)

    def _turn(self) -> None:
        self._drop_late()
        jobs, rows = self._next()
        if not jobs:
            self._is_due = False
        elif self._costs.expected(len(rows)) <= SLOW_SECONDS:
            self._call(jobs, rows)
            self._finish(jobs)
        else:
            loop = asyncio.get_running_loop()
            away = loop.run_in_executor(self._thread, self._call, jobs, rows)
            away.add_done_callback(lambda _: self._finish(jobs))

    def _drop_late(self) -> None:
        """Fail those at the head of the queue that have waited too long; the queue is in order."""
        late = []
        oldest = time.perf_counter() - self._longest_seconds
        while self._waiting and self._waiting[0].since < oldest:
            late.append(self._waiting.popleft())
            late[-1].result = TooLateError()
        if late:
            self._release(late)

    def _next(self) -> tuple[list[Job], list[Row]]:
        """Take jobs off the queue, of 256 rows together at most, or a single larger one."""
        waiting = self._waiting
        jobs: list[Job] = []
        rows: list[Row] = []
        while waiting and (not jobs or len(rows) + len(waiting[0].rows) <= MOST_ROWS):
            job = waiting.popleft()
            jobs.append(job)
            rows += job.rows
        return jobs, rows

    def _call(self, jobs: Sequence[Job], rows: Sequence[Row]) -> None:
        started = time.perf_counter()
        try:
            scored = self._score(rows)
        except Exception as error:  # a model may raise anything
            self._alone(jobs, error)
        else:
            place = 0
            for job in jobs:
                job.result = scored[place : (place := place + len(job.rows))]
        self._costs.learn(len(rows), time.perf_counter() - started)

    def _alone(self, jobs: Sequence[Job], error: Exception) -> None:
        """Score each job by itself, so that one that fails spoils no other's answer."""
        if len(jobs) == 1:
            jobs[0].result = error
            return
        for job in jobs:
            try:
                job.result = self._score(job.rows)
            except Exception as own:  # as above
                job.result = own

    def _finish(self, jobs: Sequence[Job]) -> None:
        self._release(jobs)
        self._is_due = bool(self._waiting)
        if self._waiting:
            asyncio.get_running_loop().call_soon(self._turn)

    def _release(self, jobs: Sequence[Job]) -> None:
        try:
            self._done(jobs)
        except Exception as error:  # a job that nobody ends would wait for ever
            for job in jobs:
                job.result = error
        for job in jobs:
            if not job.future.done():  # its request may have been given up
                job.future.set_result(None)


class Costs:
    """
    What a call of so many rows will take, from the calls before.

    Sizes are put together by powers of two. Of the last two calls of a size the faster one counts:
    one that was held up says nothing of the model, two are believed.
    """

    def __init__(self, known: Mapping[int, float]) -> None:
        self._last: dict[int, tuple[float, float]] = {
            rows.bit_length(): (seconds, seconds) for rows, seconds in known.items()
        }

    def expected(self, rows: int) -> float:
        """Give the seconds that a call is expected to take; 0 while nothing is known."""
        size = rows.bit_length()
        if size in self._last:
            return min(self._last[size])
        if not self._last:
            return 0.0
        nearest = min(self._last, key=lambda other: abs(other - size))
        return min(self._last[nearest]) * max(1.0, 2.0 ** (size - nearest))

    def learn(self, rows: int, seconds: float) -> None:
        """Note what a call took."""
        size = rows.bit_length()
        self._last[size] = (self._last.get(size, (seconds,))[-1], seconds)
