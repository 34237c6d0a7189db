"""
Bound what one client can take of a worker: time, bytes and connections.

uvicorn's protocol on httptools does the HTTP. What it lacks is added here: time limits on head,
body and taking the answer, a longest head, an end to pipelining, and a number of connections.
Time is looked at once a second, so that a request pays next to nothing for it.
"""

import asyncio
from collections.abc import Callable
from enum import Enum, auto
from typing import Any, cast

import httptools
from uvicorn import Config
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol
from uvicorn.server import ServerState

from inference.http.answers import date, refusal
from inference.http.errand import Errand
from inference.http.line import Line
from inference.settings import Settings

SWEEP_SECONDS = 1.0
KEEP_ALIVE_SECONDS = 75.0
"""Longer than a proxy in front keeps idle connections: whoever closes first loses no request."""
LEAVING_SECONDS = 5.0
"""For a client to notice that it got its last answer, and to close."""
LONGEST_HEAD = 64 * 1024
PIECE = 8 * 1024
"""Bytes parsed at a time, and so how far a head is measured wrong when a body came just before."""
MOST_PIPELINED = 64


class Phase(Enum):
    """What a connection waits for."""

    SILENT = auto()  # its first byte
    HEAD = auto()  # the rest of a head
    BODY = auto()  # the rest of a body
    WORK = auto()  # the application
    TAKING = auto()  # the client, to take its answer
    IDLE = auto()  # the next request
    LEAVING = auto()  # the client, to close


class Connections:
    """All connections of one worker; call it for the protocol of a new one."""

    def __init__(
        self,
        app: Any,
        settings: Settings,
        note: Callable[[int], None],
        refused: Callable[[int, str], None],
    ) -> None:
        """
        Make none yet.

        `note` is told how many there are, each time that changes; `refused` the status and the
        problem of each request that the application never gets whole.
        """
        self.note = note
        self.refused = refused
        self._config = _config(app)
        self._state = ServerState()
        # Each request under way holds this very list: it is changed in place.
        self._headers = self._state.default_headers
        self._headers.append(date())
        self._loop = asyncio.get_running_loop()
        self._quiet = settings.quiet_seconds
        self._most_buffered = settings.most_buffered_bytes
        self.most = settings.most_connections
        self.finishing_since = 0.0
        self.limits = {
            Phase.SILENT: settings.head_seconds,
            Phase.HEAD: settings.head_seconds,
            Phase.BODY: settings.body_seconds,
            Phase.WORK: float("inf"),  # the application's own business
            Phase.TAKING: settings.body_seconds,
            Phase.IDLE: KEEP_ALIVE_SECONDS,
            Phase.LEAVING: LEAVING_SECONDS,
        }

    def __call__(self) -> "Connection":
        """Make the protocol of a new connection."""
        return Connection(self._config, self._state, self)

    def __len__(self) -> int:
        return len(self._state.connections)

    @property
    def are_done(self) -> bool:
        """Whether none is open, and no request under way, not even one whose client has gone."""
        return not self._state.connections and not self._state.tasks

    def sweep(self) -> None:
        """End what took too long, and what holds the most answers when all hold too many."""
        self._headers[0] = date()
        open_now = cast("list[Connection]", list(self._state.connections))
        for connection in open_now:
            connection.check(self._loop.time())
        buffered = sum(map(_buffered, open_now))
        while buffered > self._most_buffered:
            largest = max(open_now, key=_buffered)
            buffered -= _buffered(largest)
            largest.line.abort()
            open_now.remove(largest)

    def finish(self) -> None:
        """Let each answer from now on be its connection's last, and end those that stay quiet."""
        self.finishing_since = self._loop.time()
        self._headers.append((b"connection", b"close"))
        self.limits |= dict.fromkeys((Phase.SILENT, Phase.IDLE, Phase.LEAVING), self._quiet)
        self.sweep()

    def abort(self) -> None:
        """Cut off all that are left."""
        for connection in cast("list[Connection]", list(self._state.connections)):
            connection.line.abort()


