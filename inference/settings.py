"""
Say where the container serves, what it serves and where its limits are.

Arguments say what differs from start to start; the environment what CreateModel can set, since
SageMaker starts every image with the one word `serve`.
"""

import argparse
import math
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, NoReturn, cast, get_args

Command = Literal["serve", "openapi"]
COMMANDS: tuple[Command, ...] = get_args(Command)

MB = 1024 * 1024
MOST_WORKERS = 256
CPU_QUOTA = Path("/sys/fs/cgroup/cpu.max")
"""`QUOTA PERIOD` in microseconds, or `max PERIOD` (Linux, admin-guide/cgroup-v2)."""


class CannotStart(Exception):
    """The container cannot start; `problems` are the sentences that say why."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(problems)
        self.problems = problems


@dataclass(frozen=True)
class Settings:
    """
    Places and limits; every limit is one worker's, times are in seconds.

    slo_seconds: what an answer may take before it counts as slow; None leaves that to the bins.
    largest_body_bytes: of one request. SageMaker sends 6 MB in real time, and more from batch
    transform and asynchronous endpoints (developer guide, InvokeEndpoint and quotas).
    most_buffered_bytes: of all bodies and answers under way.
    head_seconds, body_seconds: for a client to send the one, then the other, and to take its
    answer. request_seconds: SageMaker gives up then. quiet_seconds: after SIGTERM, for requests
    that were on their way. drain_seconds: for all that is under way then; SageMaker kills the
    container 30 seconds after SIGTERM (developer guide, custom inference code with hosting
    services).
    """

    model: Path = Path("/opt/ml/model")
    host: str = "0.0.0.0"
    port: int = 8080
    workers: int = 1
    endpoint: str | None = None
    variant: str | None = None
    slo_seconds: float | None = None
    largest_body_bytes: int = 6 * MB
    most_waiting_requests: int = 1024
    most_buffered_bytes: int = 64 * MB
    most_connections: int = 1024
    head_seconds: float = 10.0
    body_seconds: float = 30.0
    request_seconds: float = 60.0
    quiet_seconds: float = 1.0
    drain_seconds: float = 20.0


def read(arguments: Sequence[str], environment: Mapping[str, str]) -> tuple[Command, Settings]:
    """Read what to do, and with which settings; raises CannotStart with every problem."""
    problems: list[str] = []
    given = _arguments(arguments, problems)
    said = {name: value for name, value in environment.items() if value}

    def number(name: str, word: str, low: float, high: float) -> float:
        return _number(name, word, low, high, problems)

    slo = said.get("STEELYARD_SLO_SECONDS")
    body = said.get("STEELYARD_LARGEST_BODY_MB", "6")
    largest = int(MB * number("STEELYARD_LARGEST_BODY_MB", body, 1, 1024))
    settings = Settings(
        model=Path(given.model),
        host=given.host,
        port=int(number("--port", given.port, 0, 65535)),
        workers=_workers(given.workers, said.get("STEELYARD_WORKERS"), problems),
        endpoint=said.get("STEELYARD_ENDPOINT"),
        variant=said.get("STEELYARD_VARIANT"),
        slo_seconds=None if slo is None else number("STEELYARD_SLO_SECONDS", slo, 0.001, 60.0),
        largest_body_bytes=largest,
        most_buffered_bytes=max(Settings.most_buffered_bytes, largest),
    )
    if problems:
        raise CannotStart(problems)
    return cast("Command", given.command), settings


def cpus() -> int:
    """Count the processors that this process may use: its affinity, and its cgroup's quota."""
    allowed = len(os.sched_getaffinity(0))
    try:
        quota, period = CPU_QUOTA.read_text("ascii").split()
        share = int(quota) // int(period)
    except (OSError, ValueError):
        share = allowed  # no cgroup of version 2 here, or one without a quota
    return max(1, min(allowed, share, MOST_WORKERS))


def _arguments(arguments: Sequence[str], problems: list[str]) -> argparse.Namespace:
    parser = _Parser(prog="inference", description="serve one model directory", allow_abbrev=False)
    add = parser.add_argument
    # Everything stays a word here: argparse would stop at the first one that is no number.
    add("command", nargs="?", default="serve", help="serve, or print the document of openapi")
    add("--model", default=str(Settings.model), help="model directory")
    add("--host", default=Settings.host, help="address to listen on")
    add("--port", default=str(Settings.port), help="port to listen on; 0 takes a free one")
    add("--workers", help="processes that share the port, or auto: one a processor (the default)")
    given, unknown = parser.parse_known_args(arguments)
    if given.command not in COMMANDS:
        allowed = " or ".join(COMMANDS)
        problems.append(f"given command {given.command!r}, allowed is {allowed}; see --help")
    problems += [f"given {word!r}, which means nothing here; see --help" for word in unknown]
    return given


class _Parser(argparse.ArgumentParser):
    """Raises what it has to say, where argparse would end the process with a page of usage."""

    def error(self, message: str) -> NoReturn:
        raise CannotStart([f"{message}; see --help"])


def _workers(argument: str | None, variable: str | None, problems: list[str]) -> int:
    name, word = ("--workers", argument) if argument else ("STEELYARD_WORKERS", variable)
    if word is None or word == "auto":
        return cpus()
    return int(_number(name, word, 1, MOST_WORKERS, problems))


def _number(name: str, word: str, low: float, high: float, problems: list[str]) -> float:
    """Read a number within its bounds: a whole one if they are; notes a problem, and gives low."""
    kind, read_word = ("whole ", int) if isinstance(low, int) else ("", float)
    try:
        number = read_word(word)
    except ValueError:
        number = math.nan
    if low <= number <= high:
        return number
    problems.append(
        f"{name}: given {word!r}, allowed is a {kind}number from {low} to {high}; set it so"
    )
    return low
