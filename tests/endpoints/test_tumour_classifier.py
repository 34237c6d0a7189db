"""The example's models: reproducible, what their manifests say, better, and bad as described."""

import csv
import hashlib
import importlib.resources
import json
import os
import runpy
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import onnxruntime
import pytest

ROOT = Path(__file__).resolve().parents[2]
FOLDER = ROOT / "endpoints" / "tumour-classifier"
CHAMPION, CHALLENGER, BAD = "v1-0-0", "v1-1-0", "v1-2-0"
CODE = ["train.py", "features.py", "evaluation.py", "training_rows.py"]
VERSIONS = [CHAMPION, CHALLENGER, BAD]
FEATURES = runpy.run_path(str(FOLDER / "features.py"))
AREAS = [i for i, name in enumerate(FEATURES["NAMES"]) if "area" in name]
LENGTHS = [i for i, n in enumerate(FEATURES["NAMES"]) if "radius" in n or "perimeter" in n]


def manifest(version: str) -> dict:
    return json.loads((FOLDER / version / "manifest.json").read_text())


def sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def heldout_records() -> list[dict[str, float]]:
    with (FOLDER / "heldout.csv").open(newline="") as file:
        return [{k: float(v) for k, v in line.items()} for line in csv.DictReader(file)]


@pytest.fixture(scope="module")
def heldout() -> tuple[np.ndarray, np.ndarray]:
    """Rows in millimetres and their labels."""
    table = np.array([list(record.values()) for record in heldout_records()])
    return table[:, :-1], table[:, -1]


def in_centimetres(rows: np.ndarray) -> np.ndarray:
    converted = rows.copy()
    converted[:, LENGTHS] /= 10
    converted[:, AREAS] /= 100
    return converted


def scores(version: str, rows: np.ndarray) -> np.ndarray:
    session = onnxruntime.InferenceSession(FOLDER / version / "model.onnx")
    return session.run(["probabilities"], {"record": rows.astype(np.float32)})[0][:, 1]


def accuracy(found: np.ndarray, labels: np.ndarray) -> float:
    return float(((found >= 0.5) == labels).mean())


def log_loss(found: np.ndarray, labels: np.ndarray) -> float:
    likely = np.clip(np.where(labels == 1, found, 1 - found), 1e-7, 1)
    return float(-np.log(likely).mean())


def total_variation(first: list[int], second: list[int]) -> float:
    return float(np.abs(np.array(first) / sum(first) - np.array(second) / sum(second)).sum() / 2)


def start_training(out: Path, hash_seed: str) -> subprocess.Popen[bytes]:
    command = [sys.executable, str(FOLDER / "train.py"), "--out", str(out)]
    return subprocess.Popen(command, env=os.environ | {"PYTHONHASHSEED": hash_seed})


def test_training_twice_gives_the_same_bytes(tmp_path):
    first, second = tmp_path / "first", tmp_path / "second"
    with start_training(first, "1") as one, start_training(second, "2") as other:
        assert (one.wait(timeout=60), other.wait(timeout=60)) == (0, 0)

    names = sorted(str(path.relative_to(first)) for path in first.rglob("*") if path.is_file())
    folder_files = ["background.csv", "features.py", "manifest.json", "model.onnx", "schema.json"]
    assert names == ["heldout.csv", *(f"{v}/{name}" for v in VERSIONS for name in folder_files)]
    for name in names:
        assert (first / name).read_bytes() == (second / name).read_bytes(), name


def test_training_without_locked_requirements_says_what_is_missing(tmp_path):
    alone = tmp_path / "endpoints" / "example"
    alone.mkdir(parents=True)
    for name in CODE:
        shutil.copy(FOLDER / name, alone)

    ended = subprocess.run(
        [sys.executable, str(alone / "train.py")], capture_output=True, text=True, timeout=60
    )

    assert ended.returncode == 1
    assert ended.stderr.startswith("train.txt is missing")
    assert not (alone / "heldout.csv").exists()


@pytest.mark.parametrize("version", VERSIONS)
def test_the_digests_of_a_manifest_are_those_of_the_files(version):
    said = manifest(version)
    code = b"".join((FOLDER / name).read_bytes() for name in CODE)
    data = importlib.resources.files("sklearn.datasets.data").joinpath("breast_cancer.csv")
    again = "stale: run endpoints/tumour-classifier/train.py again"

    for part in ("model", "feature_code", "explanation"):
        content = (FOLDER / version / said[part]["file"]).read_bytes()
        assert said[part]["sha256"] == sha256(content), again
    assert said["code_sha"] == "sha256:" + sha256(code), again
    assert said["data"]["digest"] == "sha256:" + sha256(data.read_bytes()), again
    locked = (ROOT / "requirements" / "train.txt").read_bytes()
    assert said["environment_digest"] == "sha256:" + sha256(locked), again


@pytest.mark.parametrize("version", VERSIONS)
def test_a_manifest_counts_every_held_out_row_once(version, heldout):
    said = manifest(version)
    rows = len(heldout[1])

    assert said["data"]["split"]["heldout_rows"] == rows
    assert sum(said["scores"]["score"]["counts"]) == rows
    assert sum(said["scores"]["confidence"]["counts"]) == rows
    assert sum(s["rows"] for s in said["segments"]["lesion_size"].values()) == rows


def test_all_versions_share_table_and_bin_edges():
    def shared(version: str) -> list[object]:
        said = manifest(version)
        edges = [histogram["edges"] for histogram in said["scores"].values()]
        return [said["features"], edges, said["latency"]]

    assert shared(CHAMPION) == shared(CHALLENGER) == shared(BAD)


