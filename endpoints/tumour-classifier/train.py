"""
Train the three versions of the tumour classifier and write everything that ships with them.

Run `python endpoints/tumour-classifier/train.py`. Two runs in one environment give equal bytes: the
split and the solver are seeded, names inside the model files are fixed, no clock is read.

- v1-0-0 is the champion: logistic regression on five of the thirty features.
- v1-1-0 is an honest improvement: logistic regression on all thirty.
- v1-2-0 is broken on purpose, by a unit mistake. Its rows were converted from millimetres to
  centimetres before training AND before its own evaluation, so its manifest looks as good as that
  of v1-1-0. Its feature table says millimetres all the same, as the endpoint's contract does,
  and millimetres are what callers send. Every length reaches the model ten times and every area a
  hundred times too large: as served it answers HTTP 200 and calls every record malignant with
  full confidence. No file here is at fault; only predictions on live traffic show it.
"""

import argparse
import csv
import hashlib
import json
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import features
import numpy as np
from evaluation import Labels, Rows, evaluate, score
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.compose import make_column_transformer
from sklearn.datasets import load_breast_cancer
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import train_test_split
from sklearn.pipeline import Pipeline, make_pipeline
from sklearn.preprocessing import StandardScaler
from training_rows import background, histograms

HERE = Path(__file__).resolve().parent
FEATURE_CODE = HERE / "features.py"
CODE = ("train.py", "features.py", "evaluation.py", "training_rows.py")
REQUIREMENTS = HERE.parents[1] / "requirements" / "train.txt"
DATA_PACKAGE, DATA_FILE = "sklearn.datasets.data", "breast_cancer.csv"

SEED = 42
LABELS = [0, 1]  # benign, malignant
HELDOUT_SHARE = 0.3
OPSET = 17

LATENCY_EDGES_SECONDS = [0.0005, 0.001, 0.002, 0.003, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0]

CARD = {
    "owner": "tumour-classifier-owners@example.com",
    "licence": "Apache-2.0; data CC BY 4.0, doi 10.24432/C5DW2B",
    "intended_use": "example of a binary classifier behind a rollout; never for care of patients",
    "limitations": "569 rows of one hospital, published 1995; not calibrated for screening",
}


@dataclass(frozen=True)
class Data:
    """The rows in millimetres, parted once for all versions."""

    fit: Rows
    fit_labels: Labels
    heldout: Rows
    heldout_labels: Labels


def as_given(rows: Rows) -> Rows:
    """Keep millimetres, the unit of the data and of the endpoint's contract."""
    return rows


def to_centimetres(rows: Rows) -> Rows:
    """
    Convert lengths and areas to centimetres: the mistake of v1-2-0, see the head of this file.

    Texture is a grey level, and the other quantities are dimensionless (compactness is perimeter
    squared over area): they stay as they are.
    """
    divisors = {"mm": 10.0, "mm2": 100.0}
    in_centimetres: Rows = rows / [divisors.get(f.unit, 1.0) for f in features.FEATURES]
    return in_centimetres


@dataclass(frozen=True)
class Version:
    """One recipe; `unit` is applied to every row that the training script touches."""

    version: str
    trained_at: str
    columns: Sequence[str]
    inverse_penalty: float
    unit: Callable[[Rows], Rows]


FIVE = ("mean_radius", "mean_texture", "mean_smoothness", "mean_compactness", "mean_concavity")
VERSIONS = (
    Version("1.0.0", "2026-06-02T09:00:00Z", FIVE, 1.0, as_given),
    Version("1.1.0", "2026-09-08T09:00:00Z", features.NAMES, 0.5, as_given),
    Version("1.2.0", "2026-11-03T09:00:00Z", features.NAMES, 1.0, to_centimetres),
)


def main() -> None:
    """Write all files into this folder, or into the one given."""
    parser = argparse.ArgumentParser(description="train every version and write its files")
    parser.add_argument("--out", type=Path, default=HERE, help="folder to write to")
    try:
        train(parser.parse_args().out, REQUIREMENTS)
    except FileNotFoundError as error:
        sys.exit(str(error))


def train(out: Path, requirements: Path) -> None:
    """
    Train every version; write heldout.csv and one folder per version to `out`.

    Raises FileNotFoundError without `requirements`, whose digest names the environment.
    """
    if not requirements.is_file():
        raise FileNotFoundError(
            f"{requirements.name} is missing, no manifest can name its environment; write it first"
        )
    environment = _digest(requirements.read_bytes())
    data = read_data()
    write_heldout(out / "heldout.csv", data)
    for version in VERSIONS:
        write_version(out, version, data, environment)


def write_version(out: Path, version: Version, data: Data, environment: str) -> None:
    """Train one version and write its folder, with all that serving it needs."""
    folder = out / f"v{version.version.replace('.', '-')}"
    folder.mkdir(parents=True, exist_ok=True)
    model = fit(version, data)
    scores = score(model, version.unit(data.fit))
    files = {
        "model.onnx": model,
        "features.py": FEATURE_CODE.read_bytes(),
        "background.csv": background(features.NAMES, data.fit, scores).encode(),
        "schema.json": _json(features.schema()),
    }
    rows, labels = read_heldout(out / "heldout.csv")
    # In the unit of the version's own training, which is the mistake of v1-2-0.
    evaluation = evaluate(score(model, version.unit(rows)), rows, labels)
    files["manifest.json"] = _json(manifest(version, files, data, evaluation, environment))
    for name, content in files.items():
        (folder / name).write_bytes(content)


