"""
Lambda functions of the local AWS: AWS's own runtime client runs the deployed handlers.

Each function version is one process of `awslambdaric`, which asks a Runtime API on loopback for
events, exactly as in Lambda. It sees the function's own environment and code, nothing of ours.
"""

import io
import json
import queue
import sys
import threading
import time
import uuid
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

from steelyard.rehearsal import processes
from steelyard.rehearsal.clock import real_time

# Seconds beyond the function's own time-out in which its process may still start or answer.
GRACE_SECONDS = 30.0


class CannotStart(RuntimeError):
    """A function's process cannot take events; the message says why."""


@dataclass(frozen=True)
class Result:
    """What an invocation gave: the handler's result as JSON, or its error in Lambda's form."""

    payload: bytes
    failed: bool

    def error(self) -> str:
        """Return the error as one sentence, for people."""
        error = json.loads(self.payload)
        return f"{error.get('errorType')}: {error.get('errorMessage')}"


@dataclass(frozen=True)
class Function:
    """One published function: its code archive and what Lambda would start it with."""

    arn: str
    name: str
    version: str
    handler: str
    code: bytes
    environment: Mapping[str, str]
    timeout_seconds: float
    memory_mb: int


class Runtime:
    """
    One function's process, and the Runtime API that it asks for events.

    As in Lambda, one that crashed or took too long is gone, and the next event gets a new one.
    """

    def __init__(
        self,
        function: Function,
        folder: Path,
        aws: Mapping[str, str],
        grace_seconds: float = GRACE_SECONDS,
    ) -> None:
        self.function = function
        self._aws = aws
        self._grace = grace_seconds
        self._one_at_a_time = threading.Lock()
        self._log = folder / "log.txt"
        self._task = folder / "task"
        zipfile.ZipFile(io.BytesIO(function.code)).extractall(self._task)
        self._server = _Server(("127.0.0.1", 0), self._api())
        serve = threading.Thread(target=self._server.serve_forever, args=[0.05], daemon=True)
        serve.start()
        self._spawn()

    def wait_until_ready(self) -> None:
        """
        Wait until the process has imported the handler and asks for events.

        Raises CannotStart when it cannot, with the handler's own error.
        """
        end = time.monotonic() + self._grace
        while not self._ready.wait(0.05):
            if self._init_error is not None:
                raise CannotStart(
                    f"function {self.function.name}: handler {self.function.handler} cannot be "
                    f"imported: {self._init_error.error()}: mend it, then synthesise again"
                )
            if self._process.poll() is not None or time.monotonic() > end:
                said = processes.last_words(self._log)
                raise CannotStart(f"function {self.function.name} cannot start: {said}")

    def invoke(self, event: bytes) -> Result:
        """Run the handler on an event and wait for its result, or for what went wrong."""
        with self._one_at_a_time:
            if self._process.poll() is not None:
                self._renew()
            self._pending.put((str(uuid.uuid4()), event))
            end = time.monotonic() + self.function.timeout_seconds + self._grace
            while time.monotonic() < end:
                try:
                    return self._results.get(timeout=0.2)
                except queue.Empty:
                    if self._process.poll() is not None:
                        return _error("Runtime.ExitError", processes.last_words(self._log))
            processes.kill(self._process)
            return _error("Sandbox.Timedout", f"no answer in {self.function.timeout_seconds:.0f} s")

    def close(self) -> None:
        """End the process and its API."""
        processes.kill(self._process)
        self._server.shutdown()
        self._server.server_close()

    def _renew(self) -> None:
        processes.kill(self._process)
        self._spawn()

    def _spawn(self) -> None:
        # New for each process: what an old one still waits for must not reach it, nor its answers.
        self._pending: queue.Queue[tuple[str, bytes]] = queue.Queue()
        self._results: queue.Queue[Result] = queue.Queue()
        self._ready = threading.Event()
        self._init_error: Result | None = None
        self._process = processes.start(
            "awslambdaric", [self.function.handler], self._task, self._environment(), self._log
        )

    def _environment(self) -> dict[str, str]:
        host, port = self._server.server_address[:2]
        return {
            **processes.harmless(self.function.environment),
            **self._aws,
            "AWS_LAMBDA_RUNTIME_API": f"{host!s}:{port}",
            "AWS_LAMBDA_FUNCTION_NAME": self.function.name,
            "AWS_LAMBDA_FUNCTION_VERSION": self.function.version,
            "AWS_LAMBDA_FUNCTION_MEMORY_SIZE": str(self.function.memory_mb),
            "LAMBDA_TASK_ROOT": str(self._task),
            "PYTHONPATH": str(self._task),
        }

    def _api(self) -> type[BaseHTTPRequestHandler]:
        runtime = self

        class Api(BaseHTTPRequestHandler):
            """The two calls of the Runtime API: the next event, and an event's result."""

            protocol_version = "HTTP/1.1"
            # An answer's second part must not wait until its first one is acknowledged.
            disable_nagle_algorithm = True

            def do_GET(self) -> None:
                """Give the next event, whenever there is one."""
                runtime._ready.set()
                request_id, event = runtime._pending.get()
                # The process lives in real time, where this one's clock is virtual.
                deadline = real_time() + runtime.function.timeout_seconds
                self.send_response(200)
                self.send_header("Lambda-Runtime-Aws-Request-Id", request_id)
                self.send_header("Lambda-Runtime-Deadline-Ms", str(int(deadline * 1000)))
                self.send_header("Lambda-Runtime-Invoked-Function-Arn", runtime.function.arn)
                self._end(event)

            def do_POST(self) -> None:
                """Take a result or an error."""
                body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
                result = Result(body, failed=self.path.endswith("/error"))
                if self.path.endswith("/init/error"):
                    runtime._init_error = result
                else:
                    runtime._results.put(result)
                self.send_response(202)
                self._end(b"{}")

            def log_message(self, format: str, *arguments: Any) -> None:  # noqa: A002
                """Say nothing."""

            def _end(self, body: bytes) -> None:
                self.send_header("Content-Type", "application/json")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

        return Api


class _Server(ThreadingHTTPServer):
    def handle_error(self, request: Any, client_address: Any) -> None:
        """Say nothing of a process that was killed while it asked for an event."""
        if not isinstance(sys.exception(), ConnectionError):
            super().handle_error(request, client_address)


class Functions:
    """The running functions of the local AWS, started at their first event."""

    def __init__(self, folder: Path, aws: Mapping[str, str]) -> None:
        self._folder = folder
        self._aws = aws
        self._runtimes: dict[str, Runtime] = {}
        self._lock = threading.Lock()

    def start(self, function: Function) -> Runtime:
        """Return the function's process, started if it is not running yet."""
        with self._lock:
            key = f"{function.name}-{function.version}"
            if key not in self._runtimes:
                folder = self._folder / key
                folder.mkdir(parents=True)
                self._runtimes[key] = Runtime(function, folder, self._aws)
            return self._runtimes[key]

    def wait_until_ready(self) -> None:
        """Wait until every process that was started asks for events; raises CannotStart."""
        for runtime in list(self._runtimes.values()):
            runtime.wait_until_ready()

    def close(self) -> None:
        """End every process."""
        for runtime in self._runtimes.values():
            runtime.close()
        self._runtimes.clear()


def _error(kind: str, message: str) -> Result:
    return Result(json.dumps({"errorType": kind, "errorMessage": message}).encode(), failed=True)
