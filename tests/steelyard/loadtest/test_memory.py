"""How much memory a server holds."""

import os
import subprocess
import sys
from pathlib import Path

from steelyard.loadtest import client, memory
from tests.steelyard.loadtest.loopback import METRICS

CHILDREN = """
import subprocess, sys
block = bytearray(40 * 2**20)
code = "block = bytearray(30 * 2**20); print('ready', flush=True); input()"
child = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE)
input()
child.communicate(b"\\n")
"""


def read_url(url):
    async def work():
        async with client.session() as opened:
            return await memory.of_url(opened, url)()

    return client.run(work)


def test_a_process_tree_holds_what_its_members_hold():
    with subprocess.Popen(
        [sys.executable, "-c", CHILDREN], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as parent:
        assert parent.stdout.readline() == b"ready\n"  # the child inherits the pipe
        held = client.run(memory.of_process(parent.pid))
        parent.communicate(b"\n")

    assert 70 * 2**20 < held < 130 * 2**20


def test_a_process_that_is_gone_is_unknown_and_not_nothing():
    with subprocess.Popen([sys.executable, "-c", ""]) as gone:
        gone.wait()

    assert memory.proportional_bytes(gone.pid) is None


def test_a_process_without_children_holds_no_more_than_is_resident():
    with subprocess.Popen(
        [sys.executable, "-c", "input()"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as alone:
        held = client.run(memory.of_process(alone.pid))
        fields = Path(f"/proc/{alone.pid}/statm").read_text().split()
        alone.communicate(b"\n")

    assert 0 < held <= 1.2 * int(fields[1]) * os.sysconf("SC_PAGE_SIZE")


def test_a_server_that_shows_its_memory_is_taken_at_its_word(server):
    server.metrics = METRICS

    assert read_url(f"{server.url}/metrics") == 50_000_000


def test_a_server_that_shows_none_is_unknown(server):
    assert read_url(f"{server.url}/metrics") is None
    server.metrics = b"requests_total 5\n"
    assert read_url(f"{server.url}/metrics") is None
    assert read_url("http://127.0.0.1:1/metrics") is None


def test_the_gauges_of_several_processes_are_added():
    name = "process_resident_memory_bytes"
    text = f'{name}{{worker="0"}} 100\n{name}{{worker="1"}} 50\n'

    assert memory.gauge(text) == 150
