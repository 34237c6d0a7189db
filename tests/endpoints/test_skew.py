"""
Serving held against training: the same rows, through the training script and through a container.

A version whose container answers its training rows otherwise than its training did has a skew.
"""

import http.client
import importlib
import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, closing
from pathlib import Path
from types import ModuleType

import numpy as np
import onnxruntime
import pytest

from inference.scoring.model import load
from steelyard.spec.feature_code import row_maker
from steelyard.spec.version import check_version
from tests.models import TASKS, write_version
from tests.records import FEATURE_CODE, FEATURES, row_of
from tests.records import records as sample_records

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "endpoints" / "tumour-classifier"
READY = re.compile(r"answers on \S+ port (\d+)")
HONEST, BROKEN = ["v1-0-0", "v1-1-0"], "v1-2-0"

Record = dict[str, float]
Request = tuple[str, bytes]  # media type and body


@pytest.fixture(scope="module")
def train() -> Iterator[ModuleType]:
    """Give the training script, and leave no module of its names behind."""
    before = set(sys.modules)
    sys.path.insert(0, str(FOLDER))
    try:
        yield importlib.import_module("train")
    finally:
        sys.path.remove(str(FOLDER))
        for name in set(sys.modules) - before:
            if getattr(sys.modules[name], "__file__", None) in map(str, FOLDER.glob("*.py")):
                del sys.modules[name]


@pytest.fixture(scope="module")
def records(train) -> list[Record]:
    """Give the training rows as callers would send them: in millimetres, by name."""
    names = train.features.NAMES
    return [dict(zip(names, row, strict=True)) for row in train.read_data().fit.tolist()]


@pytest.fixture(scope="module")
def serve() -> Iterator[Callable[[str], int]]:
    """Start a version's container once; give its port."""
    ports: dict[str, int] = {}
    with ExitStack() as stack:

        def start(version: str) -> int:
            words = ["--model", str(FOLDER / version), "--host", "127.0.0.1", "--port", "0"]
            process = stack.enter_context(
                subprocess.Popen(
                    [sys.executable, "-m", "inference", *words],
                    cwd=ROOT,
                    stdout=subprocess.DEVNULL,
                    stderr=subprocess.PIPE,
                    text=True,
                )
            )
            stack.callback(process.kill)
            ready = READY.search(process.stderr.readline())
            assert ready is not None, process.stderr.read()
            return int(ready[1])

        yield lambda version: ports.get(version) or ports.setdefault(version, start(version))


def recipe(train: ModuleType, version: str):
    """Give what the training script knows of a version."""
    return next(it for it in train.VERSIONS if f"v{it.version.replace('.', '-')}" == version)


def trained_rows(train: ModuleType, version: str) -> np.ndarray:
    """Give the training rows as the version was fitted on them."""
    return recipe(train, version).unit(train.read_data().fit)


def trained_scores(train: ModuleType, version: str, are_alone: bool) -> list[float]:
    """
    Give the scores of training, rows scored one by one or all together.

    onnxruntime adds up a single row in another order than several, which shows in the last digits:
    so serving is compared with training in the same company.
    """
    model, rows = (FOLDER / version / "model.onnx").read_bytes(), trained_rows(train, version)
    if are_alone:
        return train.score(model, rows).tolist()
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    (together,) = session.run(["probabilities"], {"record": rows.astype(np.float32)})
    return [round(score, 6) for score in together[:, 1].tolist()]


def served_scores(port: int, requests: Sequence[Request]) -> list[float]:
    scores = []
    with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=10)) as connection:
        for media_type, body in requests:
            headers = {"Content-Type": media_type, "Accept": "application/json"}
            connection.request("POST", "/invocations", body, headers)
            answer = connection.getresponse()
            content = answer.read()
            assert answer.status == 200, content
            scores += [it["score"] for it in json.loads(content)["predictions"]]
    return scores


def skewed(trained: Sequence[float], served: Sequence[float]) -> int:
    """Count the rows that are not answered as they were in training."""
    assert len(trained) == len(served)
    return sum(one != other for one, other in zip(trained, served, strict=True))


def one_by_one(records: Sequence[Record]) -> list[Request]:
    return [("application/json", json.dumps(record).encode()) for record in records]


def turned(records: Sequence[Record]) -> list[Request]:
    return one_by_one([dict(reversed(record.items())) for record in records])


def instances(records: Sequence[Record]) -> list[Request]:
    return [("application/json", json.dumps({"instances": records}).encode())]


def json_lines(records: Sequence[Record]) -> list[Request]:
    return [("application/jsonlines", "\n".join(map(json.dumps, records)).encode())]


def csv_rows(records: Sequence[Record]) -> list[Request]:
    rows = [",".join(map(str, record.values())) for record in records]
    return [("text/csv", "\n".join(rows).encode())]


def csv_with_header(records: Sequence[Record]) -> list[Request]:
    names = sorted(records[0])
    rows = [",".join(str(record[name]) for name in names) for record in records]
    return [("text/csv", "\n".join([",".join(names), *rows]).encode())]


FORMATS = [one_by_one, turned, instances, json_lines, csv_rows, csv_with_header]


@pytest.mark.parametrize("written", FORMATS)
@pytest.mark.parametrize("version", HONEST)
def test_training_rows_are_answered_as_in_training(train, records, serve, version, written):
    requests = written(records)
    trained = trained_scores(train, version, are_alone=len(requests) > 1)

    assert skewed(trained, served_scores(serve(version), requests)) == 0


@pytest.mark.parametrize("written", FORMATS)
def test_a_unit_mistake_in_training_is_found_as_a_skew(train, records, serve, written):
    requests = written(records)
    trained = trained_scores(train, BROKEN, are_alone=len(requests) > 1)

    # As served, every row is malignant: only those that training was sure of are answered alike.
    assert skewed(trained, served_scores(serve(BROKEN), requests)) > len(records) / 2


@pytest.fixture
def tensors(monkeypatch) -> list[np.ndarray]:
    """Collect what onnxruntime is given, in this process."""
    seen: list[np.ndarray] = []
    run = onnxruntime.InferenceSession.run

    def seeing(session, outputs, feed, *rest):
        seen.extend(feed.values())
        return run(session, outputs, feed, *rest)

    monkeypatch.setattr(onnxruntime.InferenceSession, "run", seeing)
    return seen


@pytest.mark.parametrize("version", [*HONEST, BROKEN])
def test_the_model_is_given_the_bytes_that_it_was_trained_on(train, records, tensors, version):
    model = load(FOLDER / version)
    tensors.clear()

    model.raw(model.rows(records))

    (given,) = tensors
    expected = trained_rows(train, version).astype(np.float32)
    assert (given.dtype, given.shape) == (expected.dtype, expected.shape)
    assert (given.tobytes() == expected.tobytes()) == (version in HONEST)


@pytest.mark.parametrize("code", [None, FEATURE_CODE], ids=["table", "code"])
@pytest.mark.parametrize("task", TASKS)
def test_every_type_of_feature_is_served_measured_and_trained_on_alike(tmp_path, task, code):
    folder = write_version(tmp_path / "v1-0-0", task=task, feature_code=code)
    sent = sample_records(100, seed=3)
    manifest, _ = check_version(tmp_path, "sample", "v1-0-0")
    measured = row_maker(folder, manifest)

    served = load(folder).rows(sent)

    trained = np.array([row_of(FEATURES, code)(record) for record in sent], np.float32)
    assert np.array(served, np.float32).tobytes() == trained.tobytes()
    assert np.array([*map(measured, sent)], np.float32).tobytes() == trained.tobytes()
