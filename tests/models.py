"""
Tiny model versions of every task, each made in milliseconds and without a training library.

The model is linear and seeded. Null reaches it as NaN, which it reads as 0.
"""

import hashlib
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import onnxruntime
from onnx import TensorProto, helper, numpy_helper

from tests.records import FEATURES, Feature, Record, choices_of, records, row_of, table

TASKS = ("binary", "multiclass", "regression")
LABELS = ["low", "middle", "high"]
"""Of a multiclass version, where no others are given."""
LATENCY_EDGES = [0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0]


def write_version(
    folder: Path,
    *,
    task: str = "binary",
    features: Sequence[Feature] = FEATURES,
    labels: Sequence[str | int] | None = None,
    unknown_fields: str = "refuse",
    feature_code: str | None = None,
    explanation: bool = True,
    name: str = "sample",
    version: str = "1.0.0",
    seed: int = 1,
) -> Path:
    """
    Write a valid version folder and give it back: manifest, schema, model and what these name.

    `labels` None: LABELS for multiclass, else none are written. `feature_code` is the text of
    features.py; None: the default row. Another `seed` gives another model.
    """
    folder.mkdir(parents=True, exist_ok=True)
    labels = LABELS if labels is None and task == "multiclass" else labels
    row, training = row_of(features, feature_code), records(200, features)
    rows = np.array([row(record) for record in training], np.float32)
    model = linear(rows, 1 if task == "regression" else len(labels or (0, 1)), seed)
    manifest = {
        "schema": 1,
        "name": name,
        "version": version,
        "task": task,
        **({} if labels is None else {"labels": list(labels)}),
        "model": {"file": "model.onnx", "sha256": _written(folder / "model.onnx", model)}
        | {"input": "record", "output": "answer"},
        "image": "steelyard-inference:0.1.0",
        **{name: {} for name in ("data", "metrics", "segments")},
        **dict.fromkeys(("code_sha", "environment_digest", "trained_at"), ""),
        "seed": seed,
        "features": [{**it, "histogram": histogram_of(it, training)} for it in features],
        "unknown_fields": unknown_fields,
        "scores": _scores(task, answers(model, rows)),
        "latency": {"edges_seconds": LATENCY_EDGES},
        **dict.fromkeys(("owner", "licence", "intended_use", "limitations"), "a test's"),
    }
    if feature_code is not None:
        digest = _written(folder / "features.py", feature_code.encode())
        manifest["feature_code"] = {"file": "features.py", "sha256": digest}
    if explanation:
        digest = _written(folder / "background.csv", table(training[:10]))
        manifest["explanation"] = {"file": "background.csv", "sha256": digest}
    schema = schema_of(features, unknown_fields)
    (folder / "schema.json").write_text(json.dumps(schema))
    (folder / "manifest.json").write_text(json.dumps(manifest))
    return folder


def linear(rows: np.ndarray, columns: int, seed: int = 1) -> bytes:
    """
    Give an ONNX model for such rows: input `record` (n, width), output `answer` (n, columns).

    The answers are probabilities if there are two columns or more, else one number.
    """
    known = np.nan_to_num(rows)
    scale = np.maximum(np.abs(known).max(axis=0), 1)[:, np.newaxis]
    weights = np.random.default_rng(seed).normal(size=(rows.shape[1], columns)) / scale
    bias = -(known @ weights).mean(axis=0)  # so that each label is given now and then
    constants = (("zero", np.zeros(1)), ("weights", weights), ("bias", bias))
    nodes = [
        helper.make_node("IsNaN", ["record"], ["is_null"]),
        helper.make_node("Where", ["is_null", "zero", "record"], ["known"]),
        helper.make_node("MatMul", ["known", "weights"], ["products"]),
        helper.make_node("Add", ["products", "bias"], ["sums"]),
        helper.make_node("Identity" if columns == 1 else "Softmax", ["sums"], ["answer"]),
    ]
    graph = helper.make_graph(
        nodes,
        "linear",
        [helper.make_tensor_value_info("record", TensorProto.FLOAT, [None, rows.shape[1]])],
        [helper.make_tensor_value_info("answer", TensorProto.FLOAT, [None, columns])],
        [numpy_helper.from_array(value.astype(np.float32), key) for key, value in constants],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return bytes(onnx.ModelProto.SerializeToString(model, deterministic=True))


def answers(model: bytes, rows: np.ndarray) -> np.ndarray:
    """Give what onnxruntime, called directly, answers to rows of shape (n, width)."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    return session.run(["answer"], {"record": rows.astype(np.float32)})[0]


def histogram_of(it: Feature, training: Sequence[Record]) -> dict[str, Any]:
    """Give a feature's distribution over the training records."""
    found = [record[it["name"]] for record in training]
    known = [value for value in found if value is not None]
    missing = {"missing": len(found) - len(known)}
    if (choices := choices_of(it)) is not None:
        return {"counts": [known.count(choice) for choice in choices]} | missing
    edges = np.linspace(*it["range"], 11)
    counts = np.histogram(known, edges)[0].tolist()
    return {"edges": edges.tolist(), "counts": counts, "low": 0, "high": 0} | missing


def schema_of(features: Sequence[Feature], unknown_fields: str = "refuse") -> dict[str, Any]:
    """Give the JSON Schema of one record."""
    types = {"float": "number", "integer": "integer", "string": "string", "boolean": "boolean"}

    def rule(it: Feature) -> dict[str, Any]:
        null = it["nullable"]
        rule: dict[str, Any] = {"type": [types[it["type"]], "null"] if null else types[it["type"]]}
        if "values" in it:
            rule["enum"] = [*it["values"], None] if null else it["values"]
        if "range" in it:
            rule["minimum"], rule["maximum"] = it["range"]
        return rule

    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "type": "object",
        "properties": {it["name"]: rule(it) for it in features},
        "required": [it["name"] for it in features],
        "additionalProperties": unknown_fields == "record",
    }


def _scores(task: str, found: np.ndarray) -> dict[str, Any]:
    if task == "regression":
        edges = np.linspace(found.min(), found.max(), 11)
        return {"score": _counted(found[:, 0], edges), "confidence": None}
    classes = found.shape[1]
    score = found[:, 1] if task == "binary" else found.argmax(axis=1)
    edges = np.linspace(0, 1 if task == "binary" else max(10, classes), 11)
    confidence = _counted(found.max(axis=1), np.linspace(1 / classes, 1, 11))
    return {"score": _counted(score, edges), "confidence": confidence}


def _counted(values: np.ndarray, edges: np.ndarray) -> dict[str, Any]:
    inner = np.clip(values, edges[0], edges[-1])  # float32 may end beside a float64 edge
    return {"edges": edges.tolist(), "counts": np.histogram(inner, edges)[0].tolist()}


def _written(path: Path, content: bytes) -> str:
    path.write_bytes(content)
    return hashlib.sha256(content).hexdigest()
