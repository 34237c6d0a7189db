"""A connection that ends, from either side, and the answer that still arrives."""

import socket
import threading
import time

from tests.inference.lines import GET, POST, Echo, line, rest, served, status, until

SENT = b"Content-Length: 2\r\n\r\n{}"


def test_a_client_that_has_said_all_still_gets_its_answer():
    app = Echo(gate=threading.Event())
    with served(app) as server, line(server.port, POST + SENT) as connection:
        connection.shutdown(socket.SHUT_WR)
        until(lambda: app.heads)
        time.sleep(0.02)
        app.gate.set()
        assert status(rest(connection)) == 200


def test_a_client_that_ends_in_the_middle_is_gone():
    app = Echo()
    with served(app) as server:
        with line(server.port, POST + b"Content-Length: 20\r\n\r\n{}") as connection:
            connection.shutdown(socket.SHUT_WR)
            assert rest(connection) == b""
        until(lambda: app.gone == 1)


def test_nothing_is_written_after_a_refusal(caplog):
    app = Echo(gate=threading.Event())
    with served(app) as server, line(server.port, GET * 2 + b"garbage\r\n") as connection:
        until(lambda: app.heads)
        app.gate.set()
        assert status(rest(connection)) == 400
        until(lambda: app.answered)

    assert caplog.records == []


def test_an_early_answer_arrives_though_the_body_is_still_being_sent():
    body = b"x" * 8_000_000
    with served(Echo(answer=b"enough", is_early=True)) as server:
        head = POST + b"Content-Length: %d\r\n\r\n" % len(body)
        with line(server.port, head, body) as connection:
            assert rest(connection).endswith(b"enough")


def test_a_client_that_does_not_leave_is_left(monkeypatch):
    monkeypatch.setattr("inference.http.connections.LEAVING_SECONDS", 0.1)
    with served(Echo(answer=b"bye", is_early=True)) as server, line(server.port, GET) as connection:
        assert rest(connection).endswith(b"bye")
        until(lambda: not len(server.connections))
