"""The serving containers as processes: what the image would run, on the template's artefact."""

import io
import signal
import subprocess
import tarfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from socket import socket
from typing import NamedTuple

import urllib3

from steelyard.rehearsal import processes
from steelyard.rehearsal.durations import Durations

# Seconds of real time for a container to answer its first ping.
START_SECONDS = 60.0
# Seconds of real time for a container to answer a request (API reference, InvokeEndpoint).
INVOCATION_SECONDS = 60.0
# The status of a request that nothing answered: SageMaker's own word for it, as users report.
UNANSWERED = 0
# The file in a model's folder that tells its container how to fail, where it can be sabotaged.
ORDERS = "orders.txt"
JSON = {"Content-Type": "application/json"}
# Where the image's code comes from.
SOURCES = Path(__file__).resolve().parent.parent.parent


class ContainerFailed(RuntimeError):
    """A serving process did not come up; the message holds its last words."""


class Reply(NamedTuple):
    """What a container answered: status, or UNANSWERED; body; headers, in any case."""

    status: int
    body: bytes
    headers: Mapping[str, str]


@dataclass
class Container:
    """
    One serving process of a variant.

    `host` is the instance that it stands for, `model` the folder that it serves, `environment` what
    the template sets; its answers take `slowdown` times as long as the seeded latency model says.
    """

    variant: str
    host: str
    port: int
    process: subprocess.Popen[bytes]
    log: Path
    model: Path
    environment: Mapping[str, str]
    slowdown: float = 1.0

    def __post_init__(self) -> None:
        self.pool = urllib3.HTTPConnectionPool(
            "127.0.0.1", self.port, maxsize=16, retries=False, timeout=10.0
        )

    @cached_property
    def durations(self) -> Durations:
        """What its answers took; read once it serves, as by then its manifest is a sound one."""
        return Durations.of(self.model, self.environment)

    def wait_until_ready(self) -> None:
        """Wait for the first ping that is answered; raises ContainerFailed."""
        end = time.monotonic() + START_SECONDS
        while time.monotonic() < end and self.process.poll() is None:
            try:
                if self.pool.request("GET", "/ping").status == 200:
                    return
            except urllib3.exceptions.HTTPError:
                time.sleep(0.05)
        said = self.log.read_text("utf-8", "replace").strip()
        raise ContainerFailed(f"the container of {self.variant} did not come up: {said[-2000:]}")

    def invoke(self, body: bytes, headers: Mapping[str, str] = JSON) -> Reply:
        """Send one request with these headers, and return the answer."""
        try:
            answer = self.pool.urlopen(
                "POST", "/invocations", body=body, headers=headers, timeout=INVOCATION_SECONDS
            )
        except urllib3.exceptions.HTTPError as error:
            return Reply(UNANSWERED, str(error).encode(), {})
        return Reply(answer.status, answer.data, answer.headers)

    def metrics(self) -> str | None:
        """Return what the container exposes, None when nothing answers."""
        try:
            answer = self.pool.request("GET", "/metrics")
        except urllib3.exceptions.HTTPError:
            return None
        return answer.data.decode() if answer.status == 200 else None

    def order(self, line: str) -> None:
        """Let a sabotaged process do what one more line of its orders says."""
        with (self.model / ORDERS).open("a", encoding="utf-8") as orders:
            orders.write(f"{line}\n")
        self.process.send_signal(signal.SIGUSR1)

    def kill(self) -> None:
        """End the process hard, as a crash would."""
        processes.kill(self.process)

    def close(self) -> None:
        """Stop the process as SageMaker does, and hard if it does not obey."""
        processes.end(self.process)
        self.pool.close()


def start(
    variant: str, archive: bytes, environment: dict[str, str], folder: Path, image: Sequence[str]
) -> Container:
    """
    Unpack a model artefact and serve it; `image` is the module, and its arguments, that is run.

    The module gets `--model`, `--host`, `--port`, and one worker: a fault is in one process.
    """
    model = folder / variant
    model.mkdir(parents=True)
    with tarfile.open(fileobj=io.BytesIO(archive), mode="r:gz") as tar:
        tar.extractall(model, filter="data")
    port = _free_port()
    log = folder / f"{variant}.log"
    place = ["--model", str(model), "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    settings = {**processes.harmless(environment), "PYTHONPATH": str(SOURCES)}
    process = processes.start(image[0], [*image[1:], *place], model, settings, log)
    return Container(variant, f"i-{variant}", port, process, log, model, environment)


def _free_port() -> int:
    with socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
