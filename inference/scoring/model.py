"""
Load a model directory, refuse one that does not fit together, and score rows with it.

The directory holds manifest.json, schema.json, and the files that the manifest names: the model in
ONNX, and maybe feature code and background records; all as the training script wrote them.
"""

import struct
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnxruntime

from inference.contract import formats
from inference.contract.manifest import (
    Manifest,
    read_file,
    read_json,
    read_manifest,
    schema_problems,
)
from inference.contract.refusal import Problem, RefusedError
from inference.contract.schema import Record, Schema
from inference.scoring.explanation import SCALES, Explainer
from inference.scoring.feature_code import RowCode, middle_record, read_row_code
from inference.scoring.prediction import Prediction, Scored, task_of

WARM_SIZES = (1, 64, 1, 64)
"""Rows of the calls that warm; the first ones also allocate."""
MOST_EXPLAINED = 16


class UnusableError(Exception):
    """The model directory cannot be served; `problems` are the sentences that say why."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__(problems)
        self.problems = problems


class Model:
    """
    A loaded model.

    call_seconds: what a call took when the model was warmed, by its rows; explainer: None where
    the version brings no background records.
    """

    def __init__(self, manifest: Manifest, session: Any, row: RowCode) -> None:
        self.manifest = manifest
        self.version = manifest.version
        self.schema = Schema(manifest)
        self.call_seconds: dict[int, float] = {}
        self.explainer: Explainer | None = None
        self.row = row
        self._session = session
        self._pack = struct.Struct(f"{len(row(middle_record(manifest)))}f").pack
        self._input = manifest.model.input
        self._outputs = [manifest.model.output]
        self._task = task_of(manifest)

    def rows(self, records: Sequence[Record]) -> list[list[float]]:
        """Make rows of records. Raises whatever the version's feature code raises."""
        row = self.row
        return [row(record) for record in records]

    def raw(self, rows: Sequence[Sequence[float]]) -> npt.NDArray[Any]:
        """
        Give the model's output for rows, one entry each.

        Raises struct.error for rows of another width and OverflowError for what float32 cannot
        hold; and whatever the model raises.
        """
        # Three times as fast as np.array for lists of Python's floats.
        packed = b"".join([self._pack(*row) for row in rows])
        tensor = np.frombuffer(packed, np.float32).reshape(len(rows), -1)
        # Called through the session's class, so that a fault put there takes effect.
        (output,) = self._session.run(self._outputs, {self._input: tensor})
        return output  # type: ignore[no-any-return]

    def score(self, rows: Sequence[Sequence[float]]) -> list[Scored]:
        """Give an answer for each row; not every one is sound. Raises as `raw` does."""
        return self._task.read(self.raw(rows))

    def warm(self) -> None:
        """Score the middle of all ranges, so that the first request is as fast as any other."""
        row = self.row(middle_record(self.manifest))
        for size in WARM_SIZES:
            started = time.perf_counter()
            self.score([row] * size)
            self.call_seconds[size] = time.perf_counter() - started

    def check_explainable(self, records: Sequence[Record]) -> None:
        """Raise RefusedError 422 where predictions of these records cannot be explained."""
        if self.explainer is None:
            said = "this version brings no background records, so it explains nothing; do not ask"
        elif len(records) > MOST_EXPLAINED:
            said = f"there are {len(records)} records, explained are at most {MOST_EXPLAINED}"
        else:
            return
        raise RefusedError(422, [Problem("", said, "value")])

    def explained(self, records: Sequence[Record], scored: Sequence[Scored]) -> list[Prediction]:
        """Give the predictions, each with what every feature contributed to it."""
        return [
            {**one.prediction, "explanation": self._explanation(record, one)}
            for record, one in zip(records, scored, strict=True)
        ]

    def _explanation(self, record: Record, scored: Scored) -> dict[str, Any]:
        if self.explainer is None:
            raise RuntimeError("a model without background records was asked to explain")
        # Of a multiclass model the label given is explained, and its index is the binned score.
        label = int(scored.score) if self.manifest.task == "multiclass" else 1
        said = self.explainer.explain(record, label)
        return {
            "unit": said.unit,
            "base": said.base,
            "contributions": said.contributions,
            "standard_error": said.standard_error,
        }


def load(folder: Path) -> Model:
    """
    Load and warm the model of a directory.

    Raises UnusableError with every problem found.
    """
    problems: list[str] = []
    manifest = read_manifest(folder / "manifest.json", problems)
    schema = read_json(folder / "schema.json", problems)
    if manifest is None:
        raise UnusableError(problems)
    if schema is not None:
        problems += schema_problems(schema, manifest)
    row = read_row_code(folder, manifest, problems)
    session = _session(folder, manifest, problems)
    if row is None or session is None or problems:
        raise UnusableError(problems)
    model = Model(manifest, session, row)
    problems += _input_problems(session, manifest, row)
    if not problems:
        _warm(model, problems)
        model.explainer = _explainer(folder, model, problems)
    if problems:
        raise UnusableError(problems)
    return model


def _session(folder: Path, manifest: Manifest, problems: list[str]) -> Any | None:
    file = manifest.model.file
    content = read_file(folder, file, manifest.model.sha256, problems)
    if content is None:
        return None
    options = onnxruntime.SessionOptions()
    # One row is microseconds of work: handing it to a pool of threads would cost more.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    try:
        return onnxruntime.InferenceSession(content, options, providers=["CPUExecutionProvider"])
    except Exception as error:  # onnxruntime's exceptions share no narrower class
        problems.append(f"{file} does not load: {error}; export it again")
        return None


def _input_problems(session: Any, manifest: Manifest, row: RowCode) -> list[str]:
    width = len(row(middle_record(manifest)))
    inputs = {entry.name: entry.shape[1:] for entry in session.get_inputs()}
    outputs = [entry.name for entry in session.get_outputs()]
    problems = []
    if inputs != {manifest.model.input: [width]}:
        problems.append(
            f"the model's inputs are {inputs}, allowed is {manifest.model.input!r} of width "
            f"{width}, as rows have it; export the model for them"
        )
    if manifest.model.output not in outputs:
        problems.append(
            f"the model's outputs are {', '.join(outputs)}, allowed is {manifest.model.output!r} "
            "among them; name the right one in the manifest"
        )
    return problems


def _warm(model: Model, problems: list[str]) -> None:
    try:
        model.warm()
    except Exception as error:  # a model may raise anything
        problems.append(f"the model fails on the middle of its ranges: {error}; export it again")


def _explainer(folder: Path, model: Model, problems: list[str]) -> Explainer | None:
    packed = model.manifest.explanation
    if packed is None or problems:
        return None
    content = read_file(folder, packed.file, packed.sha256, problems)
    if content is None:
        return None
    names = [feature.name for feature in model.manifest.features]
    scale = SCALES[model.manifest.task]
    try:
        background = formats.read(model.schema, b"text/csv; header=present", content).records
        explainer = Explainer(scale, model.raw, model.row, background, names)
        explainer.explain(background[0])
    except RefusedError as refused:
        said = "; ".join(f"{problem.field} {problem.problem}" for problem in refused.problems)
        problems.append(f"{packed.file} holds other records than the model takes: {said}")
        return None
    except Exception as error:  # as the model, its feature code may raise anything
        problems.append(f"explaining fails on {packed.file}: {error}; pack other records")
        return None
    return explainer
