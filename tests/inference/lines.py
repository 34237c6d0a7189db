"""A worker's connections, served in a thread, and raw lines to talk to them."""

import asyncio
import socket
import threading
import time
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

import uvloop

from inference.http.connections import Connections
from inference.http.listener import Listener
from inference.settings import Settings

GET = b"GET /ping HTTP/1.1\r\nHost: x\r\n\r\n"
POST = b"POST /invocations HTTP/1.1\r\nHost: x\r\n"
SWEEP_SECONDS = 0.01

Receive = Callable[[], Awaitable[Any]]


@dataclass
class Echo:
    """An application that answers with the body it got; the knobs make it slow, or answer early."""

    answer: bytes | None = None  # instead of the body
    is_early: bool = False  # answers before it reads
    is_blind: bool = False  # never reads
    is_late: bool = False  # reads once the gate is open
    gate: threading.Event | None = None  # answers once this is set
    gone: int = 0  # requests whose client left
    answered: int = 0
    heads: list[Any] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Receive, send: Any) -> None:
        self.heads.append(scope)
        if self.is_late:
            await self._wait()
        body = b"" if self.is_early or self.is_blind else await self._body(receive)
        await self._wait()
        if body is None:
            self.gone += 1
            return
        answer = body if self.answer is None else self.answer
        headers = [(b"content-length", b"%d" % len(answer))]
        if self.is_early:
            headers.append((b"connection", b"close"))
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})
        self.answered += 1

    async def _wait(self) -> None:
        while self.gate is not None and not self.gate.is_set():
            await asyncio.sleep(0.005)

    async def _body(self, receive: Receive) -> bytes | None:
        body = b""
        while True:
            message = await receive()
            if message["type"] == "http.disconnect":
                return None
            body += message["body"]
            if not message["more_body"]:
                return body


@dataclass
class Served:
    """What a test needs of a running server."""

    port: int
    connections: Connections
    call: Callable[[Callable[[], Any]], Any]  # runs something on the loop, and gives its result
    listener: Listener
    # Runs something on the loop, then takes no new connection, as in a drain; gives how many are.
    finish: Callable[[Callable[[], None]], int]


@contextmanager
def served(app: Any, **limits: Any) -> Iterator[Served]:
    """Serve an application in a thread, within the given settings."""
    listener = Listener("127.0.0.1", 0)
    settings = Settings(**limits)
    loop = uvloop.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()

    async def begin() -> tuple[Connections, asyncio.Task[None]]:
        connections = Connections(app, settings, listener.note, lambda *_: None)
        listener.open(connections)
        return connections, asyncio.create_task(sweep(connections))

    async def sweep(connections: Connections) -> None:
        while True:
            await asyncio.sleep(SWEEP_SECONDS)
            connections.sweep()

    async def called(what: Callable[[], Any]) -> Any:
        return what()

    async def finish(before: Callable[[], None]) -> int:
        before()
        await listener.finish()
        return len(connections)

    async def end() -> None:
        sweeps.cancel()
        connections.abort()
        await asyncio.sleep(0)

    def run(work: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(work, loop).result(10)

    try:
        connections, sweeps = run(begin())
        yield Served(
            listener.port,
            connections,
            lambda what: run(called(what)),
            listener,
            lambda before: run(finish(before)),
        )
        run(end())
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
        listener.close()


@contextmanager
def line(port: int, *sent: bytes) -> Iterator[socket.socket]:
    """Connect and send."""
    with closing(socket.create_connection(("127.0.0.1", port), timeout=5)) as connection:
        for part in sent:
            connection.sendall(part)
        yield connection


def rest(connection: socket.socket) -> bytes:
    """Read until the other side closes."""
    received = b""
    while more := connection.recv(65536):
        received += more
    return received


def whole(connection: socket.socket) -> bytes:
    """Read one answer, by its content-length."""
    received = b""
    while b"\r\n\r\n" not in received:
        more = connection.recv(1)
        assert more, f"closed after {received!r}"
        received += more
    length = received.lower().split(b"content-length: ")[1].split(b"\r\n")[0]
    body = b""
    while len(body) < int(length):
        more = connection.recv(int(length) - len(body))
        assert more, "closed in the middle of an answer"
        body += more
    return received + body


def status(answer: bytes) -> int:
    """Give the status of an answer, 0 if there was none."""
    return int(answer.split(b" ", 2)[1]) if answer else 0


def until(holds: Callable[[], object]) -> None:
    """Wait until something holds, five seconds at most."""
    end = time.monotonic() + 5
    while not holds():
        assert time.monotonic() < end
        time.sleep(0.005)
