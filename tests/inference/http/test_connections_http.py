"""What of HTTP is answered, and what is refused."""

import json
import time

import pytest

from inference.http.connections import LONGEST_HEAD
from tests.inference.lines import GET, POST, Echo, line, rest, served, status, whole

CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"
WHOLE_CHUNKS = b"2\r\n{}\r\n0\r\n\r\n"
H2C = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
SENT = b"Content-Length: 2\r\n\r\n{}"


@pytest.fixture(scope="module")
def port():
    with served(Echo()) as server:
        yield server.port


WELL_FORMED = {
    "a body with its length": POST + SENT,
    "chunks": CHUNKED + WHOLE_CHUNKS,
    "a trailer": CHUNKED + b"2\r\n{}\r\n0\r\nA: b\r\n\r\n",
    "a long chunk extension": CHUNKED + b"2;" + b"e" * 40_000 + b"\r\n{}\r\n0\r\n\r\n",
    "no body": GET,
    "an absolute address": b"GET http://x/ping HTTP/1.1\r\nHost: x\r\n\r\n",
    "escapes that are no UTF-8": b"GET /%ff%00 HTTP/1.1\r\nHost: x\r\n\r\n",
    "options of everything": b"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n",
    "a wish for a web socket": GET[:-2] + b"Connection: Upgrade\r\nUpgrade: websocket\r\n\r\n",
    "a wish for HTTP/2, with a body": POST + H2C + SENT,
    "a wish for HTTP/2, with chunks": POST
    + H2C
    + b"Transfer-Encoding: chunked\r\n\r\n"
    + WHOLE_CHUNKS,
    "a wish for HTTP/2, with a large body": POST
    + H2C
    + b"Content-Length: 100000\r\n\r\n"
    + b" " * 100_000,
    "a head that is long": GET[:-2] + b"A: " + b"a" * 40_000 + b"\r\n\r\n",
}


@pytest.mark.parametrize("request_", WELL_FORMED.values(), ids=WELL_FORMED)
def test_what_http_allows_is_answered_and_the_connection_goes_on(port, request_):
    with line(port, request_) as connection:
        assert status(whole(connection)) == 200
        connection.sendall(POST + SENT)
        assert whole(connection).endswith(b"{}")


MALFORMED = {
    "length and chunks": POST
    + b"Content-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n"
    + WHOLE_CHUNKS,
    "two lengths": POST + b"Content-Length: 2\r\nContent-Length: 3\r\n\r\n{}",
    "a length that is no number": POST + b"Content-Length: x\r\n\r\n{}",
    "a negative length": POST + b"Content-Length: -1\r\n\r\n{}",
    "a length past all numbers": POST + b"Content-Length: 99999999999999999999999\r\n\r\n{}",
    "a chunk size that is no number": CHUNKED + b"zz\r\n{}\r\n0\r\n\r\n",
    "a chunk size past all numbers": CHUNKED + b"ffffffffffffffffff\r\n{}\r\n0\r\n\r\n",
    "a chunk longer than its size": CHUNKED + b"1\r\n{}\r\n0\r\n\r\n",
    "another transfer encoding": POST + b"Transfer-Encoding: gzip\r\n\r\n{}",
    "HTTP/2 without asking": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "TLS": bytes.fromhex("16030100a5010000a10303"),
    "a proxy's method": b"CONNECT secret:443 HTTP/1.1\r\nHost: x\r\n\r\n",
    "an address that is not ASCII": b"GET /p\xff HTTP/1.1\r\nHost: x\r\n\r\n",
    "an address that is none": b"GET http://[::: HTTP/1.1\r\nHost: x\r\n\r\n",
    "a space in a header's name": b"GET /ping HTTP/1.1\r\nse cret: x\r\n\r\n",
    "a zero byte in a header": b"GET /ping HTTP/1.1\r\nHost: secret\0b\r\n\r\n",
    "a folded header": b"GET /ping HTTP/1.1\r\nHost: x\r\nA: b\r\n c\r\n\r\n",
    "bare line feeds": b"GET /ping HTTP/1.1\nHost: x\n\n",
    "another protocol": b"secret\r\n\r\n",
}


@pytest.mark.parametrize("request_", MALFORMED.values(), ids=MALFORMED)
def test_what_is_no_http_is_refused_without_repeating_it(port, request_):
    with line(port, request_) as connection:
        answer = rest(connection)

    head, body = answer.split(b"\r\n\r\n")
    assert status(answer) == 400
    assert b"connection: close" in head
    assert set(json.loads(body)["errors"][0]) == {"field", "problem"}
    assert b"secret" not in answer


TOO_LONG = {
    "a header": [GET[:-2] + b"A: " + b"a" * 100_000],
    "an address": [b"GET /" + b"a" * 100_000],
    "many headers": [b"GET /ping HTTP/1.1\r\n", *[b"A: b\r\n" * 1000] * 20],
    "trailers": [CHUNKED + b"2\r\n{}\r\n0\r\n", *[b"A: b\r\n" * 1000] * 20],
    "one trailer": [CHUNKED + b"2\r\n{}\r\n0\r\nA: ", *[b"b" * 10_000] * 10],
    "empty lines": [b"\r\n" * 50_000],
}


@pytest.mark.parametrize("parts", TOO_LONG.values(), ids=TOO_LONG)
def test_an_endless_head_is_refused(port, parts):
    with line(port) as connection:
        for part in parts:
            connection.sendall(part)
            time.sleep(0.002)  # as several reads
        answer = rest(connection)

    assert status(answer) == 431
    assert str(LONGEST_HEAD).encode() in answer


def test_a_long_body_is_no_long_head(port):
    body = b"x" * (4 * LONGEST_HEAD)

    with line(port, POST + b"Content-Length: %d\r\n\r\n" % len(body) + body) as connection:
        assert whole(connection).endswith(body)


def test_heads_that_come_in_parts_do_not_add_up(port):
    head = GET[:-2] + b"A: " + b"a" * (LONGEST_HEAD // 4)

    with line(port) as connection:
        for _ in range(6):
            connection.sendall(head)
            time.sleep(0.01)
            connection.sendall(b"\r\n\r\n")
            assert status(whole(connection)) == 200


def test_head_only_and_old_versions_are_answered(port):
    with line(port, GET.replace(b"GET", b"HEAD")) as connection:
        assert connection.recv(1000).startswith(b"HTTP/1.1 200")
    with line(port, b"GET /ping HTTP/1.0\r\n\r\n") as connection:
        assert status(rest(connection)) == 200


def test_a_client_that_waits_for_a_go_ahead_gets_it(port):
    with line(port, POST + b"Expect: 100-continue\r\nContent-Length: 2\r\n\r\n") as connection:
        assert connection.recv(1000) == b"HTTP/1.1 100 Continue\r\n\r\n"
        connection.sendall(b"{}")
        assert whole(connection).endswith(b"{}")
