"""A version's folder is refused where manifest, schema and model do not fit together."""

import hashlib
import json
import shutil

import numpy as np
import onnx
import pytest
from onnx import TensorProto, helper, numpy_helper

from tests.steelyard.spec.sample import copy_example, edit, edit_json, problems_of


def write_model(home, content: bytes) -> None:
    """Put a model into a version's folder, with its digest in the manifest."""
    (home / "model.onnx").write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    edit_json(home / "manifest.json", lambda it: it["model"].update(sha256=digest))


def linear_model(width: int, outputs: int, name="record") -> bytes:
    """Return an ONNX model that multiplies its input by a matrix of ones."""
    matrix = numpy_helper.from_array(np.ones((width, outputs), np.float32), "ones")
    graph = helper.make_graph(
        [helper.make_node("MatMul", [name, "ones"], ["probabilities"])],
        "linear",
        [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, width])],
        [helper.make_tensor_value_info("probabilities", TensorProto.FLOAT, [None, outputs])],
        [matrix],
    )
    opset = [helper.make_opsetid("", 17)]
    return onnx.ModelProto.SerializeToString(
        helper.make_model(graph, opset_imports=opset, ir_version=8)
    )


def swap(it: dict, one: str, other: str) -> None:
    """Exchange two entries' places in a dict."""
    entries = list(it.items())
    places = {name: index for index, (name, _) in enumerate(entries)}
    i, j = places[one], places[other]
    entries[i], entries[j] = entries[j], entries[i]
    it.clear()
    it.update(entries)


def test_a_missing_folder_is_answered_with_those_that_are_there(tmp_path):
    folder = copy_example(tmp_path)
    shutil.rmtree(folder / "v1-2-0")

    assert problems_of(folder) == [
        "v1-2-0: is missing, allowed is a version with a folder, which are v1-0-0, v1-1-0: "
        "name one of these, or train v1-2-0"
    ]


@pytest.mark.parametrize("file", ["manifest.json", "schema.json", "model.onnx"])
def test_a_missing_file_is_answered_with_the_script_that_writes_it(tmp_path, file):
    folder = copy_example(tmp_path)
    (folder / "v1-1-0" / file).unlink()

    (problem,) = problems_of(folder)

    assert problem.startswith(f"v1-1-0/{file}: ")
    assert "run the training script of this endpoint" in problem


def test_a_model_that_is_not_the_manifests_is_refused_by_its_digest(tmp_path):
    folder = copy_example(tmp_path)
    shutil.copy(folder / "v1-0-0" / "model.onnx", folder / "v1-1-0" / "model.onnx")

    (problem,) = problems_of(folder)

    assert problem.startswith("v1-1-0/model.onnx: given a file with sha256 ")
    assert ", as manifest.json says: restore the file" in problem


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"not a model", "is no ONNX model that onnxruntime can load ("),
        (b"", "is no ONNX model that onnxruntime can load ("),
        (linear_model(29, 2), "takes 'record' of width 29, allowed is 'record' of width 30 alone"),
        (linear_model(30, 2, "x"), "takes 'x' of width 30, allowed is 'record' of width 30 alone"),
        (linear_model(30, 1), "gives 'probabilities' of width 1, allowed is 'probabilities' of "),
    ],
)
def test_a_model_that_the_container_could_not_serve_is_refused(tmp_path, content, expected):
    folder = copy_example(tmp_path)
    write_model(folder / "v1-1-0", content)

    (problem,) = problems_of(folder)

    assert problem.startswith(f"v1-1-0/model.onnx: {expected}")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            lambda it: it["properties"].update(extra={"type": "number"}),
            "properties: differ from the features of manifest.json in extra",
        ),
        (
            lambda it: it["properties"].pop("mean_radius"),
            "properties: differ from the features of manifest.json in mean_radius",
        ),
        (
            lambda it: swap(it["properties"], "mean_radius", "mean_texture"),
            "properties: are in another order than the features",
        ),
        (
            lambda it: it["properties"]["mean_radius"].update(maximum=61),
            "mean_radius.maximum: given 61, allowed is 60.0, as manifest.json says",
        ),
        (
            lambda it: it["properties"].update(mean_radius="number"),
            "mean_radius.type: given nothing, allowed is 'number', as manifest.json says",
        ),
        (lambda it: it.update(properties=[]), "holds no properties"),
        (lambda it: it.update(additionalProperties=True), "additionalProperties: is not false"),
        (lambda it: it["required"].pop(), "required: does not list exactly the properties"),
    ],
)
def test_a_schema_that_is_not_the_manifests_is_refused(tmp_path, change, expected):
    folder = copy_example(tmp_path)
    edit_json(folder / "v1-1-0" / "schema.json", change)

    assert problems_of(folder)[0].startswith(f"v1-1-0/schema.json: {expected}")


