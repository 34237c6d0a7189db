"""The manifest: what is read of it, and every fault in words, all at once."""

import json

import pytest

from inference.contract.manifest import (
    Manifest,
    read_file,
    read_json,
    read_manifest,
    schema_problems,
)
from tests.manifests import PROBABILITIES, TENTHS, content_of, manifest_of
from tests.models import schema_of
from tests.records import FEATURES, feature

REGRESSION = {
    "task": "regression",
    "scores": {"score": {"edges": [*range(11)], "counts": [1] * 10}, "confidence": None},
}
INDEXES = {
    "score": {"edges": [*range(11)], "counts": [1] * 10},
    "confidence": PROBABILITIES,
}


def faults(content: object, tmp_path) -> list[str]:
    path = tmp_path / "manifest.json"
    path.write_text(content if isinstance(content, str) else json.dumps(content))
    problems: list[str] = []
    assert read_manifest(path, problems) is None
    return problems


@pytest.mark.parametrize(
    ("changes", "labels"),
    [
        ({}, [0, 1]),
        ({"labels": ["no", "yes"]}, ["no", "yes"]),
        ({"labels": ["a", "b", 3], "task": "multiclass", "scores": INDEXES}, ["a", "b", 3]),
        (REGRESSION, None),
    ],
)
def test_each_task_has_its_labels(changes, labels):
    assert manifest_of(**changes).labels == labels


def test_what_serving_does_not_obey_is_kept_as_it_is():
    manifest = manifest_of(metrics={"auc": 0.9}, limitations="few")

    assert manifest.model_extra == {"metrics": {"auc": 0.9}, "limitations": "few"}
    assert manifest.unknown_fields == "refuse"
    assert manifest.feature_code is None


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("{", "manifest.json is not JSON"),
        ("[" * 100_000, "manifest.json is not JSON"),
        ("[]", "manifest.json is not a JSON object"),
        ({"schema": 2}, "manifest.json: schema: Input should be 1 (given 2)"),
        ({"version": "1.0"}, "manifest.json: version: String should match"),
        ({"task": "ranking"}, "manifest.json: task: Input should be 'binary', 'multiclass' or"),
        ({"model": {}}, "manifest.json: model.file is missing; add it"),
        ({"features": []}, "manifest.json: features: List should have at least 1 item"),
        ({"latency": {"edges_seconds": [0.1] * 11}}, "edges must rise"),
        ({"latency": {"edges_seconds": [0.1]}}, "at least 11 items"),
        ({"latency": {"edges_seconds": [*range(10), float("nan")]}}, "finite number"),
        ({"labels": [0, 1, 2]}, "a binary model has 3 labels, allowed are 2"),
        ({"labels": ["1", 1]}, "labels must be distinct as text"),
        ({"labels": [True, False]}, "labels.0"),
        ({"task": "multiclass"}, "a multiclass model needs labels"),
        ({"task": "multiclass", "labels": ["a"]}, "at least 2 items"),
        (REGRESSION | {"labels": ["a", "b"]}, "a regression has no labels"),
        ({"task": "regression"}, "confidence is null for a regression"),
        ({"scores": {"score": PROBABILITIES, "confidence": None}}, "and a histogram otherwise"),
        ({"scores": {"score": PROBABILITIES}}, "scores.confidence is missing"),
        (
            {"task": "multiclass", "labels": [*range(12)], "scores": INDEXES},
            "allowed are edges from 0 to 11 or beyond",
        ),
        (
            {"scores": {"score": {"edges": TENTHS, "counts": [-1] * 10}, "confidence": None}},
            "scores.score.counts.0",
        ),
        ({"unknown_fields": "ignore"}, "unknown_fields: Input should be 'refuse' or 'record'"),
        ({"feature_code": {"file": "../x.py", "sha256": "0" * 64}}, "feature_code.file"),
        ({"feature_code": {"file": "x.py", "sha256": "0"}}, "feature_code.sha256"),
        ({"explanation": {"file": "background.csv"}}, "explanation.sha256 is missing"),
    ],
)
def test_a_fault_of_a_manifest_is_said_with_its_place(content, sentence, tmp_path):
    given = content if isinstance(content, str) else content_of() | content

    assert any(sentence in problem for problem in faults(given, tmp_path))


def row(**changes: object) -> dict[str, object]:
    """Give the content of a row of the feature table, of a number from 0 to 10."""
    edges = {"edges": [*range(11)], "counts": [1] * 10, "low": 0, "high": 0, "missing": 0}
    base = feature("size", "float", range=[0, 10]) | {"histogram": edges}
    return {key: value for key, value in (base | changes).items() if value != "absent"}


