"""The port: refused before the model is loaded, and given up without losing a connection."""

import socket
import time
from contextlib import closing

import pytest

from inference.http.listener import Listener
from inference.settings import CannotStart
from tests.inference.lines import GET, Echo, line, rest, served, status, whole


def test_connections_are_refused_until_it_is_opened():
    listener = Listener("127.0.0.1", 0)

    with closing(listener), pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", listener.port), timeout=5)


def test_a_port_that_is_taken_is_said_in_words():
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(CannotStart) as refusal:
            Listener("127.0.0.1", port)

    assert f"127.0.0.1 port {port}: Address already in use" in refusal.value.problems[0]


def test_a_host_that_is_none_is_said_in_words():
    with pytest.raises(CannotStart, match=r"cannot listen on 300\.0\.0\.1 port 0"):
        Listener("300.0.0.1", 0)


def test_it_listens_on_version_6_of_the_protocol_too():
    with closing(Listener("::1", 0)) as listener:
        assert listener.port > 0


def test_all_that_wait_when_it_finishes_are_served_and_nobody_else_is(monkeypatch):
    monkeypatch.setattr("inference.http.listener.SETTLE_SECONDS", 0)
    with served(Echo()) as server:
        waiting = []

        def crowd():  # on the loop, which accepts nothing meanwhile
            for _ in range(30):
                connection = socket.create_connection(("127.0.0.1", server.port), timeout=5)
                connection.sendall(GET)
                waiting.append(connection)

        taken = server.finish(crowd)
        answers = [status(whole(connection)) for connection in waiting]
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("127.0.0.1", server.port), timeout=5)
        for connection in waiting:
            connection.close()

    assert taken == 30
    assert answers == [200] * 30


def test_while_it_finishes_no_new_connection_is_begun():
    with served(Echo()) as server:
        server.call(server.listener.drop_new_ones)
        with pytest.raises(TimeoutError):
            socket.create_connection(("127.0.0.1", server.port), timeout=0.1)


def test_a_worker_that_opens_it_anew_takes_connections_again():
    with served(Echo()) as server:
        server.call(server.listener.drop_new_ones)
        server.call(lambda: server.listener.open(server.connections))
        with line(server.port, GET) as connection:
            assert status(whole(connection)) == 200


def test_without_a_file_descriptor_it_waits_for_one(monkeypatch, caplog):
    real = socket.socket.accept
    end = time.monotonic() + 0.05

    def accept(self):
        if time.monotonic() < end:
            raise OSError(24, "Too many open files")
        return real(self)

    monkeypatch.setattr(socket.socket, "accept", accept)
    with (
        served(Echo()) as server,
        line(server.port, GET[:-2] + b"Connection: close\r\n\r\n") as one,
    ):
        assert status(rest(one)) == 200

    assert caplog.records == []
