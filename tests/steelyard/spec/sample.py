"""The example endpoint's folder, copied to be spoiled, and another one, quite unlike it."""

import csv
import hashlib
import json
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
import pytest
import yaml
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.datasets import load_iris
from sklearn.linear_model import LogisticRegression

from steelyard.spec import SpecError, load
from tests.models import answers, histogram_of, schema_of, write_version
from tests.records import FEATURES, cell, feature, records, row_of

EXAMPLE = Path(__file__).resolve().parents[3] / "endpoints" / "tumour-classifier"
# Where the example's environments begin: its list of rehearsals, which grows, stands before them.
STAGING = (EXAMPLE / "endpoint.yaml").read_text("utf-8").splitlines().index(
    '  staging: {account: "111122223333", region: eu-central-1}'
) + 1
IRIS_FEATURES = ("sepal_length", "sepal_width", "petal_length", "petal_width")
ROWS = records(60, seed=7)
IRIS_TABLE = [feature(name, "float", range=[0.0, 12.0]) for name in IRIS_FEATURES]
IRIS_EDGES = {
    "score": [0.0, 0.02, 0.05, 0.1, 0.2, 0.5, 0.8, 0.9, 0.95, 0.98, 1.0],
    "confidence": [0.5, 0.6, 0.7, 0.75, 0.8, 0.85, 0.9, 0.93, 0.96, 0.98, 1.0],
}
IRIS_FILE = {
    "endpoint": "iris-virginica",
    "description": "says how likely it is that an iris is a virginica",
    "variants": [
        {
            "version": "v1-0-0",
            "role": "champion",
            "instance_type": "ml.m5.xlarge",
            "instance_count": 1,
        },
        {
            "version": "v2-0-0",
            "role": "challenger",
            "instance_type": "ml.m5.xlarge",
            "instance_count": 1,
        },
    ],
    "rollout": {
        "steps": [{"weight": 10, "bake": "5 minutes"}, {"weight": 40, "bake": "8 minutes"}],
        "soak": "10 minutes",
        "longest": "20 minutes",
        "minimum_requests": 30,
        "tolerance": {"predictions": "25%"},
    },
    "held_out": {"file": "flowers.csv", "label": "is_virginica", "metric": "log_loss"},
    "traffic": {"requests_per_minute": 300},
    "environments": {"live": {"account": "012345678901", "region": "us-east-1"}},
}


def copy_example(to: Path) -> Path:
    """Copy the example endpoint's folder."""
    return Path(shutil.copytree(EXAMPLE, to / "tumour-classifier"))


def edit(path: Path, *changes: tuple[str, str]) -> None:
    """Replace the first of each text in a file; the text must be there."""
    text = path.read_text("utf-8")
    for old, new in changes:
        assert old in text, old
        text = text.replace(old, new, 1)
    path.write_text(text, "utf-8")


def edit_json(path: Path, change) -> None:
    """Change the object that a JSON file holds."""
    content = json.loads(path.read_text("utf-8"))
    change(content)
    path.write_text(json.dumps(content), "utf-8")


def problems_of(folder: Path) -> list[str]:
    """Return the problems for which a folder is refused."""
    with pytest.raises(SpecError) as caught:
        load(folder)
    return list(caught.value.problems)


def write_iris(folder: Path) -> Path:
    """Train, export and write the whole folder of the other endpoint."""
    flowers = load_iris()
    labels = (flowers.target == 2).astype(int)
    held_out = np.arange(len(labels)) % 3 == 0
    folder.mkdir()
    (folder / "endpoint.yaml").write_text(yaml.safe_dump(IRIS_FILE, sort_keys=False))
    with (folder / "flowers.csv").open("w", newline="") as file:
        rows = csv.writer(file)
        rows.writerow(["is_virginica", *IRIS_FEATURES])
        for label, values in zip(labels[held_out], flowers.data[held_out].tolist(), strict=True):
            rows.writerow([label, *values])
    for version, penalty in (("v1-0-0", 0.02), ("v2-0-0", 1.0)):
        model = LogisticRegression(C=penalty, max_iter=1000)
        model.fit(flowers.data[~held_out], labels[~held_out])
        _write_version(folder / version, model, flowers.data[~held_out], flowers.data[held_out])
    return folder


