"""How much memory the server holds: its processes' own share, or what it says itself."""

import asyncio
import re
from collections.abc import Callable, Coroutine, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import aiohttp

from steelyard.loadtest.trend import Trend

Reader = Callable[[], Coroutine[Any, Any, float | None]]
_GAUGE = re.compile(r"^process_resident_memory_bytes(?:\{[^}]*\})? ([0-9.eE+]+)", re.M)
_PROC = Path("/proc")
_PATIENCE = aiohttp.ClientTimeout(total=2)


@dataclass(frozen=True)
class Memory:
    """Bytes over the seconds of a run; `source` is empty where nothing is known."""

    source: str
    readings: tuple[tuple[float, float], ...]
    trend: Trend | None


def of_process(pid: int) -> Reader:
    """
    Return a reader of the memory of a process and all that it started, None where it is unknown.

    Counted is PSS, in bytes: of a page that n processes share, each holds one n-th, so that workers
    are not charged for the same page again (proc(5), smaps_rollup).
    """

    async def read() -> float | None:
        return await asyncio.to_thread(proportional_bytes, pid)

    return read


def of_url(client: aiohttp.ClientSession, url: str) -> Reader:
    """Return a reader of the gauge process_resident_memory_bytes at a URL, None without it."""

    async def read() -> float | None:
        try:
            async with client.get(url, timeout=_PATIENCE) as answer:
                return gauge(await answer.text()) if answer.status == 200 else None
        except (aiohttp.ClientError, OSError, ValueError):
            return None

    return read


async def nothing() -> float | None:
    """Read nothing: the memory of a server on another machine is unknown, and never 0."""
    return None


def gauge(exposition: str) -> float | None:
    """Return the sum of a text exposition's process_resident_memory_bytes, None without it."""
    found = [float(value) for value in _GAUGE.findall(exposition)]
    return sum(found) if found else None


def proportional_bytes(pid: int) -> float | None:
    """Return the PSS of a process tree in bytes, None when it is gone or may not be read."""
    found = [_pss(member) for member in _tree(pid)]
    known = [value for value in found if value is not None]
    return float(sum(known)) if known else None


def _tree(pid: int) -> Iterator[int]:
    yield pid
    for path in (_PROC / str(pid) / "task").glob("*/children"):
        try:
            children = path.read_text("ascii").split()
        except OSError:
            continue
        for child in children:
            yield from _tree(int(child))


def _pss(pid: int) -> int | None:
    try:
        text = (_PROC / str(pid) / "smaps_rollup").read_text("ascii")
    except OSError:
        return None
    match = re.search(r"^Pss:\s+(\d+) kB", text, re.M)
    return int(match[1]) * 1024 if match else None