def read_data() -> Data:
    """
    Read the data that scikit-learn ships and part it, stratified.

    The labels are flipped: scikit-learn counts benign as 1. Raises ValueError when its columns are
    not those of the feature table.
    """
    source = load_breast_cancer()
    names = tuple(name.replace(" ", "_") for name in source.feature_names)
    if names != features.NAMES:
        raise ValueError(f"columns are {names}, allowed {features.NAMES}; correct features.py")
    labels = 1 - source.target
    records = [dict(zip(names, values, strict=True)) for values in source.data.tolist()]
    rows, heldout, fit_labels, heldout_labels = train_test_split(
        as_rows(records), labels, test_size=HELDOUT_SHARE, random_state=SEED, stratify=labels
    )
    return Data(rows, fit_labels, heldout, heldout_labels)


def as_rows(records: Sequence[Mapping[str, float]]) -> Rows:
    """Make rows with the code that the serving container makes them with."""
    return np.array([features.row(record) for record in records])


def write_heldout(path: Path, data: Data) -> None:
    """Write the held-out rows in millimetres, one feature a column, the label last."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", newline="") as file:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow([*features.NAMES, "label"])
        for values, label in zip(data.heldout.tolist(), data.heldout_labels, strict=True):
            writer.writerow([*values, int(label)])


def read_heldout(path: Path) -> tuple[Rows, Labels]:
    """Read the held-out rows back, as they are sent."""
    with path.open(newline="") as file:
        records = [
            {key: float(value) for key, value in line.items()} for line in csv.DictReader(file)
        ]
    labels = [int(record.pop("label")) for record in records]
    return as_rows(records), np.array(labels)


def fit(version: Version, data: Data) -> bytes:
    """Fit one version in its own unit and give its ONNX file."""
    chosen = [features.NAMES.index(name) for name in version.columns]
    pipeline = make_pipeline(
        make_column_transformer((StandardScaler(), chosen)),
        LogisticRegression(C=version.inverse_penalty, max_iter=1000, random_state=SEED),
    )
    pipeline.fit(version.unit(data.fit), data.fit_labels)
    return export(pipeline, version)


def export(pipeline: Pipeline, version: Version) -> bytes:
    """Convert to ONNX: input `record` float32 (n, 30), output `probabilities` float32 (n, 2)."""
    model = to_onnx(
        pipeline,
        initial_types=[("record", FloatTensorType([None, len(features.NAMES)]))],
        options={"zipmap": False},
        target_opset=OPSET,
        name="tumour-classifier",
    )
    # The converter signs with its own name and version, which would change bytes at an upgrade.
    model.producer_name, model.producer_version = "steelyard", version.version
    return bytes(model.SerializeToString(deterministic=True))


def manifest(
    version: Version,
    files: Mapping[str, bytes],
    data: Data,
    evaluation: Mapping[str, Any],
    environment: str,
) -> dict[str, Any]:
    """Say what made this model, what it takes, and how it scored; `files` lie beside it."""
    table = zip(features.table(), histograms(features.NAMES, data.fit), strict=True)
    return {
        "schema": 1,
        "name": "tumour-classifier",
        "version": version.version,
        "task": "binary",
        "labels": LABELS,
        "model": _named("model.onnx", files) | {"input": "record", "output": "probabilities"},
        "feature_code": _named("features.py", files),
        "explanation": _named("background.csv", files),
        "image": "steelyard-inference:0.1.0",
        "data": _origin(evaluation["rows"]),
        "code_sha": _digest(b"".join((HERE / name).read_bytes() for name in CODE)),
        "seed": SEED,
        "environment_digest": environment,
        "trained_at": version.trained_at,
        "metrics": evaluation["metrics"],
        "segments": evaluation["segments"],
        "features": [row | {"histogram": histogram} for row, histogram in table],
        "unknown_fields": "refuse",
        "scores": evaluation["scores"],
        "latency": {"edges_seconds": LATENCY_EDGES_SECONDS},
        **CARD,
    }


def _origin(heldout_rows: int) -> dict[str, Any]:
    return {
        "uri": f"python:{DATA_PACKAGE}/{DATA_FILE}",
        "digest": _digest(files(DATA_PACKAGE).joinpath(DATA_FILE).read_bytes()),
        "rows": len(load_breast_cancer().target),
        "split": {"seed": SEED, "heldout_rows": heldout_rows},
    }


def _named(name: str, files: Mapping[str, bytes]) -> dict[str, str]:
    return {"file": name, "sha256": hashlib.sha256(files[name]).hexdigest()}


def _digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def _json(content: Mapping[str, Any]) -> bytes:
    return (json.dumps(content, indent=2) + "\n").encode()


if __name__ == "__main__":
    main()
