"""However a rehearsal ends, nothing of it lives on."""

import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.rehearsal.kit import ROOT, Kit

PROCESSES = Path("/proc")
# Ten functions and two containers of the example.
ALL_CHILDREN = 12
PATIENCE_SECONDS = 60

pytestmark = pytest.mark.skipif(not PROCESSES.is_dir(), reason="looks for processes in /proc")


def stat(pid: int) -> list[str]:
    """State, parent and more of a process, empty when it is gone."""
    try:
        return (PROCESSES / str(pid) / "stat").read_text("utf-8").rpartition(")")[2].split()
    except OSError:
        return []


def is_alive(pid: int) -> bool:
    return stat(pid)[:1] not in ([], ["Z"])


def children(parent: int) -> list[int]:
    pids = [int(path.name) for path in PROCESSES.iterdir() if path.name.isdigit()]
    return [pid for pid in pids if stat(pid)[1:2] == [str(parent)]]


def wait_for(truth: Callable[[], bool]) -> bool:
    end = time.monotonic() + PATIENCE_SECONDS
    while not truth():
        if time.monotonic() > end:
            return False
        time.sleep(0.05)
    return True


@pytest.fixture
def temporary(tmp_path: Path) -> Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    return folder


@pytest.fixture
def rehearsal(
    kit: Kit, endpoint_folder: Path, temporary: Path
) -> Iterator["subprocess.Popen[bytes]"]:
    command = [sys.executable, "-m", "steelyard", "rehearse", str(endpoint_folder)]
    said = temporary.parent / "said.txt"
    with (
        said.open("wb") as output,
        subprocess.Popen(
            [*command, "--assembly", str(kit.output)],
            cwd=ROOT,
            env=os.environ | {"TMPDIR": str(temporary)},
            stdout=output,
            stderr=output,
        ) as process,
    ):
        wait_for(lambda: process.poll() is not None or len(children(process.pid)) == ALL_CHILDREN)
        assert process.poll() is None, said.read_text("utf-8")
        yield process
        process.kill()


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_in_order(
    rehearsal: "subprocess.Popen[bytes]", temporary: Path, number: signal.Signals
) -> None:
    started = children(rehearsal.pid)

    rehearsal.send_signal(number)
    code = rehearsal.wait(PATIENCE_SECONDS)

    assert code != 0
    assert [pid for pid in started if is_alive(pid)] == []
    assert list(temporary.glob("steelyard-*")) == []


def test_its_processes_do_not_outlive_one_that_was_killed(
    rehearsal: "subprocess.Popen[bytes]",
) -> None:
    started = children(rehearsal.pid)

    rehearsal.kill()

    assert wait_for(lambda: not any(is_alive(pid) for pid in started))
