"""The command: how it refuses to start, how it serves in several processes, and how it ends."""

import http.client
import json
import signal
import socket
import subprocess
import sys
import time
from contextlib import closing, contextmanager
from pathlib import Path

import pytest

from tests.inference.busy import Client
from tests.inference.lines import POST, line, status, whole

ROOT = Path(__file__).resolve().parents[2]
COMMAND = [sys.executable, "-m", "inference", "--host", "127.0.0.1"]


def ended(*words, **environment):
    return subprocess.run(
        [*COMMAND, *words], cwd=ROOT, capture_output=True, text=True, timeout=20, env=environment
    )


@contextmanager
def serving(model, workers):
    """Serve a model; give process and port."""
    words = [*COMMAND, "serve", "--model", str(model), "--port", "0", "--workers", str(workers)]
    with subprocess.Popen(
        words, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
    ) as process:
        try:
            ready = process.stderr.readline()
            assert "answers on 127.0.0.1 port" in ready
            yield process, int(ready.split()[-1])
        finally:
            process.kill()


@pytest.fixture(scope="module")
def body(records):
    return json.dumps(records[0]).encode()


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_model_that_cannot_be_served_ends_the_process_with_every_reason(tmp_path, workers):
    said = ended("--model", str(tmp_path), "--port", "0", "--workers", workers)

    assert said.returncode == 2
    assert said.stderr.count("manifest.json cannot be read") == 1
    assert said.stderr.count("schema.json cannot be read") == 1
    assert "Traceback" not in said.stderr


def test_a_port_in_use_is_named_with_its_cure(classifier):
    with closing(socket.create_server(("127.0.0.1", 0))) as taken:
        port = str(taken.getsockname()[1])
        said = ended("serve", "--model", str(classifier / "v1-0-0"), "--port", port)

    assert said.returncode == 2
    assert f"port {port}" in said.stderr
    assert "--port" in said.stderr
    assert len(said.stderr.splitlines()) == 1


def test_all_settings_that_cannot_be_used_are_told_at_once():
    said = ended("--port", "x", "--workers", "none", STEELYARD_SLO_SECONDS="soon")

    assert said.returncode == 2
    assert len(said.stderr.splitlines()) == 3
    assert said.stdout == ""


def test_the_openapi_document_is_printed_without_serving(classifier):
    said = ended("openapi", "--model", str(classifier / "v1-0-0"))

    assert said.returncode == 0
    assert "/invocations" in json.loads(said.stdout)["paths"]


def test_the_openapi_document_of_no_model_is_refused(tmp_path):
    said = ended("openapi", "--model", str(tmp_path))

    assert said.returncode == 2
    assert "manifest.json cannot be read" in said.stderr


def test_several_workers_count_as_one(classifier, body):
    with serving(classifier / "v1-0-0", 2) as (process, port):
        answers = [ask(port, "POST", "/invocations", body) for _ in range(20)]
        assert [status for status, _ in answers] == [200] * 20
        wanted = 'steelyard_requests_total{outcome="ok"} 20'
        end = time.monotonic() + 10
        while wanted not in metrics(port) and time.monotonic() < end:
            time.sleep(0.05)

        assert wanted in metrics(port)
        process.terminate()
        assert process.wait(timeout=10) == 0


@pytest.mark.parametrize("workers", [1, 2])
def test_busy_clients_lose_no_prediction_when_it_ends(classifier, body, workers):
    with serving(classifier / "v1-0-0", workers) as (process, port):
        clients = [Client(port, keeps=bool(number % 2), body=body) for number in range(8)]
        for client in clients:
            client.start()
        for client in clients:
            client.is_busy.wait(10)
        process.send_signal(signal.SIGTERM)
        code = process.wait(timeout=10)
        for client in clients:
            client.join()

    assert code == 0
    assert [client.lost for client in clients] == [None] * 8
    assert all(client.sent == client.answered for client in clients)


def test_one_worker_is_the_process_itself(classifier):
    with serving(classifier / "v1-0-0", 1) as (process, _):
        children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text()

    assert children == ""


def test_a_request_half_sent_is_answered_after_sigterm(classifier, body):
    head = POST + b"Content-Type: application/json\r\nContent-Length: %d\r\n\r\n" % len(body)
    with serving(classifier / "v1-0-0", 1) as (process, port):
        with line(port, head + body[:100]) as connection:
            ask(port, "GET", "/ping")  # the loop has read the half request
            process.send_signal(signal.SIGTERM)
            while ask(port, "GET", "/ready")[0] == 200:
                pass
            connection.sendall(body[100:])
            answer = whole(connection)
        assert process.wait(timeout=10) == 0

    assert status(answer) == 200
    assert b"connection: close" in answer
    assert b'"predictions"' in answer


def test_a_request_that_is_no_http_is_refused_counted_and_recorded(serve):
    container = serve()
    with line(container.port, b"GET /ping NONSENSE\r\n\r\n") as connection:
        answer = whole(connection)

    assert status(answer) == 400
    assert container.counters()['steelyard_rejections_total{reason="syntax"}'] == 1
    assert json.loads(container.said().splitlines()[-1])["status"] == 400


def metrics(port):
    return ask(port, "GET", "/metrics")[1]


def ask(port, method, path, body=None):
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        connection.request(method, path, body, {"Content-Type": "application/json"})
        answer = connection.getresponse()
        return answer.status, answer.read().decode()
