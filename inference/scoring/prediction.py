"""
Say what a model's output means: binary, multiclass or regression.

Probabilities are rounded first and judged afterwards: from the seventh digit on they depend on how
many rows were scored together, and a caller who applies the threshold to the score he got must get
the label he was given.
"""

import math
from collections.abc import Sequence
from typing import Any, NamedTuple, Protocol

import numpy as np

from inference.contract.manifest import Label, Manifest

DIGITS = 6
THRESHOLD = 0.5
SUM_TOLERANCE = 1e-3
"""How far the probabilities of all classes may miss 1: a thousand classes in float32 stay below."""

Prediction = dict[str, Any]
"""
What the caller gets. Binary: `score` (probability of the second label), `label`, `confidence`
(probability of the label given). Multiclass: `label`, `confidence`, `scores` by label. Regression:
`score`, the value itself.
"""


class Scored(NamedTuple):
    """
    A prediction with what is counted of it.

    `score` is what falls into the score bins: the probability of the second label, the index of the
    label given, or the value. `confidence` is None for regression. A prediction that is not sound
    must not be answered: its numbers are none, or no probabilities.
    """

    prediction: Prediction
    score: float
    confidence: float | None
    is_sound: bool


class Task(Protocol):
    """How to read a model's output, one `Scored` a row."""

    def read(self, output: np.ndarray) -> list[Scored]:
        """Read rows of output; raises ValueError when it does not have the task's width."""
        ...


class Binary:
    """Probabilities of shape (rows, 2), the second column being the score."""

    def __init__(self, labels: Sequence[Label] = (0, 1)) -> None:
        self._labels = labels

    def read(self, output: np.ndarray) -> list[Scored]:
        """Read probabilities; the second label is given from a score of 0.5 on."""
        _check_width(output, 2)
        return [self._scored(score) for score in output[:, 1].tolist()]

    def _scored(self, score: float) -> Scored:
        score = round(score, DIGITS)
        is_second = score >= THRESHOLD
        confidence = score if is_second else round(1 - score, DIGITS)
        prediction = {"score": score, "label": self._labels[is_second], "confidence": confidence}
        return Scored(prediction, score, confidence, 0 <= score <= 1)  # NaN compares false


class Multiclass:
    """Probabilities of shape (rows, classes), in the order of the labels."""

    def __init__(self, labels: Sequence[Label]) -> None:
        self._labels = labels
        self._names = [str(label) for label in labels]

    def read(self, output: np.ndarray) -> list[Scored]:
        """Read probabilities; the label given has the highest, the first one of equals."""
        _check_width(output, len(self._labels))
        return [self._scored(row) for row in output.tolist()]

    def _scored(self, row: list[float]) -> Scored:
        rounded = [round(share, DIGITS) for share in row]
        confidence = max(rounded)
        index = rounded.index(confidence)
        scores = dict(zip(self._names, rounded, strict=True))
        prediction = {"label": self._labels[index], "confidence": confidence, "scores": scores}
        is_sound = (
            all(0 <= share <= 1 for share in rounded) and abs(math.fsum(row) - 1) <= SUM_TOLERANCE
        )
        # An index of no sound row would be binned as if it were one.
        return Scored(prediction, index if is_sound else math.nan, confidence, is_sound)


class Regression:
    """Values of shape (rows, 1) or (rows,)."""

    def read(self, output: np.ndarray) -> list[Scored]:
        """
        Read values as they are, a float32 by its shortest decimal: 0.1, not 0.10000000149011612.

        They are not rounded, having no known scale: the last digit may depend on the batch.
        """
        if output.ndim > 1:
            _check_width(output, 1)
        values = (float(str(value)) for value in output.reshape(-1))
        return [Scored({"score": value}, value, None, math.isfinite(value)) for value in values]


def task_of(manifest: Manifest) -> Task:
    """Give the task that a manifest names, with its labels."""
    if manifest.labels is None:
        return Regression()
    return (Binary if manifest.task == "binary" else Multiclass)(manifest.labels)


def _check_width(output: np.ndarray, width: int) -> None:
    if output.ndim != 2 or output.shape[1] != width:
        raise ValueError(f"the model's output has shape {output.shape}, allowed is (rows, {width})")
