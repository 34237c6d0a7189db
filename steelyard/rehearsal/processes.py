"""The rehearsal's processes: what they inherit, how they start, and how they end."""

import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from types import FrameType
from typing import NoReturn

_LEASH = Path(__file__).with_name("leash.py")
# What an interpreter may need to start at all, on one system or another.
_INHERITED = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH", "SYSTEMROOT", "TMPDIR")
# With these, no file, no metadata service and no proxy of this machine's user is asked.
_NOWHERE = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "NO_PROXY": "*",
    "no_proxy": "*",
}
# Seconds of real time in which a process may end by itself once it was asked to.
OBEDIENCE_SECONDS = 10.0


def harmless(environment: Mapping[str, str]) -> dict[str, str]:
    """Return an environment without what leads SDKs to other accounts, endpoints or proxies."""
    return {name: value for name, value in environment.items() if not _leads_away(name.upper())}


def start(
    module: str,
    arguments: Sequence[str],
    folder: Path,
    environment: Mapping[str, str],
    log: Path,
) -> "subprocess.Popen[bytes]":
    """
    Run a Python module in a folder, on the leash, its output appended to a log.

    Nothing of this process's environment is passed on but what an interpreter needs.
    """
    inherited = {name: os.environ[name] for name in _INHERITED if name in os.environ}
    fixed = {"LANG": "C.UTF-8", "PYTHONDONTWRITEBYTECODE": "1", **_NOWHERE}
    with log.open("ab") as output:
        return subprocess.Popen(
            [sys.executable, "-P", str(_LEASH), module, *arguments],
            cwd=folder,
            env={**inherited, **fixed, **environment},
            stdin=subprocess.PIPE,
            stdout=output,
            stderr=subprocess.STDOUT,
            # A Ctrl-C is this process's alone: it ends the others in order.
            start_new_session=True,
        )


def kill(process: "subprocess.Popen[bytes]") -> None:
    """End a process hard."""
    process.kill()
    process.wait()
    if process.stdin is not None:
        process.stdin.close()


def end(*processes: "subprocess.Popen[bytes]") -> None:
    """Ask processes to end, all at once, as SageMaker does; end hard those that do not obey."""
    for process in processes:
        process.terminate()
    latest = time.monotonic() + OBEDIENCE_SECONDS
    try:
        for process in processes:
            with suppress(subprocess.TimeoutExpired):
                process.wait(max(0.0, latest - time.monotonic()))
    finally:
        for process in processes:
            kill(process)


def last_words(log: Path) -> str:
    """Return the last line of a log, for people."""
    said = log.read_text("utf-8", "replace").strip().splitlines()
    return said[-1] if said else "no output"


@contextmanager
def isolated() -> Iterator[None]:
    """Hide the user's AWS settings and proxies from this process while the context lasts."""
    before = dict(os.environ)
    kept = harmless(before) | _NOWHERE
    try:
        os.environ.clear()
        os.environ.update(kept)
        yield
    finally:
        os.environ.clear()
        os.environ.update(before)


@contextmanager
def ended_in_order() -> Iterator[None]:
    """Let SIGTERM end this process by an exception, as Ctrl-C does, so that nothing is left."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(signal.SIGTERM, _leave)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)


def _leave(number: int, _frame: FrameType | None) -> NoReturn:
    raise SystemExit(128 + number)


def _leads_away(name: str) -> bool:
    return name.startswith(("AWS_", "MOTO_", "BOTO")) or name.endswith("_PROXY")
