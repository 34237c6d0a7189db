"""A real serving process on loopback, and how to ask it."""

import http.client
import json
import os
import re
import subprocess
import sys
import time
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
READY = re.compile(r"answers on \S+ port (\d+)")
START_SECONDS = 20


@dataclass
class Container:
    """A running serving process; its lines go to the files `predictions` and `others`."""

    process: subprocess.Popen[bytes]
    folder: Path
    port: int = 0

    def wait_until_ready(self) -> None:
        """Wait for the line that says where it answers."""
        end = time.monotonic() + START_SECONDS
        while (ready := READY.search(self.said())) is None:
            assert self.process.poll() is None, self.said()
            assert time.monotonic() < end, self.said()
            time.sleep(0.01)
        self.port = int(ready[1])

    def said(self) -> str:
        """Give what stands on standard error."""
        return (self.folder / "others").read_text()

    def ask(
        self, method: str, path: str, body: bytes | None = None, media_type: str | None = None
    ) -> tuple[int, str]:
        """Give status and body of one answer."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=10)
        with closing(connection):
            headers = {} if media_type is None else {"Content-Type": media_type}
            connection.request(method, path, body, headers)
            answer = connection.getresponse()
            return answer.status, answer.read().decode()

    def invoke(
        self, content: object, media_type: str | None = "application/json"
    ) -> tuple[int, Any]:
        """POST an object, or bytes as they are; give status and the parsed answer."""
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        status, answer = self.ask("POST", "/invocations", body, media_type)
        return status, json.loads(answer)

    def counters(self) -> dict[str, float]:
        """Give every series of /metrics."""
        lines = self.ask("GET", "/metrics")[1].splitlines()
        pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        return {series: float(value) for series, value in pairs}


def start(
    model: Path, folder: Path, fault: str = "", workers: int = 1, **environment: str
) -> Container:
    """Start a container on a free port; `fault` is code that runs in its process first."""
    folder.mkdir(parents=True, exist_ok=True)
    code = f"{fault}\nimport runpy; runpy.run_module('inference', run_name='__main__')"
    words = ["--model", str(model), "--host", "127.0.0.1", "--port", "0"]
    with (folder / "predictions").open("wb") as stdout, (folder / "others").open("wb") as stderr:
        process = subprocess.Popen(
            [sys.executable, "-c", code, *words, "--workers", str(workers)],
            cwd=ROOT,
            stdout=stdout,
            stderr=stderr,
            env=os.environ | environment,
        )
    container = Container(process, folder)
    try:
        container.wait_until_ready()
    except BaseException:
        process.kill()
        raise
    return container
