"""
Make the version folder that every server of the comparison serves, and the records sent to it.

A gradient boosting classifier of 100 trees with 31 leaves each on the 30 features of the Wisconsin
diagnostic data that scikit-learn ships. It is made to cost what such a model costs: nothing here
says how good it is. The same bytes each time.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.datasets import load_breast_cancer
from sklearn.ensemble import GradientBoostingClassifier
from sklearn.model_selection import train_test_split

Record = dict[str, float]
Rows = NDArray[np.float64]

VERSION = "1.0.0"
TREES = 100
LEAVES = 31
REDACTED = 5
"""Features marked as personal data, the first of the table: their values may not be logged."""
LATENCY_EDGES_SECONDS = [0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0]


def write_version(folder: Path) -> list[Record]:
    """Write manifest, schema and model; give the records that the model was not fitted on."""
    source = load_breast_cancer()
    names = [name.replace(" ", "_") for name in source.feature_names]
    # Labels are flipped: scikit-learn counts benign as 1.
    rows, heldout, labels, _ = train_test_split(source.data, 1 - source.target, random_state=0)
    model = fit(rows, labels)
    table = [
        _feature(name, column, pii=place < REDACTED)
        for place, (name, column) in enumerate(zip(names, source.data.T, strict=True))
    ]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "model.onnx").write_bytes(model)
    _write_json(folder / "manifest.json", _manifest(model, table, scores(model, heldout)))
    _write_json(folder / "schema.json", _schema(table))
    return [dict(zip(names, row, strict=True)) for row in heldout.tolist()]


def fit(rows: Rows, labels: NDArray[np.int64]) -> bytes:
    """Fit, and convert to ONNX: input `record` float32 (n, 30), output `probabilities` (n, 2)."""
    classifier = GradientBoostingClassifier(
        n_estimators=TREES,
        max_leaf_nodes=LEAVES,
        max_depth=None,
        max_features=3,  # with all 30 the trees are pure, and done, before they have 31 leaves
        random_state=0,
    ).fit(rows, labels)
    model = to_onnx(
        classifier,
        initial_types=[("record", FloatTensorType([None, rows.shape[1]]))],
        options={"zipmap": False},
        target_opset=17,
    )
    return bytes(model.SerializeToString(deterministic=True))


def scores(model: bytes, rows: Rows) -> list[float]:
    """
    Give P(label 1) of each row as onnxruntime says when called directly, rounded to 6 digits.

    Each is scored alone: the digits after these depend on how many are scored together.
    """
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    tensors = rows.astype(np.float32)[:, np.newaxis]
    answers = [session.run(["probabilities"], {"record": tensor})[0] for tensor in tensors]
    return [round(float(answer[0, 1]), 6) for answer in answers]


def _feature(name: str, values: Rows, *, pii: bool) -> dict[str, Any]:
    """Describe a column, from 0 to twice its greatest value, with its deciles as bin edges."""
    edges = np.quantile(values, np.linspace(0, 1, 11))
    counts, _ = np.histogram(values, edges)
    histogram = {"edges": edges.tolist(), "counts": counts.tolist()}
    return {
        "name": name,
        "type": "float",
        "range": [0.0, float(np.ceil(values.max() * 2))],
        "unit": "1",
        "nullable": False,
        "pii": pii,
        "histogram": {**histogram, "low": 0, "high": 0, "missing": 0},
    }


def _manifest(
    model: bytes, table: list[dict[str, Any]], heldout_scores: list[float]
) -> dict[str, Any]:
    found = np.array(heldout_scores)
    return {
        "schema": 1,
        "name": "benchmark",
        "version": VERSION,
        "task": "binary",
        "model": {
            "file": "model.onnx",
            "sha256": hashlib.sha256(model).hexdigest(),
            "input": "record",
            "output": "probabilities",
        },
        "features": table,
        "unknown_fields": "refuse",
        "scores": {
            "score": _histogram(found, 0.0),
            "confidence": _histogram(np.maximum(found, 1 - found).round(6), 0.5),
        },
        "latency": {"edges_seconds": LATENCY_EDGES_SECONDS},
    }


def _histogram(values: Rows, low: float) -> dict[str, Any]:
    counts, edges = np.histogram(values, np.linspace(low, 1, 11).round(6))
    return {"edges": edges.tolist(), "counts": counts.tolist()}


def _schema(table: list[dict[str, Any]]) -> dict[str, Any]:
    """Give the JSON Schema that must stand beside a manifest."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {
            row["name"]: {"type": "number", "minimum": row["range"][0], "maximum": row["range"][1]}
            for row in table
        },
        "required": [row["name"] for row in table],
        "additionalProperties": False,
    }


def _write_json(path: Path, content: Mapping[str, Any]) -> None:
    path.write_text(json.dumps(content, indent=2) + "\n")
