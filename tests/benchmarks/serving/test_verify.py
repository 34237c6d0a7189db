"""A server that does less than the others is refused before its time is taken."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import count
from pathlib import Path
from threading import Thread

import psutil
import pytest

from benchmarks.serving.running import Running
from benchmarks.serving.servers import SERVERS, CannotMeasure
from benchmarks.serving.verify import Sample, count_lines, verify, wrong_counters

SAMPLE = Sample(
    [{"age": 4.0, "size": 0.5}, {"age": 1.0, "size": 0.25}], [0.9, 0.2], {"age"}, "1.0.0"
)
SCORES = dict(zip((it["size"] for it in SAMPLE.records), SAMPLE.scores, strict=True))
PAGE = """\
# TYPE steelyard_requests_total counter
steelyard_requests_total{outcome="ok"} 3
steelyard_requests_total{outcome="client_error"} 8
steelyard_score_bin_total{bin="00"} 1
steelyard_score_bin_total{bin="nan"} 2
steelyard_confidence_bin_total{bin="09"} 3
steelyard_feature_bin_total{feature="f00",bin="00"} 2
steelyard_feature_bin_total{feature="f00",bin="low"} 1
steelyard_feature_bin_total{feature="f01",bin="00"} 3
"""


class Peer:
    """A server that does the whole work, but for the one fault that it is given."""

    def __init__(self, lines: Path, fault: str) -> None:
        self.fault = fault
        self._lines = lines
        self._ids = count()

    def answer(self, body: bytes) -> tuple[int, object]:
        """Check, score and log a record, as badly as the fault says."""
        try:
            record = json.loads(body)
        except ValueError:
            return 200 if self.fault == "takes anything" else 400, {}
        if self.fault != "takes anything" and not self._is_good(record):
            return 500 if self.fault == "crashes" else 422, {}
        score = SCORES[record["size"]] + (0.01 if self.fault == "scores otherwise" else 0)
        answer = {"score": score, "label": int(score >= 0.5), "confidence": max(score, 1 - score)}
        self._write(record, answer)
        return 200, {"predictions": [answer]}

    def _is_good(self, record: dict[str, object]) -> bool:
        values = record.values()
        return record.keys() == {"age", "size"} and all(
            type(value) is float and value < 100 for value in values
        )

    def _write(self, record: dict[str, float], answer: dict[str, float]) -> None:
        number = 0 if self.fault == "repeats ids" else next(self._ids)
        inputs = record if self.fault == "tells ages" else {**record, "age": "redacted"}
        line = {
            "event": "prediction",
            "time": "now",
            "request_id": f"a-{number}",
            "latency_ms": 0.1,
        }
        line |= {"endpoint": "benchmark", "variant": "v1-0-0", "model_version": "1.0.0"}
        line |= {"prediction": answer, "inputs": inputs}
        if self.fault == "has no time":
            del line["time"]
        with self._lines.open("a") as file:
            for _ in range({"writes nothing": 0, "writes twice": 2}.get(self.fault, 1)):
                file.write(json.dumps(line) + "\n")


@contextmanager
def serving(lines: Path, fault: str = "") -> Iterator[Running]:
    """Serve a peer on a free port of the loopback interface."""
    peer = Peer(lines, fault)
    lines.touch()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self._send(*peer.answer(self.rfile.read(int(self.headers["content-length"]))))

        def do_GET(self) -> None:
            self._send(404 if peer.fault == "has no ping" else 200, {})

        def _send(self, status: int, content: object) -> None:
            self.send_response(status)
            self.end_headers()
            self.wfile.write(json.dumps(content).encode())

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield Running(SERVERS["fastapi"], server.server_port, psutil.Process(), lines, 0.0)
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def test_a_server_that_does_the_whole_work_is_measured(tmp_path: Path):
    with serving(tmp_path / "lines") as running:
        verify(running, SAMPLE)

    assert count_lines(tmp_path / "lines") == 4


@pytest.mark.parametrize(
    ("fault", "said"),
    [
        ("takes anything", "no JSON is answered with 200"),
        ("crashes", "null is answered with 500"),
        ("scores otherwise", "must be {'score': 0.9,"),
        ("writes nothing", "4 predictions have 0 lines"),
        ("writes twice", "4 predictions have 8 lines"),
        ("repeats ids", "same request_id"),
        ("tells ages", "the inputs of a line are not those sent"),
        ("has no time", "a line has no time"),
        ("has no ping", "GET /ping is answered with 404"),
    ],
)
def test_a_server_with_a_fault_is_refused_by_its_name(fault: str, said: str, tmp_path: Path):
    with serving(tmp_path / "lines", fault) as running, pytest.raises(CannotMeasure) as refused:
        verify(running, SAMPLE)

    assert str(refused.value).startswith("fastapi does not do the same work")
    assert said in str(refused.value)


def test_counters_that_add_up_in_every_family_and_feature_are_taken():
    assert wrong_counters(PAGE, 3) == []


@pytest.mark.parametrize(
    ("was", "becomes", "said"),
    [
        ('bin="low"} 1', 'bin="low"} 0', 'feature_bin_total{feature="f00"} adds up to 2, not 3'),
        ('outcome="ok"} 3', 'outcome="ok"} 4', "adds up to 4, not 3"),
        ("steelyard_confidence", "other", "/metrics has no steelyard_confidence_bin_total"),
    ],
)
def test_a_prediction_that_is_not_counted_is_told(was: str, becomes: str, said: str):
    (problem,) = wrong_counters(PAGE.replace(was, becomes), 3)

    assert said in problem
