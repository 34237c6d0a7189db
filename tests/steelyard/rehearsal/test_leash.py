"""A process on the leash reaches loopback only, and ends with its parent."""

import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from steelyard.rehearsal.leash import LeftMachine, only_loopback

LEASH = Path(__file__).resolve().parents[3] / "steelyard" / "rehearsal" / "leash.py"
# Reserved for documentation: nobody answers there (RFC 5737, RFC 3849).
ELSEWHERE = [("192.0.2.1", 443), ("2001:db8::1", 443)]


def reach(address: Any) -> None:
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family) as probe:
        probe.settimeout(0.01)
        probe.connect(address)


@pytest.mark.parametrize("address", ELSEWHERE)
def test_another_machine_cannot_be_reached(address: Any) -> None:
    with only_loopback(), pytest.raises(LeftMachine, match=address[0]):
        reach(address)


def test_not_even_a_name_is_looked_up() -> None:
    with only_loopback(), pytest.raises(LeftMachine, match=r"sagemaker\.example\.com"):
        socket.getaddrinfo("sagemaker.example.com", 443)


def test_no_datagram_leaves() -> None:
    with (
        only_loopback(),
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe,
        pytest.raises(LeftMachine),
    ):
        probe.sendto(b"", ("192.0.2.1", 53))


@pytest.mark.parametrize("host", ["127.0.0.1", "127.0.0.2", "localhost"])
def test_loopback_can_be_reached(host: str) -> None:
    with only_loopback(), socket.create_server(("", 0)) as server:
        reach((host, server.getsockname()[1]))


def test_outside_of_the_context_nothing_is_refused() -> None:
    with only_loopback(), only_loopback():
        pass

    # An address that is refused by the system itself, without a packet.
    with pytest.raises(OSError, match=r"Permission denied|unreachable|assign"):
        reach(("255.255.255.255", 1))


@contextmanager
def on_leash(source: str, folder: Path, *arguments: str) -> Iterator["subprocess.Popen[str]"]:
    (folder / "led.py").write_text(source, "utf-8")
    with subprocess.Popen(
        [sys.executable, "-P", str(LEASH), "led", *arguments],
        env={"PYTHONPATH": str(folder)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()


def test_a_module_runs_as_a_program_of_its_own(tmp_path: Path) -> None:
    source = "import sys\nprint(__name__, *sys.argv[1:])\nsys.exit(3)\n"
    with on_leash(source, tmp_path, "--port", "1") as process:
        assert process.stdout is not None
        assert process.stdout.read() == "__main__ --port 1\n"
        assert process.wait(30) == 3


def test_a_module_on_the_leash_is_held_to_loopback(tmp_path: Path) -> None:
    source = """
import socket
try:
    socket.create_connection(("192.0.2.1", 443), 0.1)
except Exception as error:
    print(type(error).__name__)
"""
    with on_leash(source, tmp_path) as process:
        assert process.stdout is not None
        assert process.stdout.read() == "LeftMachine\n"


def test_it_ends_when_its_parent_lets_go_of_it(tmp_path: Path) -> None:
    with on_leash("import time\nprint('up', flush=True)\ntime.sleep(600)\n", tmp_path) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "up\n"
        assert process.stdin is not None

        process.stdin.close()

        assert process.wait(30) == 1
