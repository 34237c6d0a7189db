"""
The open loop: each request is sent at its time, whatever is outstanding.

The event loop waits with `select`, whose time-outs are microseconds: epoll, and uvloop's timers,
round up to whole milliseconds, which would add half a one to every latency.
"""

import asyncio
import contextlib
import gc
import random
import selectors
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from dataclasses import dataclass
from typing import Any, TypeVar

import aiohttp
import numpy as np
from yarl import URL

from steelyard.loadtest.arrivals import Floats
from steelyard.loadtest.samples import Samples
from steelyard.loadtest.target import Target

T = TypeVar("T")
# Seconds between deciding when to begin and the first request.
_LEAD_SECONDS = 0.05
# `select` watches no descriptor from 1,024 on: this leaves room for those of the process.
MOST_CONNECTIONS = 900


@dataclass(frozen=True)
class Patience:
    """How many connections there may be, and after how many seconds a request has failed."""

    connections: int = 256
    seconds: float = 10.0


@dataclass(frozen=True)
class Glimpse:
    """A run under way: seconds since its measured part began, and counts so far."""

    at: float
    sent: int
    done: int
    failed: int
    p99: float | None


Watch = Callable[[Glimpse], None]


def run(work: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """Run a coroutine on an event loop that keeps time to the tenth of a millisecond."""

    def precise() -> asyncio.AbstractEventLoop:
        return asyncio.SelectorEventLoop(selectors.SelectSelector())

    with asyncio.Runner(loop_factory=precise) as runner, _quiet_memory():
        return runner.run(work())


@contextlib.contextmanager
def _quiet_memory() -> Iterator[None]:
    """Spare the collector what is already there: looking through it takes tens of milliseconds."""
    gc.collect()
    gc.freeze()
    try:
        yield
    finally:
        gc.unfreeze()


@contextlib.asynccontextmanager
async def session() -> AsyncIterator[aiohttp.ClientSession]:
    """Open the client that all runs share, so that its connections stay open between them."""
    async with aiohttp.ClientSession(
        # The semaphore of a run bounds connections: so waiting for one is seen.
        connector=aiohttp.TCPConnector(limit=0),
        cookie_jar=aiohttp.DummyCookieJar(),
        # The deadline of a request counts from when it was due.
        timeout=aiohttp.ClientTimeout(total=None, sock_connect=None),
        auto_decompress=False,
    ) as opened:
        yield opened


class Run:
    """Sends requests at their times to a target, and notes what became of each."""

    def __init__(
        self,
        client: aiohttp.ClientSession,
        target: Target,
        arrivals: Floats,
        patience: Patience,
        seed: int,
    ) -> None:
        count = len(arrivals)
        self._client = client
        self._target = target
        self._url = URL(target.url, encoded=True)
        self._arrivals = arrivals
        self._patience = patience
        self._connections = asyncio.Semaphore(patience.connections)
        self._bodies = random.Random(seed).choices(target.bodies, k=count)
        self._started, self._sent, self._done = (np.full(count, np.inf) for _ in range(3))
        self._failures = [""] * count
        self._finished: list[int] = []
        self._begun = self._failed = 0
        self._zero = 0.0

    async def play(self, watch: Watch, every: float = 1.0) -> Samples:
        """Send every request; returns when each is answered or has failed."""
        loop = asyncio.get_running_loop()
        self._zero = loop.time() + _LEAD_SECONDS - float(self._arrivals[0])
        async with asyncio.TaskGroup() as group:
            watching = group.create_task(self._watched(watch, every))
            async with asyncio.TaskGroup() as requests:
                for index, due in enumerate(self._arrivals.tolist()):
                    # Slept even if nothing is left to wait for: others must get their turn.
                    await asyncio.sleep(max(0.0, self._zero + due - loop.time()))
                    requests.create_task(self._one(loop, index, self._zero + due))
                    self._begun = index + 1
            watching.cancel()
        return Samples(self._arrivals, self._started, self._sent, self._done, self._failures)

    async def _one(self, loop: asyncio.AbstractEventLoop, index: int, due: float) -> None:
        self._started[index] = loop.time() - self._zero
        try:
            async with asyncio.timeout_at(due + self._patience.seconds), self._connections:
                self._sent[index] = loop.time() - self._zero
                self._failures[index] = await self._post(self._bodies[index])
        except TimeoutError:
            self._failures[index] = "timed out"
        except (aiohttp.ClientError, OSError) as error:
            self._failures[index] = _name(error)
        self._done[index] = loop.time() - self._zero
        self._failed += bool(self._failures[index])
        self._finished.append(index)

    async def _post(self, body: bytes) -> str:
        """Return why a request failed, empty for a good answer."""
        async with self._client.post(
            self._url, data=body, headers=self._target.headers(body), allow_redirects=False
        ) as answer:
            await answer.read()
            return "" if answer.status == 200 else f"HTTP {answer.status}"

    async def _watched(self, watch: Watch, every: float) -> None:
        seen = 0
        while True:
            await asyncio.sleep(every)
            newest, seen = self._finished[seen:], len(self._finished)
            good = [index for index in newest if not self._failures[index]]
            times = self._done[good] - self._arrivals[good]
            watch(
                Glimpse(
                    at=asyncio.get_running_loop().time() - self._zero,
                    sent=self._begun,
                    done=seen,
                    failed=self._failed,
                    p99=float(np.quantile(times, 0.99)) if len(times) else None,
                )
            )


def _name(error: Exception) -> str:
    """Return what went wrong in words, the same for each time that it does."""
    if isinstance(error, aiohttp.ClientConnectorError):
        return "could not connect"
    if isinstance(error, aiohttp.ServerDisconnectedError | ConnectionResetError):
        return "connection closed"
    return type(error).__name__
