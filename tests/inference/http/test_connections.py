"""What a client can take of a worker: time, bytes and connections."""

import socket
import threading
import time

import pytest

from inference.http.connections import MOST_PIPELINED, PIECE
from tests.inference.lines import GET, POST, Echo, line, rest, served, status, until, whole

CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
SENT = b"Content-Length: 2\r\n\r\n{}"


@pytest.fixture(scope="module")
def port():
    with served(Echo()) as server:
        yield server.port


def test_pipelined_requests_are_answered_in_order(port):
    bodies = [b"%02d" % number for number in range(20)]

    with line(port, *(POST + b"Content-Length: 2\r\n\r\n" + body for body in bodies)) as connection:
        assert [whole(connection)[-2:] for _ in bodies] == bodies


def test_pipelined_requests_whose_bodies_nobody_reads_are_answered_too():
    with served(Echo(is_blind=True)) as server, line(server.port, GET * 3) as connection:
        for _ in range(3):
            whole(connection)
        connection.sendall(GET)
        assert status(whole(connection)) == 200


def test_nothing_is_asked_of_the_application_after_a_refusal():
    app = Echo()
    tunnel = b"CONNECT x:443 HTTP/1.1\r\nHost: "
    tunnel += b"x" * (PIECE - len(tunnel) - 4) + b"\r\n\r\n"
    with served(app) as server, line(server.port, tunnel + GET) as connection:
        assert status(rest(connection)) == 400

    assert app.heads == []


def test_too_many_pipelined_requests_are_refused():
    app = Echo(gate=threading.Event())
    with served(app) as server, line(server.port, GET * (MOST_PIPELINED + 10)) as connection:
        until(lambda: app.heads)
        # Reading goes on with the first answer: only then is there more to refuse.
        connection.sendall(GET * 1000)
        app.gate.set()
        answers = rest(connection)

    assert b" 400 " in answers


def test_answers_have_a_date_and_do_not_name_the_server(port):
    with line(port, GET) as connection:
        head = whole(connection).lower()

    assert b"\r\ndate: " in head
    assert b"server:" not in head


def test_a_silent_connection_ends():
    with served(Echo(), head_seconds=0.1) as server, line(server.port) as connection:
        assert rest(connection) == b""


SLOW = {
    "head": b"GET /ping HTTP/1.1\r\nHo",
    "body": POST + b"Content-Length: 20\r\n\r\n{}",
    "body in chunks": CHUNKED + b"2\r\n{}\r\n",
}


@pytest.mark.parametrize("part", SLOW.values(), ids=SLOW)
def test_half_a_request_is_refused_after_its_time(part):
    with (
        served(Echo(), head_seconds=0.1, body_seconds=0.1) as server,
        line(server.port, part) as connection,
    ):
        answer = rest(connection)

    assert status(answer) == 408
    assert b"within 0.1 s" in answer


@pytest.mark.parametrize("part", SLOW.values(), ids=SLOW)
def test_a_request_that_drips_gains_no_time(part):
    with (
        served(Echo(), head_seconds=0.2, body_seconds=0.2) as server,
        line(server.port, part) as connection,
    ):
        connection.settimeout(0.02)
        started = time.monotonic()
        while time.monotonic() - started < 5:
            connection.sendall(b"1")
            try:
                if answer := connection.recv(1000):
                    break
            except TimeoutError:
                pass

    assert status(answer) in (400, 408)
    if b"body" not in part:
        assert time.monotonic() - started < 2


def test_the_application_learns_that_a_slow_request_is_gone():
    app = Echo()
    with (
        served(app, body_seconds=0.1) as server,
        line(server.port, POST + b"Content-Length: 20\r\n\r\n{}") as connection,
    ):
        until(lambda: app.gone == 1)
        assert status(rest(connection)) == 408


def test_a_slow_application_and_an_idle_client_are_left_alone():
    app = Echo(gate=threading.Event())
    with (
        served(app, head_seconds=0.1, body_seconds=0.1) as server,
        line(server.port, POST + SENT) as connection,
    ):
        time.sleep(0.2)
        app.gate.set()
        assert status(whole(connection)) == 200
        time.sleep(0.2)
        connection.sendall(GET)
        assert status(whole(connection)) == 200


def test_a_client_is_not_blamed_for_what_the_application_does_not_read():
    app = Echo(answer=b"done", gate=threading.Event(), is_late=True)
    body = b"x" * 200_000
    with (
        served(app, body_seconds=0.1) as server,
        line(server.port, POST + b"Content-Length: 200001\r\n\r\n" + body) as connection,
    ):
        time.sleep(0.2)
        connection.sendall(b"x")
        app.gate.set()
        assert status(whole(connection)) == 200


def test_a_client_that_never_reads_is_cut_off_and_holds_little():
    app = Echo(answer=b"x" * 1_000_000)
    with served(app, body_seconds=0.2) as server, line(server.port) as connection:
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        for _ in range(20):
            connection.sendall(GET)
        until(lambda: app.heads)
        until(lambda: not len(server.connections))

    assert app.answered < 12  # what the system's own buffers hold


def test_the_largest_holder_goes_when_all_answers_together_are_too_many():
    app = Echo(answer=b"x" * 20_000_000)
    with (
        served(app, most_buffered_bytes=20_000_000) as server,
        line(server.port, GET) as first,
        line(server.port, GET) as second,
    ):
        until(lambda: len(server.connections) == 1)
        assert sorted([is_answered(first), is_answered(second)]) == [False, True]


def test_one_connection_too_many_is_told_to_come_again():
    with served(Echo(), most_connections=2) as server:
        with line(server.port, GET) as first, line(server.port, GET):
            whole(first)
            with line(server.port, GET) as third:
                refused = rest(third)
            first.sendall(GET)
            assert status(whole(first)) == 200
        until(lambda: not len(server.connections))
        with line(server.port, GET) as later:
            assert status(whole(later)) == 200

    assert status(refused) == 503
    assert b"retry-after: 1\r\n" in refused


def test_a_flood_of_connections_is_cut_off():
    with served(Echo(), most_connections=1) as server, line(server.port), line(server.port) as told:
        until(lambda: len(server.connections) == 2)
        with line(server.port) as third:
            assert rest(third) == b""
        assert status(rest(told)) == 503


def test_while_finishing_each_answer_is_the_last_and_requests_on_their_way_are_answered():
    with served(Echo(), quiet_seconds=0.15) as server, line(server.port, GET) as idle:
        assert b"connection: close" not in whole(idle)
        with line(server.port) as silent:
            time.sleep(0.2)
            server.call(server.connections.finish)
            time.sleep(0.05)
            idle.sendall(GET)
            answer = rest(idle)
            assert rest(silent) == b""

    assert status(answer) == 200
    assert b"connection: close" in answer


def test_while_finishing_a_request_under_way_is_answered():
    app = Echo(gate=threading.Event())
    with served(app, quiet_seconds=0.05) as server, line(server.port, POST + SENT) as connection:
        until(lambda: app.heads)
        server.call(server.connections.finish)
        time.sleep(0.15)
        assert not server.call(lambda: server.connections.are_done)
        app.gate.set()
        assert rest(connection).endswith(b"{}")
        until(lambda: server.call(lambda: server.connections.are_done))


def is_answered(connection):
    try:
        return len(whole(connection)) > 20_000_000
    except (AssertionError, ConnectionError):
        return False
