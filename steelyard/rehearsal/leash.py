"""
What holds every process of a rehearsal: no way to another machine, and an end with its parent.

As a program, `python -P leash.py MODULE ...` runs a module as `python -m` would, on the leash: only
the parent has the other end of its standard input, so that its end is the parent's end, however the
parent died. It stands alone, since the `steelyard` of a deployed function has no rehearsal in it.
"""

import ipaddress
import os
import runpy
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_ASKS = ("socket.connect", "socket.sendto")
_NAMES = ("socket.getaddrinfo", "socket.gethostbyname")
_held = 0
_is_installed = False


class LeftMachine(RuntimeError):
    """Something tried to reach another machine: no OSError, which clients would only try again."""


@contextmanager
def only_loopback() -> Iterator[None]:
    """
    Refuse every connection of this process to another machine, while the context lasts.

    Whoever tries gets LeftMachine. Python's own sockets are held, those of C libraries are not.
    """
    global _held, _is_installed
    if not _is_installed:
        # An audit hook stays for the life of the process: hence the count.
        sys.addaudithook(_audit)
        _is_installed = True
    _held += 1
    try:
        yield
    finally:
        _held -= 1


def _audit(event: str, arguments: tuple[Any, ...]) -> None:
    if not _held:
        return
    if event in _ASKS:
        address = arguments[1]
        # The address of a Unix socket is one string: a file of this machine.
        host = address[0] if isinstance(address, tuple) else None
    elif event in _NAMES:
        host = arguments[0]
    else:
        return
    if host is not None and not _is_loopback(host):
        raise LeftMachine(f"a rehearsal reached out to {host!r}: it may speak to loopback only")


def _is_loopback(host: str | bytes) -> bool:
    name = host.decode("ascii", "replace") if isinstance(host, bytes) else host
    if name in ("", "localhost"):
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


def _end_with_parent() -> None:
    while os.read(0, 1024):
        pass
    os._exit(1)


def main(module: str, arguments: list[str]) -> None:
    """Run a module on the leash."""
    threading.Thread(target=_end_with_parent, daemon=True).start()
    sys.argv = [module, *arguments]
    with only_loopback():
        runpy.run_module(module, run_name="__main__", alter_sys=True)


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
