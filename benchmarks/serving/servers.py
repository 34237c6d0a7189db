"""
The servers of the comparison: ours, and one file in `peers` for each other.

Each runs from an environment of its own in build/bench/NAME, so that none pays for the packages of
another, with one worker.
"""

import json
import socket
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
BUILD = ROOT / "build" / "bench"
MODEL = BUILD / "model"
ORIGIN = {"STEELYARD_ENDPOINT": "benchmark", "STEELYARD_VARIANT": "v1-0-0"}
"""What each line must say of where it comes from, as the environment says it to the server."""
PEERS = "benchmarks.serving.peers"
OURS = "steelyard"
BASE = "fastapi"
"""The peer that ratios are made to: the fastest of those known."""
COMMON = ("onnxruntime", "numpy", "pydantic", "uvicorn")
"""Packages that every server here uses; a ratio between other versions says less."""


class CannotMeasure(Exception):
    """Something that the comparison needs is missing or broken; the text says the cure."""


@dataclass(frozen=True)
class Server:
    """A server that can be started: `command` gives its arguments for a port and a folder."""

    name: str
    packages: tuple[str, ...]
    command: Callable[[int, Path], list[str]]
    environment: Mapping[str, str] = field(default_factory=dict)

    @property
    def programs(self) -> Path:
        """Where the programs of its own environment lie."""
        return BUILD / self.name / "bin"

    def versions(self) -> dict[str, str]:
        """Give the versions of the packages that matter; raises CannotMeasure without them."""
        if not self.programs.exists():
            raise CannotMeasure(
                f"there is no {BUILD.relative_to(ROOT)}/{self.name}, the environment of "
                f"{self.name}; let `make bench` make it"
            )
        script = (
            "import importlib.metadata as m, json, sys\n"
            "print(json.dumps({name: m.version(name) for name in sys.argv[1:]}))"
        )
        command = [str(self.programs / "python"), "-c", script, *self.packages, *COMMON]
        return dict(json.loads(subprocess.check_output(command)))


def free_port() -> int:
    """Give a port of the loopback interface that nobody has just now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def _steelyard(port: int, _: Path) -> list[str]:
    address = ["--host", "127.0.0.1", "--port", str(port)]
    return ["python", "-m", "inference", "--model", str(MODEL), *address, "--workers", "1"]


def _fastapi(port: int, _: Path) -> list[str]:
    quiet = ["--no-access-log", "--log-level", "warning"]
    return ["python", "-m", "uvicorn", f"{PEERS}.fastapi:app", "--port", str(port), *quiet]


def _mlserver(port: int, folder: Path) -> list[str]:
    settings = {
        "debug": False,  # or it writes an access log
        "host": "127.0.0.1",
        "http_port": port,
        "grpc_port": free_port(),
        "metrics_endpoint": None,
        "parallel_workers": 0,  # in its own process: one worker
    }
    model = {"name": "benchmark", "implementation": f"{PEERS}.mlserver.Runtime"}
    (folder / "settings.json").write_text(json.dumps(settings))
    (folder / "model-settings.json").write_text(json.dumps(model))
    return ["mlserver", "start", str(folder)]


def _bentoml(port: int, _: Path) -> list[str]:
    address = ["--host", "127.0.0.1", "--port", str(port)]
    return ["bentoml", "serve", f"{PEERS}.bentoml:Service", *address]


def _litserve(port: int, _: Path) -> list[str]:
    return ["python", "-m", f"{PEERS}.litserve", str(port)]


SERVERS = {
    server.name: server
    for server in (
        Server(OURS, ("httptools", "uvloop", "orjson"), _steelyard),
        Server("fastapi", ("fastapi", "httptools", "uvloop"), _fastapi),
        Server("mlserver", ("mlserver", "fastapi", "uvloop"), _mlserver),
        Server("bentoml", ("bentoml", "starlette"), _bentoml, {"BENTOML_DO_NOT_TRACK": "true"}),
        Server("litserve", ("litserve", "fastapi", "uvloop"), _litserve),
    )
}
