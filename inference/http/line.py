"""Close a connection so that its last answer arrives."""

import asyncio
from collections.abc import Callable

END_OF_HEAD, INTERIM = b"\r\n\r\n", b"HTTP/1.1 1"

Lost = Callable[[Exception | None], None]


class Line:
    """
    A transport whose `close` lets the last answer arrive; `lost` is told when it is closed.

    Closing a socket while bytes of the client are unread resets the connection, and the reset can
    overtake the answer (RFC 9112, 9.6). So the sending side is closed first, and what still comes
    is thrown away until the client closes too, or its time is up.
    """

    def __init__(self, transport: asyncio.Transport, lost: Lost) -> None:
        # As attributes, these cost a request no call more.
        self.pause_reading = transport.pause_reading
        self.resume_reading = transport.resume_reading
        self.get_extra_info = transport.get_extra_info
        self.get_write_buffer_size = transport.get_write_buffer_size
        self.abort = transport.abort
        self.hang_up = transport.close
        self.has_ended = False
        self._head = b""
        self._send: Callable[[bytes], None] = transport.write
        self._transport = transport
        self._lost = lost
        self._is_leaving = False

    def write(self, data: bytes) -> None:
        """
        Send; a head waits for what follows it, so that both go with one call of the system.

        That call is the most expensive part of a small answer. A head that nothing follows needs
        `flush`; an interim one (100 Continue) waits for nothing.
        """
        if self._head:
            data, self._head = self._head + data, b""
        elif data.endswith(END_OF_HEAD) and not data.startswith(INTERIM):
            self._head = data
            return
        self._send(data)

    def flush(self) -> None:
        """Send a head that still waits."""
        if self._head:
            head, self._head = self._head, b""
            self._send(head)

    def is_closing(self) -> bool:
        """Whether nothing more will be sent."""
        return self._is_leaving or self._transport.is_closing()

    def close(self) -> None:
        """Send what was written, then close once the client has."""
        if self.is_closing():
            return
        self._is_leaving = True
        self.flush()
        self._send = _nowhere
        if self.has_ended:
            self._transport.close()
            return
        self._transport.set_protocol(_Leaving(self._lost))
        self._transport.resume_reading()
        self._transport.write_eof()


class _Leaving(asyncio.Protocol):
    """Throws away what a client sends after its last answer."""

    def __init__(self, lost: Lost) -> None:
        self._lost = lost

    def connection_lost(self, exc: Exception | None) -> None:
        self._lost(exc)


def _nowhere(_: bytes) -> None:
    """Write nothing: the client has had its last answer."""
