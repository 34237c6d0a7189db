"""The process: how it refuses to start, and how it ends."""

import json
import signal
import socket
import subprocess
import sys
from contextlib import closing


def refused(*words, cwd):
    return subprocess.run(
        [sys.executable, "-m", "inference", "--host", "127.0.0.1", *words],
        cwd=cwd,
        capture_output=True,
        text=True,
        timeout=20,
    )


def test_a_model_that_cannot_be_served_ends_the_process_with_every_reason(classifier, tmp_path):
    ended = refused("--model", str(tmp_path), "--port", "0", cwd=classifier.parents[1])

    assert ended.returncode == 2
    assert "manifest.json cannot be read" in ended.stderr
    assert "schema.json cannot be read" in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_port_in_use_is_named_with_its_cure(classifier):
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = str(taken.getsockname()[1])
        model = str(classifier / "v1-0-0")
        ended = refused("serve", "--model", model, "--port", port, cwd=classifier.parents[1])

    assert ended.returncode == 2
    assert f"port {port}" in ended.stderr
    assert "--port" in ended.stderr
    assert len(ended.stderr.splitlines()) == 1


def test_a_request_in_progress_is_answered_after_sigterm_and_the_process_ends_well(serve, records):
    container = serve()
    body = json.dumps(records[0]).encode()
    head = (
        "POST /invocations HTTP/1.1\r\nHost: x\r\n"
        f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
    )

    with closing(socket.create_connection(("127.0.0.1", container.port), timeout=10)) as line:
        line.sendall(head.encode() + body[:100])
        assert container.ask("GET", "/ping")[0] == 200  # the loop has read the half request
        container.process.send_signal(signal.SIGTERM)
        wait_until_refusing(container.port)
        line.sendall(body[100:])
        with line.makefile("rb") as answer:
            received = answer.read()

    assert received.startswith(b"HTTP/1.1 200 OK")
    assert b'"predictions"' in received
    assert container.process.wait(timeout=10) == 0


def wait_until_refusing(port: int) -> None:
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), timeout=10).close()
        except ConnectionError:  # refused, or reset when it met the listener just closing
            return
