"""
Load a model directory, refuse one that does not fit together, and score rows with it.

The directory holds manifest.json, schema.json and the ONNX file that the manifest names, as the
training script wrote them.
"""

import hashlib
import math
from collections.abc import Sequence
from pathlib import Path
from typing import Any, TypedDict

import numpy as np
import onnxruntime

from inference.manifest import Manifest, read_json, read_manifest, schema_problems
from inference.schema import Schema

DIGITS = 6
"""Of a score; from the seventh on it depends on how many rows were scored together."""
THRESHOLD = 0.5


class UnusableError(Exception):
    """The model directory cannot be served; `problems` are the sentences that say why."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(problems)
        self.problems = problems


class Prediction(TypedDict):
    """`score` is the probability of label 1, `confidence` that of the label given."""

    score: float
    label: int
    confidence: float


class Model:
    """A loaded model, its input check and the bins to count its answers in."""

    def __init__(self, manifest: Manifest, session: Any) -> None:
        self.name = manifest.name
        self.version = manifest.version
        self.schema = Schema(manifest.features)
        self.edges = manifest.edges
        self._session = session
        self._input = manifest.model.input
        self._outputs = [manifest.model.output]

    def predict(self, rows: Sequence[Sequence[float]]) -> list[Prediction]:
        """
        Score rows of shape (rows, features), one prediction each.

        Raises whatever the model raises. A score may be NaN or no probability: see `is_sound`.
        """
        tensor = np.array(rows, dtype=np.float32)
        # Called through the session's class, so that a fault put there takes effect.
        (probabilities,) = self._session.run(self._outputs, {self._input: tensor})
        return [_prediction(score) for score in probabilities[:, 1].tolist()]


def _prediction(score: float) -> Prediction:
    # Rounded first: a caller who applies the threshold to the score he got must get this label.
    score = round(score, DIGITS)
    confidence = round(max(score, 1 - score), DIGITS)
    return {"score": score, "label": int(score >= THRESHOLD), "confidence": confidence}


def is_sound(prediction: Prediction) -> bool:
    """Whether the score is a probability at all."""
    return math.isfinite(prediction["score"]) and 0 <= prediction["score"] <= 1


def load(folder: Path) -> Model:
    """
    Load and warm the model of a directory, so that the first request is as fast as any other.

    Raises UnusableError with every problem found.
    """
    problems: list[str] = []
    manifest = read_manifest(folder / "manifest.json", problems)
    schema = read_json(folder / "schema.json", problems)
    session = None
    if manifest is not None:
        problems += schema_problems(schema, manifest.features) if schema is not None else []
        session = _session(folder / manifest.model.file, manifest, problems)
    if manifest is None or session is None or problems:
        raise UnusableError(problems)
    model = Model(manifest, session)
    _warm(model, manifest)
    return model


def _session(path: Path, manifest: Manifest, problems: list[str]) -> Any | None:
    try:
        content = path.read_bytes()
    except OSError as error:
        problems.append(f"{path.name} cannot be read: {error.strerror}; put it beside the manifest")
        return None
    digest = hashlib.sha256(content).hexdigest()
    if digest != manifest.model.sha256:
        problems.append(
            f"{path.name} has sha256 {digest}, allowed is {manifest.model.sha256} as the manifest "
            "says; ship the two that were written together"
        )
        return None
    return _opened(content, manifest, problems)


def _opened(content: bytes, manifest: Manifest, problems: list[str]) -> Any | None:
    options = onnxruntime.SessionOptions()
    # One row is microseconds of work: handing it to a pool of threads would cost more.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    try:
        session = onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's exceptions share no narrower class
        problems.append(f"{manifest.model.file} does not load: {error}; export it again")
        return None
    problems += _shape_problems(session, manifest)
    return session


def _shape_problems(session: Any, manifest: Manifest) -> list[str]:
    inputs = {entry.name: entry.shape[1:] for entry in session.get_inputs()}
    outputs = {entry.name: entry.shape[1:] for entry in session.get_outputs()}
    width = [len(manifest.features)]
    problems = []
    if inputs != {manifest.model.input: width}:
        problems.append(
            f"the model's inputs are {inputs}, allowed is {manifest.model.input!r} of width "
            f"{width} as the feature table has it; export the model for this table"
        )
    if outputs.get(manifest.model.output) != [2]:
        problems.append(
            f"the model's outputs are {outputs}, allowed is {manifest.model.output!r} of width "
            "[2], one probability a class; export the model without its class map"
        )
    return problems


def _warm(model: Model, manifest: Manifest) -> None:
    middle = [(feature.low + feature.high) / 2 for feature in manifest.features]
    try:
        model.predict([middle])
    except Exception as error:  # a model may raise anything
        raise UnusableError([f"the model fails on the middle of its ranges: {error}"]) from error
