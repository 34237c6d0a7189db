"""The model directory: scores as the model file gives them, and what is refused."""

import hashlib
import json
import shutil

import numpy as np
import onnxruntime
import pytest

from inference.metrics import bin_of
from inference.model import UnusableError, is_sound, load

VERSIONS = ["v1-0-0", "v1-1-0", "v1-2-0"]


@pytest.fixture
def folder(classifier, tmp_path):
    return shutil.copytree(classifier / "v1-0-0", tmp_path / "model")


def rewrite(path, **changes):
    path.write_text(json.dumps(json.loads(path.read_text()) | changes))


def problems(folder) -> str:
    with pytest.raises(UnusableError) as caught:
        load(folder)
    return "\n".join(caught.value.problems)


@pytest.mark.parametrize("version", VERSIONS)
def test_every_held_out_row_gets_the_score_of_the_model_file(classifier, records, version):
    model = load(classifier / version)
    session = onnxruntime.InferenceSession(classifier / version / "model.onnx")
    for record in records:
        row = np.array([list(record.values())], dtype=np.float32)
        (probabilities,) = session.run(["probabilities"], {"record": row})

        (prediction,) = model.predict(row.tolist())

        assert prediction["score"] == round(float(probabilities[0, 1]), 6)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_batch_moves_a_score_by_no_more_than_its_last_digit(classifier, records, version):
    model = load(classifier / version)
    rows = [list(record.values()) for record in records]

    together = [prediction["score"] for prediction in model.predict(rows)]

    assert together == pytest.approx(scores(model, rows), abs=1.5e-6)


def scores(model, rows) -> list[float]:
    return [model.predict([row])[0]["score"] for row in rows]


@pytest.mark.parametrize("version", ["v1-0-0", "v1-1-0"])
def test_what_is_served_has_the_distribution_that_the_manifest_promises(
    classifier, records, version
):
    manifest = json.loads((classifier / version / "manifest.json").read_text())
    model = load(classifier / version)
    predictions = [model.predict([list(record.values())])[0] for record in records]

    for field in ("score", "confidence"):
        promised = manifest["scores"][field]
        served = [bin_of(promised["edges"], prediction[field]) for prediction in predictions]
        assert [served.count(f"{i:02d}") for i in range(10)] == promised["counts"]


def test_label_and_confidence_follow_from_the_score_as_sent(classifier, records):
    for prediction in load(classifier / "v1-0-0").predict([list(r.values()) for r in records]):
        score = prediction["score"]
        assert prediction["label"] == (1 if score >= 0.5 else 0)
        assert prediction["confidence"] == round(max(score, 1 - score), 6)


@pytest.mark.parametrize(
    ("score", "label"), [(0.4999996, 1), (0.4999994, 0), (0.5, 1), (0.0, 0), (1.0, 1)]
)
def test_the_threshold_is_applied_to_the_rounded_score(folder, monkeypatch, score, label):
    model = load(folder)
    answer = [np.array([[1 - score, score]])]
    monkeypatch.setattr(onnxruntime.InferenceSession, "run", lambda *_: answer)

    assert model.predict([[1.0]])[0]["label"] == label


@pytest.mark.parametrize("score", [float("nan"), float("inf"), -0.1, 1.1])
def test_a_score_outside_0_to_1_is_no_sound_prediction(folder, monkeypatch, score):
    model = load(folder)
    answer = [np.array([[0.0, score]])]
    monkeypatch.setattr(onnxruntime.InferenceSession, "run", lambda *_: answer)

    assert not is_sound(model.predict([[1.0]])[0])


def with_other_model_file(folder, content: bytes):
    (folder / "model.onnx").write_bytes(content)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["model"]["sha256"] = hashlib.sha256(content).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))


def with_changed_feature(folder, **changes):
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["features"][0] |= changes
    (folder / "manifest.json").write_text(json.dumps(manifest))


def with_features(folder, keep: int):
    """Shorten the table in both files, so that only the model is wider."""
    manifest = json.loads((folder / "manifest.json").read_text())
    schema = json.loads((folder / "schema.json").read_text())
    names = [feature["name"] for feature in manifest["features"]][:keep]
    rewrite(folder / "manifest.json", features=manifest["features"][:keep])
    properties = {name: schema["properties"][name] for name in names}
    rewrite(folder / "schema.json", properties=properties, required=names)


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda f: (f / "manifest.json").unlink(), "manifest.json cannot be read"),
        (lambda f: (f / "manifest.json").write_text("{"), "manifest.json is not JSON"),
        (lambda f: (f / "manifest.json").write_text("[]"), "manifest.json is not a JSON object"),
        (lambda f: rewrite(f / "manifest.json", schema=2), "manifest.json: schema"),
        (lambda f: rewrite(f / "manifest.json", version="1.0"), "manifest.json: version"),
        (lambda f: rewrite(f / "manifest.json", features=[]), "manifest.json: features"),
        (lambda f: rewrite(f / "manifest.json", latency={}), "latency.edges_seconds"),
        (
            lambda f: rewrite(f / "manifest.json", latency={"edges_seconds": [0.1] * 11}),
            "edges must rise",
        ),
        (lambda f: with_changed_feature(f, type="string"), "features.0.type"),
        (lambda f: with_changed_feature(f, nullable=True), "features.0.nullable"),
        (lambda f: with_changed_feature(f, range=[0, 1e300]), "fit float32"),
        (lambda f: with_changed_feature(f, name="instances"), "none may be 'instances'"),
        (lambda f: with_changed_feature(f, name="mean_texture"), "must be distinct"),
        (lambda f: with_changed_feature(f, range=[1, 60]), "differ in feature 'mean_radius'"),
        (lambda f: with_features(f, 29), "the model's inputs are {'record': [30]}"),
        (lambda f: (f / "schema.json").unlink(), "schema.json cannot be read"),
        (lambda f: rewrite(f / "schema.json", required=[]), "does not require exactly"),
        (lambda f: rewrite(f / "schema.json", additionalProperties=True), "allows additional"),
        (lambda f: (f / "model.onnx").unlink(), "model.onnx cannot be read"),
        (lambda f: (f / "model.onnx").write_bytes(b"other"), "model.onnx has sha256"),
        (lambda f: with_other_model_file(f, b"no model"), "model.onnx does not load"),
    ],
)
def test_a_directory_that_does_not_fit_together_is_refused(folder, damage, sentence):
    damage(folder)

    assert sentence in problems(folder)


def test_all_problems_of_a_directory_come_at_once(folder):
    (folder / "schema.json").unlink()
    (folder / "model.onnx").write_bytes(b"other")

    found = problems(folder)

    assert "schema.json cannot be read" in found
    assert "model.onnx has sha256" in found


def test_an_output_that_the_model_does_not_have_is_refused(folder):
    manifest = json.loads((folder / "manifest.json").read_text())
    rewrite(folder / "manifest.json", model=manifest["model"] | {"output": "label"})

    assert "allowed is 'label' of width [2]" in problems(folder)


def test_a_model_that_fails_on_the_middle_of_its_ranges_is_never_served(folder, monkeypatch):
    def fail(*_):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(onnxruntime.InferenceSession, "run", fail)

    assert "fails on the middle of its ranges: out of memory" in problems(folder)
