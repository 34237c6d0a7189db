"""
Check that a server does the whole work, before its time is taken: answers, refusals, and lines.

A ratio between servers of which one does less would say nothing.
"""

import json
import mmap
import random
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.serving.model import Record
from benchmarks.serving.running import Running
from benchmarks.serving.servers import ORIGIN, OURS, CannotMeasure

LINE = re.compile(rb'"event": ?"prediction"')
BIN = re.compile(r',?bin="\w+"')
COUNTED = (
    'steelyard_requests_total{outcome="ok"',
    "steelyard_score_bin_total",
    "steelyard_confidence_bin_total",
    "steelyard_feature_bin_total",
)
"""Families whose bins together, in the last those of each feature, must count every prediction."""
FIELDS = ("time", "request_id", "latency_ms", "model_version", "endpoint", "variant")


@dataclass(frozen=True)
class Sample:
    """Records, their scores by onnxruntime called directly, and which features are redacted."""

    records: Sequence[Record]
    scores: Sequence[float]
    redacted: frozenset[str]
    version: str

    @property
    def bodies(self) -> list[bytes]:
        """The records as they are sent."""
        return [json.dumps(record).encode() for record in self.records]


def verify(running: Running, sample: Sample) -> None:
    """Raises CannotMeasure with everything that a server does otherwise, or not at all."""
    before = count_lines(running.lines)
    problems = [*_wrong_answers(running, sample), *_accepted(running, sample.records[0])]
    if (status := running.get("/ping")[0]) != 200:
        problems.append(f"GET /ping is answered with {status}, must be 200")
    problems += _wrong_lines(running.lines, sample, before)
    refuse(running, problems)
    verify_counters(running)


def verify_counters(running: Running) -> None:
    """Raises CannotMeasure unless ours, which alone has counters, counted each prediction."""
    if running.server.name == OURS:
        page = running.get("/metrics")[1].decode()
        refuse(running, wrong_counters(page, count_lines(running.lines)))


def wrong_counters(page: str, predictions: int) -> list[str]:
    """Say which families of a page of counters are missing, or do not add up."""
    sums: Counter[str] = Counter()
    for line in page.splitlines():
        series, _, count = line.rpartition(" ")
        if series.startswith(COUNTED):
            sums[BIN.sub("", series)] += int(count)
    missing = [it for it in COUNTED if not any(name.startswith(it) for name in sums)]
    wrong = {name: count for name, count in sums.items() if count != predictions}
    return [
        *(f"/metrics has no {it}" for it in missing),
        *(f"{name} adds up to {count}, not {predictions}" for name, count in wrong.items()),
    ]


def refuse(running: Running, problems: Sequence[str]) -> None:
    """Raises CannotMeasure if there are any problems, and lists the first of them."""
    if problems:
        listed = "\n".join(f"- {problem}" for problem in problems[:20])
        raise CannotMeasure(f"{running.server.name} does not do the same work:\n{listed}")


def count_lines(path: Path) -> int:
    """Count the lines about predictions."""
    with path.open("rb") as file:
        if path.stat().st_size == 0:
            return 0
        with mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ) as content:
            return sum(1 for _ in LINE.finditer(content))


def _wrong_answers(running: Running, sample: Sample) -> Iterator[str]:
    """Send every record as it is, and again with its fields in another order."""
    order = random.Random(0)
    for record, score in zip(sample.records, sample.scores, strict=True):
        shuffled = dict(order.sample(list(record.items()), len(record)))
        for sent in (record, shuffled):
            status, body = running.post(json.dumps(sent).encode())
            if status != 200:
                yield f"a good record is answered with {status}: {body[:200]!r}"
            elif (given := json.loads(body)["predictions"][0]) != _prediction(score):
                yield f"a record is answered with {given}, must be {_prediction(score)}"


def _prediction(score: float) -> dict[str, float]:
    return {
        "score": score,
        "label": int(score >= 0.5),
        "confidence": round(max(score, 1 - score), 6),
    }


def _accepted(running: Running, record: Record) -> Iterator[str]:
    name = next(iter(record))
    bad = {
        "null": {**record, name: None},
        "a number out of range": {**record, name: 1e9},
        "text": {**record, name: "many"},
        "a number as text": {**record, name: "1.5"},
        "true": {**record, name: True},
        "an unknown field": {**record, "unknown": 1.0},
        "a missing field": {key: value for key, value in record.items() if key != name},
    }
    bodies = {what: json.dumps(sent).encode() for what, sent in bad.items()}
    for what, body in {**bodies, "no JSON": b'{"' + name.encode() + b'": 1.0'}.items():
        if not 400 <= (status := running.post(body)[0]) < 500:
            yield f"{what} is answered with {status}, must be 4xx"


def _wrong_lines(path: Path, sample: Sample, before: int) -> Iterator[str]:
    found = [json.loads(line) for line in path.read_bytes().splitlines() if LINE.search(line)]
    lines, expected = found[before:], 2 * len(sample.records)
    if len(lines) != expected:
        yield f"{expected} predictions have {len(lines)} lines"
    if len({line.get("request_id") for line in found}) < len(found):
        yield "two lines have the same request_id"
    records = [record for record in sample.records for _ in range(2)]
    for line, record in zip(lines, records, strict=False):
        yield from _wrong_line(line, record, sample)


def _wrong_line(line: dict[str, Any], record: Record, sample: Sample) -> Iterator[str]:
    yield from (f"a line has no {name}" for name in FIELDS if line.get(name) is None)
    where = (line.get("endpoint"), line.get("variant"), line.get("model_version"))
    if where != (*ORIGIN.values(), sample.version):
        yield f"a line comes from {where}"
    if not {"score", "label", "confidence"} <= line.get("prediction", {}).keys():
        yield "a line lacks the prediction"
    inputs = {name: "redacted" if name in sample.redacted else record[name] for name in record}
    if line.get("inputs") != inputs:
        yield "the inputs of a line are not those sent, with the personal ones redacted"
