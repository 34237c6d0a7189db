"""Be one worker: load, take connections, and on SIGTERM leave without losing a request."""

import asyncio
import gc
import resource
import signal
import sys
from collections.abc import Callable
from typing import Any, Protocol

import uvloop

from inference.http.connections import SWEEP_SECONDS, Connections
from inference.http.listener import Listener
from inference.settings import Settings

ENDINGS = (signal.SIGTERM, signal.SIGINT)
DRAIN_SWEEP_SECONDS = 0.05
YOUNG_OBJECTS = 20_000
"""Between collections: a request leaves no cycles, and Python's 700 cost it a microsecond."""


class App(Protocol):
    """
    What answers requests, as ASGI 3 has it.

    title: name and version of the model. draining: set when SIGTERM came: /ready says 503 then;
    that each answer is the last of its connection is seen to here.
    """

    title: str
    draining: bool

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        """Answer one request."""

    def refused(self, status: int, problem: str) -> None:
        """Hear of a request that was refused before it was whole."""

    async def close(self) -> None:
        """Write what is unwritten; called once, after the last answer."""


def work(
    load: Callable[[], App],
    listener: Listener,
    settings: Settings,
    ready: Callable[[str], None],
    slot: int = 0,
) -> int:
    """
    Serve until SIGTERM or SIGINT; returns the exit code, 1 if some were still under way at the end.

    Nothing is accepted before the model is loaded, so that the first ping that is answered may be
    answered with 200. Raises what `load` raises, and CannotStart if
    the port cannot be had.
    """
    for number in ENDINGS:
        signal.signal(number, lambda *_: sys.exit(0))
    # A supervisor blocks them while it forks; now they may come.
    signal.pthread_sigmask(signal.SIG_SETMASK, [])
    _allow_many_connections()
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        return runner.run(_serve(load, listener, settings, ready, slot))


async def _serve(
    load: Callable[[], App],
    listener: Listener,
    settings: Settings,
    ready: Callable[[str], None],
    slot: int,
) -> int:
    # Inside the loop, so that the application may make what belongs to one.
    app = load()
    gc.collect()
    gc.freeze()  # the model and the libraries stay: no collection needs to look at them again
    gc.set_threshold(YOUNG_OBJECTS)
    leave = asyncio.Event()
    for number in ENDINGS:
        asyncio.get_running_loop().add_signal_handler(number, leave.set)
    connections = Connections(app, settings, listener.note, app.refused)
    listener.open(connections, slot)
    ready(app.title)
    async with asyncio.TaskGroup() as tasks:
        sweeps = tasks.create_task(_sweep(connections))
        await leave.wait()
        is_done = await _drain(app, listener, connections, settings)
        sweeps.cancel()
    await app.close()
    return 0 if is_done else 1


async def _sweep(connections: Connections) -> None:
    while True:
        await asyncio.sleep(SWEEP_SECONDS)
        connections.sweep()


async def _drain(
    app: App, listener: Listener, connections: Connections, settings: Settings
) -> bool:
    """
    Answer all that was sent, and say whether that was done in time.

    For a moment all goes on as before, but that each answer ends its connection: whoever sent a
    request when the signal came is answered, and learns not to send another here. A server that
    closes at once loses the requests that are on their way.
    """
    app.draining = True
    connections.finish()
    loop = asyncio.get_running_loop()
    end = loop.time() + settings.drain_seconds
    await asyncio.sleep(settings.quiet_seconds)
    await listener.finish()
    while not connections.are_done and loop.time() < end:
        connections.sweep()
        await asyncio.sleep(DRAIN_SWEEP_SECONDS)
    is_done = connections.are_done
    connections.abort()
    return is_done


def _allow_many_connections() -> None:
    _, most = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
