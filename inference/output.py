"""Put lines on standard output and standard error, whole, though several workers share them."""

import fcntl
import os
from collections.abc import Iterable
from typing import NamedTuple


class Output:
    """
    A stream of lines.

    `lock` is a file that all workers share, None for a single worker: a pipe keeps writes of
    several processes apart only up to 4,096 bytes (POSIX, PIPE_BUF). The lock of a worker that dies
    is given back by the kernel.
    """

    def __init__(self, stream: int, lock: int | None = None) -> None:
        self._stream = stream
        self._lock = lock

    def write(self, lines: Iterable[bytes]) -> None:
        """Write lines in one piece; waits while the reader is behind. Raises OSError."""
        text = b"".join([line + b"\n" for line in lines])
        if self._lock is None:
            self._put(text)
            return
        fcntl.lockf(self._lock, fcntl.LOCK_EX)
        try:
            self._put(text)
        finally:
            fcntl.lockf(self._lock, fcntl.LOCK_UN)

    def _put(self, text: bytes) -> None:
        written = os.write(self._stream, text)
        while written < len(text):  # a pipe takes what it has room for
            written += os.write(self._stream, memoryview(text)[written:])


class Streams(NamedTuple):
    """Where lines go: predictions apart from refusals and failures."""

    predictions: Output
    others: Output


def standard_streams(lock: int | None) -> Streams:
    """Give standard output and standard error, with the lock of the workers that share them."""
    return Streams(Output(1, lock), Output(2, lock))
