"""The OpenAPI document: valid, and it allows and forbids what the check of records does."""

import json

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from inference.contract.formats import MEDIA_TYPES, read, write_problems
from inference.contract.openapi import document
from inference.contract.refusal import RefusedError, overloaded
from inference.contract.schema import Schema
from inference.scoring.prediction import task_of
from tests.manifests import PROBABILITIES, manifest_of
from tests.records import FEATURES, feature, records

INDEXES = {"edges": [*range(11)], "counts": [1] * 10}
PACKED = {"file": "background.csv", "sha256": "0" * 64}
TASKS = {
    "binary": {},
    "multiclass": {
        "task": "multiclass",
        "labels": ["a", "b", 3],
        "scores": {"score": INDEXES, "confidence": PROBABILITIES},
        "explanation": PACKED,
    },
    "regression": {
        "task": "regression",
        "scores": {"score": INDEXES, "confidence": None},
        "unknown_fields": "record",
    },
}
GOOD = records(1)[0]
OUTPUTS = {"binary": [[0.1, 0.9]], "multiclass": [[0.2, 0.3, 0.5]], "regression": [[7.5]]}


def rules(manifest, name: str) -> Draft202012Validator:
    """Give what validates the schema of a name."""
    schemas = document(manifest)["components"]["schemas"]
    found = {"$ref": f"#/components/schemas/{name}", "components": {"schemas": schemas}}
    return Draft202012Validator(found)


@pytest.mark.parametrize("task", TASKS)
def test_the_document_is_valid_and_plain_json(task):
    written = document(manifest_of(**TASKS[task]))

    validate(written)
    assert json.loads(json.dumps(written)) == written


def test_every_route_format_and_refusal_is_in_it():
    paths = document(manifest_of())["paths"]

    invoke = paths["/invocations"]["post"]
    assert {*paths} == {
        *("/invocations", "/ping", "/ready", "/metrics", "/metadata", "/execution-parameters")
    }
    assert {*invoke["requestBody"]["content"]} == {*MEDIA_TYPES}
    assert {*invoke["responses"]["200"]["content"]} == {*MEDIA_TYPES}
    assert {"400", "406", "413", "415", "422", "500", "503"} < {*invoke["responses"]}
    assert "Retry-After" in invoke["responses"]["503"]["headers"]


def test_features_say_their_unit_and_whether_they_are_personal():
    properties = document(manifest_of())["components"]["schemas"]["Record"]["properties"]

    assert "unit: 1" in properties["income"]["description"]
    assert "personal data" in properties["age"]["description"]
    assert "personal data" not in properties["income"]["description"]


@pytest.mark.parametrize("task", TASKS)
def test_an_answer_is_as_the_document_says(task):
    manifest = manifest_of(**TASKS[task])
    predictions = [each.prediction for each in task_of(manifest).read(np.array(OUTPUTS[task]))]

    answer = {"predictions": predictions, "model_version": "1.0.0"}

    rules(manifest, "Answer").validate(answer)
    assert not rules(manifest, "Answer").is_valid({"predictions": [{}], "model_version": "1.0.0"})


def test_an_explanation_is_allowed_where_the_version_can_give_one():
    explanation = {"unit": "log odds", "base": 0.5, "contributions": {}}
    explanation["contributions"] = {it["name"]: 0.1 for it in FEATURES}
    prediction = {"score": 0.5, "label": 1, "confidence": 0.5, "explanation": explanation}

    assert rules(manifest_of(explanation=PACKED), "Prediction").is_valid(prediction)
    assert not rules(manifest_of(), "Prediction").is_valid(prediction)


def test_a_refusal_is_as_the_document_says():
    body = json.loads(write_problems(overloaded("too many").problems))

    rules(manifest_of(), "Refusal").validate(body)


@pytest.mark.parametrize("task", TASKS)
def test_the_example_and_every_good_record_is_allowed(task):
    manifest = manifest_of(**TASKS[task])
    content = document(manifest)["paths"]["/invocations"]["post"]["requestBody"]["content"]
    example = content["application/json"]["example"]

    for record in (example, *records(20)):
        rules(manifest, "Record").validate(record)
        rules(manifest, "Batch").validate({"instances": [record]})
        assert Schema(manifest).one(json.dumps(record).encode()) is not None


CHANGES = st.dictionaries(
    st.sampled_from([it["name"] for it in FEATURES] + ["colour", "instances"]),
    st.none()
    | st.booleans()
    | st.integers(-1, 120)
    | st.sampled_from([0.5, -0.5, 3e5, "north", "cough", "", "1"])
    | st.lists(st.integers(), max_size=1),
    max_size=3,
)


@given(CHANGES, st.sets(st.sampled_from([it["name"] for it in FEATURES]), max_size=1))
@pytest.mark.parametrize("unknown_fields", ["refuse", "record"])
def test_what_the_document_allows_is_taken_and_what_it_forbids_is_refused(
    unknown_fields, changes, dropped
):
    manifest = manifest_of(unknown_fields=unknown_fields)
    item = {key: value for key, value in (GOOD | changes).items() if key not in dropped}

    assert is_taken(Schema(manifest), item) == rules(manifest, "Record").is_valid(item)


def is_taken(schema: Schema, item: object) -> bool:
    try:
        read(schema, b"application/json", json.dumps(item).encode())
    except RefusedError:
        return False
    return True


def test_a_record_with_the_key_of_a_batch_is_forbidden_though_unknown_fields_are_allowed():
    manifest = manifest_of(unknown_fields="record")

    for item, is_allowed in ((GOOD | {"colour": 1}, True), (GOOD | {"instances": 1}, False)):
        assert is_taken(Schema(manifest), item) == is_allowed
        assert rules(manifest, "Record").is_valid(item) == is_allowed


def test_a_feature_may_be_called_like_anything_else():
    names = ("$ref", "a/b~c", "properties", "é ü")
    manifest = manifest_of([feature(name, "float", range=[0, 1]) for name in names])

    validate(document(manifest))
    rules(manifest, "Record").validate(dict.fromkeys(names, 0.5))