def write_task(folder: Path, task: str, metric: str, **given: Any) -> Path:
    """
    Write the folder of an endpoint of any task; `given` goes to both versions.

    The champion is right about every held-out row, or two units off if it gives values.
    """
    folder.mkdir()
    held_out = {"file": "rows.csv", "label": "truth", "metric": metric}
    content = IRIS_FILE | {"endpoint": "sample", "held_out": held_out}
    (folder / "endpoint.yaml").write_text(yaml.safe_dump(content))
    for version, seed in (("v1-0-0", 1), ("v2-0-0", 2)):
        home = write_version(
            folder / version, task=task, version=version[1:].replace("-", "."), seed=seed, **given
        )
        edit_json(home / "manifest.json", lambda it: it.update(scores=_same_edges(it["scores"])))
    manifest = json.loads((folder / "v1-0-0" / "manifest.json").read_text())
    truths = _truths(folder / "v1-0-0", manifest, given.get("feature_code"))
    lines = [
        [*map(cell, record.values()), truth] for record, truth in zip(ROWS, truths, strict=True)
    ]
    with (folder / "rows.csv").open("w", newline="") as file:
        csv.writer(file).writerows([[*ROWS[0], "truth"], *lines])
    return folder


def _same_edges(scores: dict[str, Any]) -> dict[str, Any]:
    """Give the bins of a regression one width for both versions."""
    if scores["confidence"] is None:
        scores["score"]["edges"] = np.linspace(-10, 10, 11).tolist()
    return scores


def _truths(home: Path, manifest: dict[str, Any], code: str | None) -> list[object]:
    row = row_of(FEATURES, code)
    model = (home / "model.onnx").read_bytes()
    found = answers(model, np.array([row(record) for record in ROWS]))
    if manifest["task"] == "regression":
        return [value + 2 for value in found[:, 0].tolist()]
    labels = manifest.get("labels", [0, 1])
    return [labels[place] for place in found.argmax(axis=1)]


def _write_version(
    home: Path, model: LogisticRegression, fitted: np.ndarray, rows: np.ndarray
) -> None:
    exported = to_onnx(
        model,
        initial_types=[("flower", FloatTensorType([None, len(IRIS_FEATURES)]))],
        options={"zipmap": False},
        target_opset=17,
    )
    content = exported.SerializeToString(deterministic=True)
    home.mkdir()
    (home / "iris.onnx").write_bytes(content)
    session = onnxruntime.InferenceSession(content, providers=["CPUExecutionProvider"])
    (answers,) = session.run(["probabilities"], {"flower": rows.astype(np.float32)})
    (home / "schema.json").write_text(json.dumps(schema_of(IRIS_TABLE)))
    records = [dict(zip(IRIS_FEATURES, values, strict=True)) for values in fitted.tolist()]
    described = [{**it, "histogram": histogram_of(it, records)} for it in IRIS_TABLE]
    (home / "manifest.json").write_text(
        json.dumps(_manifest(home.name, content, answers[:, 1]) | {"features": described})
    )


def _manifest(version: str, content: bytes, scores: np.ndarray) -> dict[str, object]:
    values = {"score": scores, "confidence": np.maximum(scores, 1 - scores)}
    return {
        "schema": 1,
        "name": "iris-virginica",
        "version": version[1:].replace("-", "."),
        "task": "binary",
        "model": {
            "file": "iris.onnx",
            "sha256": hashlib.sha256(content).hexdigest(),
            "input": "flower",
            "output": "probabilities",
        },
        "image": "steelyard-inference:0.1.0",
        "data": {"uri": "python:sklearn.datasets.load_iris"},
        "code_sha": "",
        "seed": 0,
        "environment_digest": "",
        "trained_at": "2026-01-01T00:00:00Z",
        "metrics": {},
        "segments": {},
        "scores": {
            name: {
                "edges": IRIS_EDGES[name],
                "counts": np.histogram(found, IRIS_EDGES[name])[0].tolist(),
            }
            for name, found in values.items()
        },
        "latency": {"edges_seconds": [0.001 * 2**power for power in range(11)]},
        "owner": "botany@example.com",
        "licence": "Apache-2.0",
        "intended_use": "an endpoint for tests",
        "limitations": "150 flowers",
    }