class Connection(HttpToolsProtocol):
    """One connection, as uvicorn serves it, within limits."""

    line: Line

    def __init__(self, config: Config, state: ServerState, all_of_them: Connections) -> None:
        super().__init__(config, state, {})
        self._all = all_of_them
        self._head_bytes = 0
        self._phase = Phase.SILENT
        self._message: object = None
        self._since = 0.0
        self._due: list[Errand] = []

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Take the connection, or turn it away when there are too many."""
        self.line = Line(transport, self.connection_lost)
        super().connection_made(cast("asyncio.Transport", self.line))
        self._all.note(len(self._all))
        self._since = self.loop.time()
        if len(self._all) > 2 * self._all.most:
            self.line.abort()
        elif len(self._all) > self._all.most:
            problem = f"more than {self._all.most} connections are open; try again later"
            self.refuse(503, problem, b"retry-after: 1\r\n")

    def data_received(self, data: bytes) -> None:
        """Parse what came, and start what is asked for."""
        if len(data) <= PIECE:
            self._parse(data)
        else:
            for start in range(0, len(data), PIECE):
                if not self.line.is_closing():
                    self._parse(data[start : start + PIECE])
        self._start_due()

    def _parse(self, data: bytes) -> None:
        if len(self.pipeline) > MOST_PIPELINED:
            problem = f"more than {MOST_PIPELINED} requests wait on one connection; await answers"
            self.refuse(400, problem)
            return
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as upgrade:
            self._parse_without_upgrade(data[upgrade.args[0] :])
            return
        except httptools.HttpParserError:
            self.refuse(400, "the request is no valid HTTP; correct it")
            return
        cycle = self.cycle
        if (
            cycle is None
            or cycle.scope is not self.scope
            or (cycle.more_body and not cycle.body)  # trailers count, too
        ):
            self._measure_head(len(data))
        elif self._head_bytes:
            self._head_bytes = 0

    def _should_upgrade(self) -> bool:
        # Makes uvicorn leave such a request alone: it comes again, as below.
        return True

    def _parse_without_upgrade(self, rest: bytes) -> None:
        """
        Parse the request again without its wish for another protocol (RFC 9110, 7.8, allows that).

        httptools takes what follows such a head for the other protocol, though it may be a body:
        Java's HttpClient asks for HTTP/2 with its first request.
        """
        method = self.parser.get_method()
        if method == b"CONNECT":
            self.refuse(400, "this is no proxy; send the request without CONNECT")
            return
        version = self.parser.get_http_version().encode()
        head = [b"%s %s HTTP/%s\r\n" % (method, self.url, version)]
        head += [b"%s: %s\r\n" % pair for pair in self.headers if pair[0] != b"upgrade"]
        self._parse(b"".join([*head, b"\r\n", rest]))

    def _measure_head(self, more: int) -> None:
        self._head_bytes += more
        if self._head_bytes > LONGEST_HEAD:
            problem = f"the head is too long, allowed are {LONGEST_HEAD} bytes; shorten it"
            self.refuse(431, problem)

    def _start_asgi_task(self, cycle: Any, app: Any) -> None:
        # Not at once: the body may stand in what is being parsed.
        self._due.append(Errand(cycle.run_asgi(app), self.tasks))

    def _start_due(self) -> None:
        while self._due:
            self._due.pop(0).start()

    def eof_received(self) -> bool:  # type: ignore[override]
        """Let a client that has said all still have its answer."""
        if self.cycle is None or self.cycle.more_body or self.cycle.response_complete:
            return False
        self.cycle.keep_alive = False
        self.line.has_ended = True
        return True

    def on_response_complete(self) -> None:
        """Go on with the next request, without uvicorn's timer for each: see `check`."""
        if self.line.is_closing():
            return
        self.line.flush()
        self.flow.resume_reading()
        if self.pipeline:
            self._start_asgi_task(*self.pipeline.pop())
            self.loop.call_soon(self._start_due)

    def connection_lost(self, exc: Exception | None) -> None:
        """Forget the connection."""
        super().connection_lost(exc)
        self._all.note(len(self._all))

    def check(self, now: float) -> None:
        """End this connection if it has waited for the same thing for too long."""
        phase = self._waits_for()
        if phase is not self._phase or self.scope is not self._message:
            self._phase, self._message, self._since = phase, self.scope, now
        if now - max(self._since, self._all.finishing_since) < self._all.limits[phase]:
            return
        if phase is Phase.HEAD or phase is Phase.BODY:
            what = phase.name.lower()
            problem = f"the {what} of the request did not come whole within {{}} s; send it faster"
            self.refuse(408, problem.format(f"{self._all.limits[phase]:g}"))
        elif phase is Phase.IDLE or phase is Phase.SILENT:
            self.line.hang_up()
        else:
            self.line.abort()

    def refuse(self, status: int, problem: str, headers: bytes = b"") -> None:
        """Answer an error in the container's form, without the application, and close."""
        if self.cycle is not None:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        self.line.write(refusal(status, problem, headers))
        self.line.close()
        self._all.refused(status, problem)

    def _waits_for(self) -> Phase:
        cycle = self.cycle
        if self.flow.write_paused or self.line.get_write_buffer_size():
            return Phase.TAKING
        if self.line.is_closing():
            return Phase.LEAVING
        if self.scope is None:
            return Phase.SILENT
        if cycle is None or cycle.scope is not self.scope:
            return Phase.HEAD
        if cycle.response_complete:
            return Phase.IDLE
        # Whoever has paused reading must not blame the client for what does not come.
        if cycle.more_body and not self.flow.read_paused:
            return Phase.BODY
        return Phase.WORK


def _config(app: Any) -> Config:
    config = Config(
        app,
        interface="asgi3",
        http=Connection,
        ws="none",
        lifespan="off",
        access_log=False,
        log_config=None,
        # Below it are callers' mistakes, a line each.
        log_level="error",
        proxy_headers=False,
        server_header=False,
    )
    config.load()
    return config


def _buffered(connection: Connection) -> int:
    return connection.line.get_write_buffer_size()