def test_a_schema_that_is_no_object_is_refused(tmp_path):
    folder = copy_example(tmp_path)
    (folder / "v1-1-0" / "schema.json").write_text("[]")

    assert problems_of(folder)[0].startswith("v1-1-0/schema.json: holds no properties")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (
            lambda it: it.update(name="another"),
            "name: given 'another', allowed is 'tumour-classifier', as endpoint.yaml calls it",
        ),
        (
            lambda it: it.update(version="1.1.1"),
            "version: given '1.1.1', allowed is '1.1.0', as its folder is called",
        ),
        (lambda it: it.pop("owner"), "owner: is missing, allowed is text"),
        (lambda it: it.update(ownr="x"), "ownr: is not a field here, allowed is schema, name"),
        (lambda it: it.update(schema=2), "schema: given 2, allowed is 1: write one of these"),
        (
            lambda it: it.update(image="serving:latest"),
            "image: given 'serving:latest', which may change under us, allowed is a fixed tag",
        ),
        (
            lambda it: it["model"].update(file="../model.onnx"),
            "model.file: given '../model.onnx', allowed is the name of a file in this folder",
        ),
        (
            lambda it: it["model"].update(sha256="abc"),
            "model.sha256: given 'abc', allowed is the file's sha256 in 64 hexadecimal digits",
        ),
        (
            lambda it: it["features"][0].update(range=[2, 1]),
            "features[0].range: given [2.0, 1.0], allowed is a lower limit below the upper one",
        ),
        (
            lambda it: it["features"][0].update(range=[1]),
            "features[0].range[1]: is missing, allowed is a finite number",
        ),
        (
            lambda it: it["features"][0].update(name="mean_texture"),
            "features: given mean_texture, allowed is each name once, and never instances",
        ),
        (
            lambda it: it["scores"]["score"]["edges"].reverse(),
            "scores.score.edges: given 0.9 after 1, allowed is rising edges: put them in order",
        ),
        (
            lambda it: it["scores"]["score"]["edges"].pop(),
            "scores.score.edges: given [0.0, 0.1, 0.2, 0.3, 0.4, 0.5, ...], allowed is a list of "
            "11 rising numbers",
        ),
        (
            lambda it: it["scores"]["score"].update(counts=[0] * 10),
            "scores.score.counts: given 0 in every bin, allowed is at least one held-out row",
        ),
        (
            lambda it: it["latency"].update(edges_seconds=[1]),
            "latency.edges_seconds: given [1], allowed is a list of 11 rising numbers",
        ),
        (
            lambda it: it["metrics"].update(auc=float("nan")),
            "metrics.auc: given nan, allowed is a finite number",
        ),
    ],
)
def test_a_wrong_manifest_is_answered_by_one_sentence(tmp_path, change, expected):
    folder = copy_example(tmp_path)
    edit_json(folder / "v1-1-0" / "manifest.json", change)

    (problem,) = problems_of(folder)

    assert problem.startswith(f"v1-1-0/manifest.json: {expected}")


def test_a_manifest_that_is_not_json_says_where(tmp_path):
    folder = copy_example(tmp_path)
    edit(folder / "v1-1-0" / "manifest.json", ('"schema": 1,', '"schema": 1'))

    (problem,) = problems_of(folder)

    assert problem.startswith("v1-1-0/manifest.json, line 3, column 3: is not JSON: ")


def test_a_manifest_that_is_no_object_is_told_its_fields(tmp_path):
    folder = copy_example(tmp_path)
    (folder / "v1-1-0" / "manifest.json").write_text(json.dumps([1]))

    (problem,) = problems_of(folder)

    assert problem.startswith(
        "v1-1-0/manifest.json: given [1], allowed is a mapping with schema, name, version"
    )
