"""How good a version is on the held-out rows, and how its answers are distributed there."""

from typing import Any

import features
import numpy as np
import numpy.typing as npt
import onnxruntime
from sklearn.metrics import accuracy_score, log_loss, roc_auc_score

Rows = npt.NDArray[np.float64]  # shape (rows, features) in the order of the feature table
Labels = npt.NDArray[np.int64]  # shape (rows,); 1 = malignant, 0 = benign
Scores = npt.NDArray[np.float64]  # shape (rows,); P(malignant), 6 digits

SMALL_BELOW_MM = 13.0  # of mean radius, near its median

# Equal in every version: histograms of different bins cannot be compared.
EDGES = {
    "score": [round(0.1 * i, 2) for i in range(11)],
    "confidence": [round(0.5 + 0.05 * i, 2) for i in range(11)],
}


def score(model: bytes, rows: Rows) -> Scores:
    """Give P(malignant) of each row: alone and rounded, as it is served."""
    session = onnxruntime.InferenceSession(model, providers=["CPUExecutionProvider"])
    records = rows.astype(np.float32)[:, np.newaxis]
    answers = [session.run(["probabilities"], {"record": record})[0] for record in records]
    return np.array([round(float(answer[0, 1]), 6) for answer in answers])


def evaluate(scores: Scores, rows: Rows, labels: Labels) -> dict[str, Any]:
    """Say how well the scores of the held-out rows fit their labels; `rows` are in millimetres."""
    small = rows[:, features.NAMES.index("mean_radius")] < SMALL_BELOW_MM
    sizes = {
        name: {"rows": int(chosen.sum())} | _metrics(scores[chosen], labels[chosen])
        for name, chosen in (("small", small), ("large", ~small))
    }
    return {
        "rows": len(labels),
        "metrics": _metrics(scores, labels) | {"auc": round(roc_auc_score(labels, scores), 6)},
        "segments": {"lesion_size": sizes},
        "scores": {
            "score": _histogram(EDGES["score"], scores),
            "confidence": _histogram(EDGES["confidence"], np.maximum(scores, 1 - scores).round(6)),
        },
    }


def _metrics(scores: Scores, labels: Labels) -> dict[str, float]:
    return {
        "accuracy": round(accuracy_score(labels, scores >= 0.5), 6),
        "log_loss": round(log_loss(labels, scores, labels=[0, 1]), 6),
    }


def _histogram(edges: list[float], values: Scores) -> dict[str, list[float] | list[int]]:
    counts, _ = np.histogram(values, edges)
    return {"edges": edges, "counts": counts.tolist()}
