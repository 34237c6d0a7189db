"""Start a server on one core, ask it, see what it costs, and end it with all its children."""

import http.client
import os
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import psutil

from benchmarks.serving.servers import MODEL, ORIGIN, ROOT, CannotMeasure, Server, free_port

STARTED_WITHIN_SECONDS = 60
STOPPED_WITHIN_SECONDS = 10
JSON = {"Content-Type": "application/json"}


@dataclass(frozen=True)
class Running:
    """A started server; `lines` is the file that its stdout goes to."""

    server: Server
    port: int
    process: psutil.Popen
    lines: Path
    first_prediction_seconds: float

    def post(self, body: bytes) -> tuple[int, bytes]:
        """Send a body on a connection of its own; give the status and the body of the answer."""
        return _ask(self.port, "POST", "/invocations", body)

    def get(self, path: str) -> tuple[int, bytes]:
        """Give the status and the body of a page."""
        return _ask(self.port, "GET", path)

    def cpu_seconds(self) -> float:
        """Give the processor time of all its processes so far, in steps of 10 ms."""
        return sum(sum(process.cpu_times()[:4]) for process in _tree(self.process))

    def memory_mb(self) -> float:
        """Give the proportional set size of all its processes: shared pages are shared out."""
        return sum(process.memory_full_info().pss for process in _tree(self.process)) / 1e6


@contextmanager
def running(server: Server, folder: Path, core: int, body: bytes) -> Iterator[Running]:
    """
    Start a server and wait until it has answered `body`; end it afterwards.

    What it writes lies in `folder`. Raises CannotMeasure when it ends, or does not answer.
    """
    folder.mkdir(parents=True, exist_ok=True)
    port = free_port()
    program, *arguments = server.command(port, folder)
    command = ["taskset", "--cpu-list", str(core), str(server.programs / program), *arguments]
    started = time.perf_counter()
    with (folder / "stdout").open("wb") as lines, (folder / "stderr").open("wb") as complaints:
        process = psutil.Popen(
            command,
            stdout=lines,
            stderr=complaints,
            cwd=folder,
            env=_environment(server, folder),
            start_new_session=True,
        )
    try:
        if not _answers(process, port, body):
            said = (folder / "stderr").read_text(errors="replace")[-2000:]
            raise CannotMeasure(f"{server.name} did not answer a request; it said:\n{said}")
        seconds = time.perf_counter() - started
        yield Running(server, port, process, folder / "stdout", seconds)
    finally:
        _stop(process)


def _environment(server: Server, folder: Path) -> dict[str, str]:
    return {
        "PATH": f"{server.programs}{os.pathsep}{os.environ['PATH']}",
        "HOME": str(folder),
        "PYTHONPATH": str(ROOT),
        "BENCH_MODEL": str(MODEL),
        **ORIGIN,
        **server.environment,
    }


def _answers(process: psutil.Popen, port: int, body: bytes) -> bool:
    """Ask every few milliseconds, until there is a prediction, the server is gone, or time is."""
    deadline = time.perf_counter() + STARTED_WITHIN_SECONDS
    while process.poll() is None and time.perf_counter() < deadline:
        with suppress(OSError, http.client.HTTPException):
            if _ask(port, "POST", "/invocations", body)[0] == 200:
                return True
        time.sleep(0.003)
    return False


def _ask(port: int, method: str, path: str, body: bytes | None = None) -> tuple[int, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=10)
    try:
        connection.request(method, path, body, JSON if body is not None else {})
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def _tree(process: psutil.Process) -> list[psutil.Process]:
    return [process, *process.children(recursive=True)]


def _stop(process: psutil.Popen) -> None:
    """End a server; some leave children behind, so these are ended by name."""
    tree = _tree(process) if process.poll() is None else []
    if tree:
        process.send_signal(signal.SIGTERM)
    _, alive = psutil.wait_procs(tree, STOPPED_WITHIN_SECONDS)
    for left in alive:
        with suppress(psutil.NoSuchProcess):
            left.kill()
    psutil.wait_procs(alive, STOPPED_WITHIN_SECONDS)
