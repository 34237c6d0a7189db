"""Real serving processes on loopback, and the example's model folders."""

import http.client
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
CLASSIFIER = ROOT / "endpoints" / "tumour-classifier"
READY = re.compile(r"answers on \S+ port (\d+)")


@dataclass
class Container:
    """A running serving process."""

    process: subprocess.Popen[str]
    port: int

    def ask(self, method, path, body=None, media_type="application/json"):
        """Give status and body of one answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        with closing(connection):
            headers = {} if media_type is None else {"Content-Type": media_type}
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

    def invoke(self, content, media_type="application/json"):
        """POST an object, or bytes as they are; give status and the parsed answer."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        status, answer = self.ask("POST", "/invocations", body, media_type)
        return status, json.loads(answer)

    def counters(self) -> dict[str, float]:
        """Give every series of /metrics."""
        lines = self.ask("GET", "/metrics")[1].splitlines()
        pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        return {series: float(value) for series, value in pairs}


@pytest.fixture(scope="module")
def serve() -> Iterator[Callable[..., Container]]:
    """Start a container on a free port; `fault` is code that runs in its process first."""
    with ExitStack() as stack:

        def start(model=CLASSIFIER / "v1-0-0", fault="") -> Container:
            code = f"{fault}\nimport runpy; runpy.run_module('inference', run_name='__main__')"
            words = ["--model", str(model), "--host", "127.0.0.1", "--port", "0"]
            process = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-c", code, *words],
                    cwd=ROOT,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
            stack.callback(process.kill)
            ready = READY.search(process.stderr.readline())
            assert ready is not None, process.stderr.read()
            return Container(process, int(ready[1]))

        yield start


@pytest.fixture(scope="module")
def container(serve: Callable[..., Container]) -> Container:
    """Serve the champion, shared by the tests of one module."""
    return serve()


@pytest.fixture(scope="session")
def classifier() -> Path:
    """Give the folder of the example endpoint."""
    return CLASSIFIER


@pytest.fixture(scope="session")
def records() -> list[dict[str, float]]:
    """Give the held-out records, without their labels."""
    lines = (CLASSIFIER / "heldout.csv").read_text().splitlines()
    names = lines[0].split(",")[:-1]
    return [dict(zip(names, map(float, line.split(",")[:-1]), strict=True)) for line in lines[1:]]