def test_about_a_third_of_the_rows_is_held_out_with_both_classes_in_proportion(heldout):
    labels = heldout[1]

    assert 0.28 < len(labels) / 569 < 0.32
    assert set(labels) == {0.0, 1.0}
    assert labels.sum() == round(len(labels) * 212 / 569)  # malignant rows of the whole data


@pytest.mark.parametrize("version", [CHAMPION, CHALLENGER])
def test_an_honest_version_performs_as_its_manifest_says(version, heldout):
    rows, labels = heldout
    found = scores(version, rows)

    assert accuracy(found, labels) == pytest.approx(manifest(version)["metrics"]["accuracy"])
    assert log_loss(found, labels) == pytest.approx(
        manifest(version)["metrics"]["log_loss"], abs=1e-4
    )


def test_the_challenger_is_better_than_the_champion(heldout):
    rows, labels = heldout
    old, new = scores(CHAMPION, rows), scores(CHALLENGER, rows)

    assert accuracy(new, labels) > accuracy(old, labels) + 0.02
    assert log_loss(new, labels) < log_loss(old, labels) * 0.7


def test_a_better_challenger_still_has_another_score_distribution():
    old, new = (
        manifest(version)["scores"]["score"]["counts"] for version in (CHAMPION, CHALLENGER)
    )

    assert 0.05 < total_variation(old, new) < 0.2


def test_the_bad_version_looks_well_in_its_own_unit(heldout):
    rows, labels = heldout
    found = scores(BAD, in_centimetres(rows))
    said = manifest(BAD)["metrics"]

    assert accuracy(found, labels) == pytest.approx(said["accuracy"])
    assert said["accuracy"] > manifest(CHAMPION)["metrics"]["accuracy"]
    assert said["log_loss"] < manifest(CHAMPION)["metrics"]["log_loss"]


def test_the_bad_version_is_confidently_wrong_as_served(heldout):
    rows, labels = heldout
    found = scores(BAD, rows)
    said = manifest(BAD)["scores"]["score"]
    served = np.histogram(found, said["edges"])[0]

    assert accuracy(found, labels) < accuracy(scores(CHAMPION, rows), labels) - 0.2
    assert total_variation(served, said["counts"]) > 0.3
    assert np.median(np.maximum(found, 1 - found)) > 0.99


def test_every_held_out_value_lies_well_inside_its_range(heldout):
    low = np.array([feature.low for feature in FEATURES["FEATURES"]])
    high = np.array([feature.high for feature in FEATURES["FEATURES"]])
    rows, _ = heldout

    assert (rows >= low).all()
    assert (rows <= high / 1.5).all()


def test_a_record_in_centimetres_is_out_of_range(heldout):
    low = np.array([feature.low for feature in FEATURES["FEATURES"]])

    assert (in_centimetres(heldout[0]) < low).any(axis=1).all()


@pytest.mark.parametrize("version", VERSIONS)
def test_the_schema_of_a_record_is_the_feature_table(version):
    schema = json.loads((FOLDER / version / "schema.json").read_text())
    table = manifest(version)["features"]

    limits = {name: [p["minimum"], p["maximum"]] for name, p in schema["properties"].items()}
    assert list(limits.items()) == [(row["name"], row["range"]) for row in table]
    assert schema["required"] == [row["name"] for row in table]
    assert schema["additionalProperties"] is False
    plain = [{key: it for key, it in row.items() if key != "histogram"} for row in table]
    assert plain == FEATURES["table"]()


def test_a_row_has_the_order_of_the_table_whatever_the_order_of_the_record():
    record = heldout_records()[0]
    del record["label"]
    turned = dict(reversed(record.items()))

    assert FEATURES["row"](turned) == list(record.values())


def test_a_row_is_refused_with_every_missing_and_every_unknown_field():
    record = heldout_records()[0]
    del record["mean_radius"], record["worst_area"]

    with pytest.raises(ValueError, match="mean_radius, worst_area and unknown fields label"):
        FEATURES["row"](record)


def test_a_row_is_refused_with_a_field_too_many():
    with pytest.raises(ValueError, match=r"missing fields \(none\) and unknown fields label,"):
        FEATURES["row"](heldout_records()[0])


def test_a_row_is_refused_where_one_field_stands_for_another():
    record = heldout_records()[0]
    del record["mean_radius"]

    with pytest.raises(ValueError, match="missing fields mean_radius and unknown fields label,"):
        FEATURES["row"](record)


@pytest.mark.parametrize("version", VERSIONS)
def test_the_code_that_is_served_is_the_code_that_trains(version):
    served = (FOLDER / version / "features.py").read_bytes()

    assert served == (FOLDER / "features.py").read_bytes()


def test_a_feature_is_counted_between_the_deciles_of_its_training_rows():
    for feature in manifest(CHAMPION)["features"]:
        histogram = feature["histogram"]
        counts, edges = histogram["counts"], histogram["edges"]

        assert sum(counts) == 569 - len(heldout_records())
        assert all(36 <= count <= 44 for count in counts), feature["name"]
        assert (histogram["low"], histogram["high"], histogram["missing"]) == (0, 0, 0)
        assert feature["range"][0] <= edges[0] < edges[-1] <= feature["range"][1]


@pytest.mark.parametrize("version", [CHAMPION, CHALLENGER])
def test_explanations_are_held_against_rows_of_every_score(version):
    with (FOLDER / version / "background.csv").open(newline="") as file:
        rows = np.array([[float(cell) for cell in row.values()] for row in csv.DictReader(file)])

    found = scores(version, rows)

    assert len(rows) == 20
    assert list(found) == sorted(found)
    assert found[0] < 0.05
    assert found[-1] > 0.95
