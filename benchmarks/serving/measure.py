"""
Take the time of servers, in rounds of all of them in turn: the machine's moods hit all alike.

In a round each server is started anew: time to the first prediction, then load from wrk at each
number of connections, then its memory.
"""

import json
import shutil
import subprocess
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.serving.running import Running, running
from benchmarks.serving.servers import BUILD, CannotMeasure, Server
from benchmarks.serving.verify import Sample, count_lines, refuse, verify, verify_counters

SCRIPT = Path(__file__).with_name("wrk.lua")
WARM_UP_SECONDS = 1
MEMORY = Path("/dev/shm")
ROOM_BYTES = 4e9
"""For the lines of one server: some 1.2 kB each, of up to 50,000 a second."""


@dataclass(frozen=True)
class Load:
    """What wrk saw: requests a second, microseconds of processor time each, and latencies."""

    rate: float
    cpu_us: float
    p50_ms: float
    p99_ms: float


@dataclass(frozen=True)
class Start:
    """One start of one server; `loads` by the number of connections."""

    first_prediction_seconds: float
    memory_mb: float
    lines_per_request: float
    loads: dict[int, Load]


Round = dict[str, Start]
"""The starts of one round, by the name of the server."""


@dataclass(frozen=True)
class Plan:
    """What to measure, and on which cores: the servers on one, wrk and this process on another."""

    servers: Sequence[Server]
    rounds: int
    seconds: int
    connections: Sequence[int]
    server_core: int


def measure(plan: Plan, sample: Sample, said: Callable[[str], None]) -> list[Round]:
    """Verify every server, then measure in rounds; `said` is told of each step."""
    with _folder() as folder:
        for server in plan.servers:
            said(f"verify {server.name}")
            # This start is also the one that compiles modules and fills the file cache.
            with running(server, folder / server.name, plan.server_core, sample.bodies[0]) as it:
                verify(it, sample)
        bodies = folder / "bodies"
        bodies.write_bytes(b"\n".join(sample.bodies))
        rounds = []
        for number in range(1, plan.rounds + 1):
            said(f"round {number} of {plan.rounds}")
            rounds.append({it.name: _start(it, plan, folder, bodies) for it in plan.servers})
        return rounds


def _start(server: Server, plan: Plan, folder: Path, bodies: Path) -> Start:
    body = bodies.read_bytes().partition(b"\n")[0]
    answered, unfinished = 1, 0  # wrk hangs up on what is under way at the end of each run
    loads = {}
    with running(server, folder / server.name, plan.server_core, body) as it:
        for connections in plan.connections:
            warm = _wrk(it, bodies, connections, WARM_UP_SECONDS)
            before = it.cpu_seconds()
            seen = _wrk(it, bodies, connections, plan.seconds)
            loads[connections] = _load(seen, it.cpu_seconds() - before)
            answered += int(warm["requests"] + seen["requests"])
            unfinished += 2 * connections
        memory = it.memory_mb()
        verify_counters(it)
        lines = count_lines(it.lines)
    if not answered <= lines <= answered + unfinished:
        problem = f"{lines} lines for {answered} predictions and up to {unfinished} given up by wrk"
        refuse(it, [problem])
    return Start(it.first_prediction_seconds, memory, lines / answered, loads)


def _load(seen: dict[str, float], cpu_seconds: float) -> Load:
    requests = seen["requests"]
    return Load(
        rate=requests / seen["seconds"],
        cpu_us=cpu_seconds * 1e6 / requests,
        p50_ms=seen["p50_ms"],
        p99_ms=seen["p99_ms"],
    )


def _wrk(it: Running, bodies: Path, connections: int, seconds: int) -> dict[str, float]:
    address = f"http://127.0.0.1:{it.port}/invocations"
    load = ["--threads", "1", "--connections", str(connections), "--duration", f"{seconds}s"]
    command = ["wrk", *load, "--script", str(SCRIPT), address, "--", str(bodies)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise CannotMeasure(f"wrk failed on {it.server.name}:\n{done.stdout}{done.stderr}")
    seen: dict[str, float] = json.loads(done.stderr.splitlines()[-1])
    if seen["refused"] or seen["broken"] or not seen["requests"]:
        raise CannotMeasure(
            f"{it.server.name} did not answer each of {seen['requests']} requests with a "
            f"prediction: {seen['refused']} refused, {seen['broken']} connections broken"
        )
    return seen


@contextmanager
def _folder() -> Iterator[Path]:
    """Give a folder in memory if there is room: waiting for a disk would be no server's doing."""
    has_room = MEMORY.is_dir() and shutil.disk_usage(MEMORY).free > ROOM_BYTES
    with tempfile.TemporaryDirectory(dir=MEMORY if has_room else BUILD) as name:
        yield Path(name)
