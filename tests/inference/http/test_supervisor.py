"""Several workers on one port: they start, die, are replaced, and end together."""

import os
import signal
import socket
import time
from contextlib import ExitStack

import pytest

from tests.inference.lines import GET, line, rest, whole
from tests.inference.program import running

TWO = {"workers": 2, "quiet_seconds": 0.05}


def asked(port):
    """Ask on a new connection; give the process that answered."""
    with line(port, GET) as connection:
        return int(whole(connection).split(b"\r\n\r\n")[1])


def both_ready(program):
    return {program.heard("ready"), program.heard("ready")}


def test_all_workers_take_connections():
    with running(**TWO) as program:
        workers = both_ready(program)
        seen = set()
        while seen != workers:
            seen.add(asked(program.port))

        assert program.process.pid not in workers
        assert program.end() == 0


def test_a_worker_with_fewer_connections_gets_the_next_ones():
    with running(**TWO) as program, ExitStack() as stack:
        workers = both_ready(program)
        idle = max(workers)

        def held():
            connection = stack.enter_context(line(program.port, GET))
            return int(whole(connection).split(b"\r\n\r\n")[1])

        os.kill(idle, signal.SIGSTOP)
        first = [held() for _ in range(20)]
        os.kill(idle, signal.SIGCONT)
        then = [held() for _ in range(20)]

    assert set(first) == workers - {idle}
    assert then.count(idle) >= 15


def test_the_others_load_only_once_the_first_is_ready():
    with running("is slow", **TWO) as program:
        said = [program.process.stdout.readline().split()[0] for _ in range(4)]
        program.end()

    assert said == ["loading", "ready", "loading", "ready"]


def test_a_model_that_cannot_be_loaded_ends_all_with_one_message():
    with running("refuses", **TWO) as program:
        assert program.process.wait(timeout=10) == 2
        assert program.process.stderr.read() == "there is no model\n"


def test_a_worker_that_dies_is_replaced_at_once_and_more_slowly_when_it_dies_young():
    with running(**TWO) as program:
        workers = both_ready(program)
        for _ in range(3):
            victim = max(workers)
            os.kill(victim, signal.SIGKILL)
            workers = workers - {victim} | {program.heard("ready")}
            assert asked(program.port) in workers
        assert program.end() == 0
        said = program.process.stderr.read().splitlines()

    assert len(said) == 3
    assert all("by signal 9; the next starts in 0." in sentence for sentence in said)


def test_the_pause_before_a_worker_that_dies_young_grows():
    with running("crashes", **TWO) as program:
        said = [program.process.stderr.readline() for _ in range(3)]
        assert program.end() == 0

    assert [sentence.split(" in ")[1] for sentence in said] == ["0.1 s\n", "0.2 s\n", "0.4 s\n"]
    assert said[0].startswith("worker 0 ended with code 3")


def test_a_worker_that_is_ended_alone_leaves_a_port_that_still_accepts():
    with running(**TWO) as program:
        workers = both_ready(program)
        os.kill(min(workers), signal.SIGTERM)
        program.heard("ready")
        assert asked(program.port) != min(workers)


def test_a_signal_while_the_first_loads_ends_all_well():
    with running("is slow", **TWO) as program:
        program.heard("loading")
        assert program.end() == 0


def test_workers_end_with_their_parent_however_it_dies():
    with running(**TWO) as program:
        both_ready(program)
        with line(program.port, GET) as connection:
            whole(connection)
            program.end(signal.SIGKILL)
            assert rest(connection) == b""
        until_refused(program.port)


def test_a_worker_that_does_not_obey_is_killed_and_the_code_says_so():
    with running(**TWO, drain_seconds=0.1) as program:
        both_ready(program)
        with line(program.port, GET.replace(b"/ping", b"/wedge")):
            program.heard("wedged")
            assert program.end() == 1


def until_refused(port):
    end = time.monotonic() + 5
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=5).close()
        except (ConnectionRefusedError, ConnectionResetError, TimeoutError):
            return
        time.sleep(0.02)
    pytest.fail("the port is still open")
