"""Checked manifests of any feature table, made in memory."""

from collections.abc import Sequence
from typing import Any

from inference.contract.manifest import Manifest
from tests.models import LATENCY_EDGES, histogram_of
from tests.records import FEATURES, Feature, records

TENTHS = [round(0.1 * index, 1) for index in range(11)]
PROBABILITIES = {"edges": TENTHS, "counts": [1] * 10}


def content_of(features: Sequence[Feature] = FEATURES, **changes: Any) -> dict[str, Any]:
    """Give the content of a manifest.json, binary unless changed."""
    training = records(50, features)
    return {
        "schema": 1,
        "name": "sample",
        "version": "1.0.0",
        "task": "binary",
        "model": {"file": "model.onnx", "sha256": "0" * 64, "input": "record", "output": "answer"},
        "features": [{**it, "histogram": histogram_of(it, training)} for it in features],
        "scores": {"score": PROBABILITIES, "confidence": PROBABILITIES},
        "latency": {"edges_seconds": LATENCY_EDGES},
        **changes,
    }


def manifest_of(features: Sequence[Feature] = FEATURES, **changes: Any) -> Manifest:
    """Give a checked manifest."""
    return Manifest.model_validate(content_of(features, **changes))