LISTED = {"range": "absent", "values": ["a", "b"], "histogram": {"counts": [1, 2], "missing": 0}}


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"name": ""}, "features.0.name"),
        ({"name": "instances"}, "none may be 'instances'"),
        ({"name": "\ud800"}, "features.0.name"),
        ({"type": "date"}, "features.0.type"),
        ({"nullable": 1}, "features.0.nullable"),
        ({"pii": "absent"}, "features.0.pii is missing"),
        ({"histogram": "absent"}, "features.0.histogram is missing"),
        ({"range": [0, 1e300]}, "must rise and fit float32"),
        ({"range": [10, 0]}, "must rise and fit float32"),
        ({"range": [0, float("inf")]}, "features.0.range.1"),
        ({"range": [0]}, "features.0.range"),
        ({"range": "absent"}, "type float has neither, allowed is range"),
        ({"values": [1, 2]}, "type float has range and values, allowed is range"),
        ({"type": "integer", "range": [0.5, 10]}, "the limits of an integer must be whole"),
        ({"type": "integer", "values": [1, 2]}, "type integer has range and values"),
        ({"type": "boolean"}, "type boolean has range, allowed is neither range nor values"),
        (LISTED | {"type": "float"}, "type float has values, allowed is range"),
        (LISTED | {"type": "integer"}, "values of type integer must be of it"),
        (LISTED | {"type": "integer", "values": [True, False]}, "features.0.values.0"),
        (LISTED | {"type": "string", "values": ["a"]}, "at least 2 items"),
        (LISTED | {"type": "string", "values": ["a", "a"]}, "values must be distinct"),
        (LISTED | {"type": "string", "values": ["a", ""]}, "none of them empty"),
        (LISTED | {"type": "string", "values": ["a", "b", "c"]}, "has 2 counts, allowed are 3"),
        (LISTED | {"type": "string", "values": [f"{i}" for i in range(101)]}, "at most 100 items"),
        ({"histogram": {"counts": [1] * 10}}, "edges exactly when the feature has a range"),
        ({"histogram": {"edges": [*range(11)], "counts": [1] * 9}}, "has 9 counts"),
        ({"histogram": {"edges": [*range(11)], "counts": [1] * 10, "low": -1}}, "histogram.low"),
    ],
)
def test_a_fault_of_a_feature_is_said_with_its_place(changes, sentence, tmp_path):
    given = content_of() | {"features": [row(**changes)]}

    assert any(sentence in problem for problem in faults(given, tmp_path))


def test_all_faults_come_at_once(tmp_path):
    bad = {"version": "1", "features": [row(type="date"), row(range=[1, 0], values=[1, 2])]}

    found = "\n".join(faults(content_of() | bad | {"labels": [1]}, tmp_path))

    assert all(word in found for word in ("version", "features.0.type", "features.1", "labels"))


def test_features_of_one_name_are_refused(tmp_path):
    (problem,) = faults(content_of() | {"features": [row(), row()]}, tmp_path)

    assert "must be distinct" in problem


@pytest.mark.parametrize("unknown_fields", ["refuse", "record"])
def test_a_schema_written_from_the_table_agrees_with_it(unknown_fields):
    manifest = manifest_of(unknown_fields=unknown_fields)
    schema = schema_of(FEATURES, unknown_fields)
    schema |= {"title": "one record", "$id": "x"}
    schema["properties"]["age"]["description"] = "unit: years"
    schema["properties"]["income"]["type"].reverse()
    schema["required"].reverse()

    assert schema_problems(schema, manifest) == []
    assert schema_problems(manifest.record_schema(), manifest) == []


@pytest.mark.parametrize(
    ("name", "rules"),
    [
        ("age", {"minimum": 19}),
        ("age", {"type": "number"}),
        ("age", {"multipleOf": 2}),
        ("income", {"type": "number"}),
        ("income", {"maximum": None}),
        ("region", {"enum": ["north", "south"]}),
        ("illness", {"enum": ["cough", "fever"]}),
        ("colour", {"type": "string"}),
    ],
)
def test_a_schema_that_differs_in_a_feature_is_refused(name, rules):
    schema = schema_of(FEATURES)
    schema["properties"][name] = schema["properties"].get(name, {}) | rules

    (problem,) = schema_problems(schema, manifest_of())

    assert f"feature {name!r}" in problem


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"required": ["age"]}, "required"),
        ({"additionalProperties": True}, "additionalProperties"),
        ({"type": "array"}, "type"),
        ({"minProperties": 2}, "minProperties"),
        ({"properties": None}, "properties"),
    ],
)
def test_a_schema_that_differs_as_a_whole_is_refused(changes, word):
    (problem,) = schema_problems(schema_of(FEATURES) | changes, manifest_of())

    assert word in problem


def test_a_file_that_is_absent_or_another_one_is_named_with_its_cure(tmp_path):
    problems: list[str] = []
    (tmp_path / "model.onnx").write_bytes(b"x")

    assert read_json(tmp_path / "schema.json", problems) is None
    assert read_file(tmp_path, "model.onnx", "0" * 64, problems) is None
    assert read_file(tmp_path, "features.py", "0" * 64, problems) is None
    assert [problem.split(" ")[0] for problem in problems] == [
        "schema.json",
        "model.onnx",
        "features.py",
    ]
    assert "ship the two that were written together" in problems[1]


def test_a_manifest_is_never_changed_once_it_is_read():
    with pytest.raises(ValueError, match="frozen"):
        manifest_of().version = "2.0.0"
    assert isinstance(manifest_of(), Manifest)
