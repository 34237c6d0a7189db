"""The model directory: scores as the model file gives them, and what is refused."""

import hashlib
import json

import numpy as np
import onnxruntime
import pytest

from inference.scoring.model import UnusableError, load
from tests.models import write_version

VERSIONS = ["v1-0-0", "v1-1-0", "v1-2-0"]


@pytest.fixture
def folder(tmp_path):
    return write_version(tmp_path / "model")


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
        tensor = np.array([list(record.values())], dtype=np.float32)
        (probabilities,) = session.run(["probabilities"], {"record": tensor})

        (scored,) = model.score(model.rows([record]))

        assert scored.prediction["score"] == round(float(probabilities[0, 1]), 6)


@pytest.mark.parametrize("version", VERSIONS)
def test_a_batch_moves_a_score_by_no_more_than_its_last_digit(classifier, records, version):
    model = load(classifier / version)
    rows = model.rows(records)

    together = [scored.score for scored in model.score(rows)]
    alone = [model.score([row])[0].score for row in rows]

    assert together == pytest.approx(alone, abs=1.5e-6)


@pytest.mark.parametrize("version", ["v1-0-0", "v1-1-0"])
def test_what_is_served_has_the_distribution_that_the_manifest_promises(
    classifier, records, version
):
    manifest = json.loads((classifier / version / "manifest.json").read_text())
    model = load(classifier / version)
    scored = [model.score([row])[0] for row in model.rows(records)]

    for field in ("score", "confidence"):
        promised = manifest["scores"][field]
        served, _ = np.histogram([getattr(one, field) for one in scored], promised["edges"])
        assert served.tolist() == promised["counts"]


@pytest.mark.parametrize("version", VERSIONS)
def test_what_a_call_costs_is_known_once_the_model_is_loaded(classifier, version):
    assert all(0 < seconds < 0.1 for seconds in load(classifier / version).call_seconds.values())


def with_other_model_file(folder, content: bytes):
    (folder / "model.onnx").write_bytes(content)
    manifest = json.loads((folder / "manifest.json").read_text())
    manifest["model"]["sha256"] = hashlib.sha256(content).hexdigest()
    (folder / "manifest.json").write_text(json.dumps(manifest))


def without_last_feature(folder):
    """Shorten the table in both files, so that only the model is wider."""
    manifest = json.loads((folder / "manifest.json").read_text())
    schema = json.loads((folder / "schema.json").read_text())
    last = manifest["features"].pop()["name"]
    schema["properties"].pop(last)
    schema["required"].remove(last)
    (folder / "manifest.json").write_text(json.dumps(manifest))
    (folder / "schema.json").write_text(json.dumps(schema))


def with_background(folder, text: str):
    (folder / "background.csv").write_text(text)
    digest = hashlib.sha256(text.encode()).hexdigest()
    rewrite(folder / "manifest.json", explanation={"file": "background.csv", "sha256": digest})


def with_output(folder, name: str):
    model = json.loads((folder / "manifest.json").read_text())["model"]
    rewrite(folder / "manifest.json", model=model | {"output": name})


@pytest.mark.parametrize(
    ("damage", "sentence"),
    [
        (lambda f: (f / "manifest.json").unlink(), "manifest.json cannot be read"),
        (lambda f: rewrite(f / "manifest.json", schema=2), "manifest.json: schema"),
        (lambda f: (f / "schema.json").unlink(), "schema.json cannot be read"),
        (lambda f: rewrite(f / "schema.json", required=[]), "schema.json"),
        (lambda f: (f / "model.onnx").unlink(), "model.onnx cannot be read"),
        (lambda f: (f / "model.onnx").write_bytes(b"other"), "model.onnx has sha256"),
        (lambda f: with_other_model_file(f, b"no model"), "model.onnx does not load"),
        (lambda f: (f / "background.csv").unlink(), "background.csv cannot be read"),
        (lambda f: with_background(f, "age\n17\n"), "holds other records than the model takes"),
        (without_last_feature, "the model's inputs are {'record': [7]}"),
        (lambda f: with_output(f, "label"), "the model's outputs are answer, allowed is 'label'"),
        (lambda f: rewrite(f / "manifest.json", task="regression"), "confidence is null"),
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


def test_an_output_of_another_task_is_refused(folder, tmp_path):
    other = write_version(tmp_path / "other", task="multiclass")
    with_other_model_file(folder, (other / "model.onnx").read_bytes())

    assert "allowed is (rows, 2)" in problems(folder)


def test_a_model_that_fails_on_the_middle_of_its_ranges_is_never_served(folder, monkeypatch):
    def fail(*_):
        raise RuntimeError("out of memory")

    monkeypatch.setattr(onnxruntime.InferenceSession, "run", fail)

    assert "fails on the middle of its ranges: out of memory" in problems(folder)
