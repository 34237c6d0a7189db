"""Own the port: bound before the workers are forked, and given up without losing a connection."""

import array
import asyncio
import mmap
import socket
import struct
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress

from inference.settings import CannotStart

BACKLOG = 2048
PAUSE_SECONDS = 0.1
"""Before the next try when there is no file descriptor, or no memory, for a connection."""
LEAD = 1
"""By which a worker may have more connections than another and still take the next one."""
PATIENCE_SECONDS = 0.003
"""For a worker with fewer connections to take it."""
SETTLE_SECONDS = 0.05
"""For handshakes under way to end, once no new ones begin."""
# From Linux's asm-generic/socket.h: Python does not name them.
_SO_ATTACH_FILTER, _SO_DETACH_FILTER = 26, 27
_TCP_FLAGS, _SYN = 13, 0x02
# Classic BPF, linux/filter.h: load the byte of flags; drop the segment if SYN is set, else pass it.
_NO_NEW_ONES = [
    (0x30, 0, 0, _TCP_FLAGS),
    (0x45, 0, 1, _SYN),
    (0x06, 0, 0, 0),
    (0x06, 0, 0, 0xFFFFFFFF),
]

_CELL = 8
_ABSENT = 2**62
"""Count of a worker that takes no connections."""


class Listener:
    """
    A bound socket; it refuses every connection until `open`, and is shared by forked workers.

    The system wakes all workers for a connection, and the fastest would take each of a burst and
    have it for as long as it lives. So they share how many they have, and whoever is ahead leaves
    the others a moment to be faster.

    slots: workers. Raises CannotStart when the address cannot be had.
    """

    def __init__(self, host: str, port: int, slots: int = 1) -> None:
        self._counts = memoryview(mmap.mmap(-1, _CELL * slots)).cast("q")
        for slot in range(slots):
            self._counts[slot] = _ABSENT
        self.host, self.port = host, port
        with self._in_words():
            self._socket = _bound(host, port)
        self.port = self._socket.getsockname()[1]

    def open(self, make: Callable[[], asyncio.Protocol], slot: int = 0) -> None:
        """
        Listen as the worker of a slot, and give each connection the protocol that `make` makes.

        Raises CannotStart when another process was faster.
        """
        self._make = make
        self._slot = slot
        self._counts[slot] = 0
        self._is_finishing = False
        self._loop = asyncio.get_running_loop()
        self._starting: set[asyncio.Task[None]] = set()
        with suppress(OSError):  # there mostly is none: a worker that ended alone left one here
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_DETACH_FILTER, 0)
        with self._in_words():
            self._socket.listen(BACKLOG)
        self._resume()

    def note(self, count: int) -> None:
        """Let the other workers know how many connections this one has."""
        if not self._is_finishing:
            self._counts[self._slot] = count

    async def finish(self) -> None:
        """
        Take no new connection, accept all that wait, and close this process's end.

        A connection that is complete but not accepted would be reset by the close, with the request
        in it. So new ones are dropped unanswered first: their clients try again a second later, and
        are refused. Where the system has no such filter, a request may be lost in that moment.
        """
        self.drop_new_ones()
        await asyncio.sleep(SETTLE_SECONDS)
        self._is_finishing = True
        self._counts[self._slot] = _ABSENT
        self._loop.remove_reader(self._socket)
        while self._accept():
            pass
        await asyncio.gather(*self._starting)
        self.close()

    def close(self) -> None:
        """Close this process's end; the port is free when the last process has done so."""
        self._socket.close()

    def _take_turns(self) -> None:
        if self._counts[self._slot] > min(self._counts) + LEAD:
            self._pause(PATIENCE_SECONDS)
        else:
            self._accept()

    def _accept(self) -> bool:
        """Accept one connection, and say if there was one."""
        try:
            line, _ = self._socket.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return False
        except OSError:
            self._pause(PAUSE_SECONDS)
            return False
        self.note(self._counts[self._slot] + 1)
        task = self._loop.create_task(self._start(line))
        self._starting.add(task)
        task.add_done_callback(self._starting.discard)
        return True

    async def _start(self, line: socket.socket) -> None:
        with suppress(OSError):  # it may be gone already
            await self._loop.connect_accepted_socket(self._make, line)

    def _pause(self, seconds: float) -> None:
        self._loop.remove_reader(self._socket)
        self._loop.call_later(seconds, self._go_on)

    def _go_on(self) -> None:
        """Accept one that nobody took meanwhile, whoever has more."""
        if not self._is_finishing:
            self._resume()
            self._accept()

    def _resume(self) -> None:
        self._loop.add_reader(self._socket, self._take_turns)

    @contextmanager
    def _in_words(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            problem = (
                f"cannot listen on {self.host} port {self.port}: {error.strerror}; "
                "end the process that has it, or choose another with --host or --port"
            )
            raise CannotStart([problem]) from error

    def drop_new_ones(self) -> None:
        """Drop the first segment of each new connection, so that its client tries again later."""
        code = array.array("B", b"".join(struct.pack("HBBI", *line) for line in _NO_NEW_ONES))
        program = struct.pack("HP", len(_NO_NEW_ONES), code.buffer_info()[0])
        with suppress(OSError):
            self._socket.setsockopt(socket.SOL_SOCKET, _SO_ATTACH_FILTER, program)


def _bound(host: str, port: int) -> socket.socket:
    family, kind, *_, address = socket.getaddrinfo(
        host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
    )[0]
    bound = socket.socket(family, kind)
    bound.setblocking(False)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    bound.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # connections inherit it
    try:
        bound.bind(address)
    except OSError:
        bound.close()
        raise
    return bound
