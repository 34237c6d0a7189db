"""Read request bodies within limits: of one body, and of all that are under way together."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from inference.contract.refusal import Problem, RefusedError, overloaded

Receive = Callable[[], Awaitable[Mapping[str, Any]]]

FREE_BYTES = 64 * 1024
"""Of a body that counts for nothing: uvicorn reads as much ahead for any connection."""


class GoneError(Exception):
    """The caller went away before the whole body came: nobody is left to answer."""


class Bodies:
    """Reads bodies; what `read` gave must be given back with `release` once it is answered."""

    def __init__(self, largest: int, most_buffered: int) -> None:
        self._largest = largest
        self._most_buffered = most_buffered
        self._buffered = 0

    async def read(self, declared: bytes | None, receive: Receive) -> bytes:
        """
        Read one body; `declared` is its Content-Length, if it has one.

        Raises RefusedError, 413 when it is too long and 503 when too many are under way, and
        GoneError.
        """
        if declared is not None and declared.isdigit() and int(declared[:20]) > self._largest:
            raise self._too_long()
        message = await receive()
        if message["type"] == "http.request" and not message["more_body"]:
            body: bytes = message["body"]
            if len(body) > self._largest:
                raise self._too_long()
            self._buffered += _counted(len(body))
            return body
        return await self._joined(message, receive)

    def release(self, body: bytes) -> None:
        """Give back what a body took."""
        self._buffered -= _counted(len(body))

    async def _joined(self, message: Mapping[str, Any], receive: Receive) -> bytes:
        chunks: list[bytes] = []
        size = 0
        try:
            while True:
                if message["type"] == "http.disconnect":
                    raise GoneError
                chunks.append(message["body"])
                size = self._grown(size, len(message["body"]))
                if not message["more_body"]:
                    return b"".join(chunks)
                message = await receive()
        except BaseException:
            self._buffered -= _counted(size)
            raise

    def _grown(self, size: int, added: int) -> int:
        if size + added > self._largest:
            raise self._too_long()
        grown = self._buffered + _counted(size + added) - _counted(size)
        if grown > self._most_buffered:
            raise overloaded(f"the bodies under way take {self._most_buffered} bytes already")
        self._buffered = grown
        return size + added

    def _too_long(self) -> RefusedError:
        problem = f"the body is too long, allowed are {self._largest} bytes; send fewer records"
        return RefusedError(413, [Problem("", problem, "too_long")], {"connection": "close"})


def _counted(size: int) -> int:
    return size if size > FREE_BYTES else 0
