"""One worker: when it accepts, and how it leaves without losing a request."""

import signal
import socket
import struct
import time

import pytest

from tests.inference.busy import Client
from tests.inference.lines import GET, line, rest, status, whole
from tests.inference.program import running

SLOW = GET.replace(b"/ping", b"/slow")
QUIET = {"quiet_seconds": 0.2}


def test_nothing_is_accepted_before_the_application_is_loaded():
    with running("is slow") as program:
        program.heard("loading")
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", program.port), timeout=5)
        program.heard("ready")
        with line(program.port, GET) as connection:
            assert status(whole(connection)) == 200


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_while_it_loads_ends_it_well(number):
    with running("is slow") as program:
        program.heard("loading")
        assert program.end(number) == 0


def test_an_idle_worker_ends_soon_and_closes_its_application():
    with running() as program:
        program.heard("ready")
        with line(program.port, GET) as idle:
            whole(idle)
            program.process.send_signal(signal.SIGTERM)
            assert program.process.wait(timeout=5) == 0
            assert rest(idle) == b""
        program.heard("closed")


@pytest.mark.parametrize("workers", [1, 2])
def test_busy_clients_lose_no_request_when_it_ends(workers):
    for _ in range(3):
        with running(workers=workers, **QUIET) as program:
            for _ in range(workers):
                program.heard("ready")
            clients = [Client(program.port, keeps=bool(number % 2)) for number in range(8)]
            for client in clients:
                client.start()
            for client in clients:
                client.is_busy.wait(5)
            code = program.end()
            for client in clients:
                client.join()

        assert code == 0
        assert [client.lost for client in clients] == [None] * 8
        assert all(client.sent == client.answered > 1 for client in clients)


def test_for_a_moment_new_connections_are_still_answered_but_not_as_ready():
    with running(quiet_seconds=0.5) as program:
        program.heard("ready")
        program.process.send_signal(signal.SIGTERM)
        answer = b""
        while status(answer) != 503:
            with line(program.port, GET) as connection:
                answer = whole(connection)
        time.sleep(0.2)
        with line(program.port, GET) as connection:
            assert status(whole(connection)) == 503

        assert b"connection: close" in answer
        assert program.process.wait(timeout=5) == 0


def test_a_request_under_way_is_answered_whatever_signals_follow():
    with running(quiet_seconds=0.05) as program:
        program.heard("ready")
        with line(program.port, SLOW) as connection:
            program.heard("working")
            for number in (signal.SIGTERM, signal.SIGINT, signal.SIGTERM):
                program.process.send_signal(number)
            answer = rest(connection)
        code = program.process.wait(timeout=5)

    assert status(answer) == 503
    assert code == 0


def test_a_request_whose_client_has_gone_is_still_finished():
    with running(quiet_seconds=0.05) as program:
        program.heard("ready")
        with line(program.port, SLOW) as connection:
            program.heard("working")
            reset = struct.pack("ii", 1, 0)
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, reset)
        program.process.send_signal(signal.SIGTERM)
        program.heard("worked")
        program.heard("closed")
        assert program.process.wait(timeout=5) == 0


def test_what_takes_longer_than_the_drain_is_cut_off_and_the_code_says_so():
    with running(quiet_seconds=0.05, drain_seconds=0.1) as program:
        program.heard("ready")
        with line(program.port, SLOW) as connection:
            program.heard("working")
            code = program.end()
            assert rest(connection) == b""

    assert code == 1


def test_half_a_request_does_not_hold_it_beyond_the_drain():
    with running(quiet_seconds=0.05, drain_seconds=0.2) as program:
        program.heard("ready")
        with line(program.port, GET[:10]):
            assert program.end() == 1
