"""Endpoints of every task are loaded, and what does not fit a task is refused in words."""

import math
from dataclasses import replace

import pytest

from steelyard.spec import load
from steelyard.spec.held_out import is_worse, measure
from tests.models import LABELS, TASKS
from tests.records import FEATURE_CODE, FEATURES
from tests.steelyard.spec.sample import ROWS, edit, edit_json, problems_of, write_task

METRIC = {"binary": "accuracy", "multiclass": "log_loss", "regression": "mean_absolute_error"}


@pytest.mark.parametrize("code", [None, FEATURE_CODE], ids=["table", "code"])
@pytest.mark.parametrize("task", TASKS)
def test_an_endpoint_of_any_task_and_type_of_feature_is_loaded(tmp_path, task, code):
    folder = write_task(tmp_path / "sample", task, METRIC[task], feature_code=code)

    endpoint = load(folder)

    assert [record for record, _ in endpoint.rows] == ROWS
    assert endpoint.policy().expected.score > 0
    assert (endpoint.policy().expected.confidence > 0) == (task != "regression")


@pytest.mark.parametrize("record", [0, 17])
def test_the_values_of_a_row_have_the_types_of_their_features(tmp_path, record):
    endpoint = load(write_task(tmp_path / "sample", "binary", "accuracy"))

    found = endpoint.rows[record][0]

    assert [type(value) for value in found.values()] == [type(it) for it in ROWS[record].values()]


@pytest.mark.parametrize("task", TASKS)
def test_a_version_is_measured_through_its_own_feature_code(tmp_path, task):
    metric = "mean_absolute_error" if task == "regression" else "accuracy"
    endpoint = load(write_task(tmp_path / "sample", task, metric, feature_code=FEATURE_CODE))

    assert measure(endpoint, "v1-0-0") == pytest.approx(2.0 if task == "regression" else 1.0)
    assert is_worse(endpoint)


def test_the_margin_of_an_absolute_error_is_a_share_of_the_champions(tmp_path):
    endpoint = load(write_task(tmp_path / "sample", "regression", "mean_absolute_error"))
    champion, challenger = (measure(endpoint, version) for version in ("v1-0-0", "v2-0-0"))
    just = (challenger - champion) / champion
    assert just > 0.02

    for margin, expected in ((just - 0.01, True), (just + 0.01, False)):
        held_out = endpoint.file.held_out.model_copy(update={"margin": margin})
        file = endpoint.file.model_copy(update={"held_out": held_out})
        assert is_worse(replace(endpoint, file=file)) == expected


def test_the_loss_of_several_classes_is_that_of_the_true_one(tmp_path):
    folder = write_task(tmp_path / "sample", "multiclass", "log_loss")

    # The champion gives each true label the greatest share of three, so more than a third.
    assert 0 < measure(load(folder), "v1-0-0") < math.log(3)


@pytest.mark.parametrize(
    ("task", "metric", "allowed"),
    [
        ("binary", "mean_absolute_error", "accuracy, log_loss for a binary model"),
        ("multiclass", "mean_absolute_error", "accuracy, log_loss for a multiclass model"),
        ("regression", "log_loss", "mean_absolute_error for a regression model"),
        ("regression", None, "mean_absolute_error for a regression model"),
    ],
)
def test_a_metric_that_does_not_fit_the_task_is_refused(tmp_path, task, metric, allowed):
    folder = write_task(tmp_path / "sample", task, metric or "accuracy")
    if metric is None:
        edit(folder / "endpoint.yaml", ("  metric: accuracy\n", ""))

    (problem,) = problems_of(folder)

    assert f"held_out.metric: given {metric or 'accuracy'}, allowed is {allowed}" in problem


@pytest.mark.parametrize(
    ("task", "cell", "allowed"),
    [
        ("binary", "2", "0 or 1"),
        ("multiclass", "", "low or middle or high"),
        ("multiclass", "1", "low or middle or high"),
        ("regression", "nan", "a finite number"),
        ("regression", "much", "a finite number"),
    ],
)
def test_a_true_answer_is_one_that_the_task_knows(tmp_path, task, cell, allowed):
    folder = write_task(tmp_path / "sample", task, METRIC[task])
    lines = (folder / "rows.csv").read_text().splitlines()
    lines[3] = f"{lines[3].rpartition(',')[0]},{cell}"
    (folder / "rows.csv").write_text("\n".join(lines))

    (problem,) = problems_of(folder)

    assert problem.startswith(f"rows.csv, line 4: truth: given {cell!r}, allowed is {allowed}: ")


def test_a_binary_model_may_have_labels_of_its_own(tmp_path):
    folder = write_task(tmp_path / "sample", "binary", "accuracy", labels=["good", "bad"])
    endpoint = load(folder)

    assert {truth for _, truth in endpoint.rows} == {"good", "bad"}
    assert measure(endpoint, "v1-0-0") == 1.0


def test_many_labels_are_not_all_listed(tmp_path):
    labels = [f"class {number}" for number in range(12)]
    folder = write_task(tmp_path / "sample", "multiclass", "accuracy", labels=labels)
    edit(folder / "rows.csv", (",class ", ",kind "))

    (problem,) = problems_of(folder)

    assert "class 8 or class 9 and 2 more: mend" in problem


WRONG = [
    ("multiclass", lambda it: it.pop("labels"), "labels: is missing, allowed is a list of 2 to"),
    ("binary", lambda it: it.update(labels=["a", "b", "c"]), "labels: given 3 labels, allowed is"),
    ("regression", lambda it: it.update(labels=["a", "b"]), "labels: given ['a', 'b'], allowed is"),
    ("multiclass", lambda it: it.update(labels=["a"]), "labels: given ['a'], allowed is a list"),
    ("multiclass", lambda it: it.update(labels=["a", 1, "1"]), "labels: given 1, allowed is text"),
    ("multiclass", lambda it: it.update(labels=["a", "b", ""]), "labels: given '', allowed is"),
    ("multiclass", lambda it: it.update(labels=["a", True, "b"]), "labels: given true, allowed"),
    ("multiclass", lambda it: it.update(labels=["a", None, "b"]), "labels: given None, allowed"),
    ("multiclass", lambda it: it.update(labels=["a", 0.5, "b"]), "labels: given 0.5, allowed is"),
    ("binary", lambda it: it.update(task="ranking"), "task: given 'ranking', allowed is binary, "),
    (
        "binary",
        lambda it: it["scores"]["score"]["edges"].__setitem__(0, 0.05),
        "scores.score: given edges from 0.05 to 1, allowed is from 0 to 1, so that every",
    ),
    (
        "binary",
        lambda it: it["scores"].update(confidence=None),
        "scores.confidence: is empty, allowed is a histogram for a binary model",
    ),
    (
        "binary",
        lambda it: it["scores"]["confidence"]["edges"].__setitem__(0, 0.51),
        "scores.confidence: given edges from 0.51 to 1, allowed is from 0.5 to 1",
    ),
    (
        "multiclass",
        lambda it: it["scores"]["confidence"]["edges"].__setitem__(0, 0.34),
        "scores.confidence: given edges from 0.34 to 1, allowed is from 0.333333 to 1",
    ),
    (
        "multiclass",
        lambda it: it["scores"]["score"].update(edges=[0.1 * n for n in range(11)]),
        "scores.score: given edges from 0 to 1, allowed is from 0 to 2",
    ),
    (
        "regression",
        lambda it: it["scores"].update(confidence=it["scores"]["score"]),
        "scores.confidence: given a histogram, allowed is null for a regression model",
    ),
    (
        "binary",
        lambda it: it.update(unknown_fields="keep"),
        "unknown_fields: given 'keep', allowed is refuse, record: write one of these",
    ),
]


@pytest.mark.parametrize(("task", "change", "expected"), WRONG)
def test_what_does_not_fit_the_task_is_answered_by_one_sentence(tmp_path, task, change, expected):
    folder = write_task(tmp_path / "sample", task, METRIC[task])
    edit_json(folder / "v2-0-0" / "manifest.json", change)

    assert problems_of(folder)[0].startswith(f"v2-0-0/manifest.json: {expected}")


@pytest.mark.parametrize(
    ("task", "other", "expected"),
    [
        ("binary", "regression", "width 2, allowed is 'answer' of width 1, the value: run"),
        ("multiclass", "binary", "width 3, allowed is 'answer' of width 2, one probability to a"),
        ("regression", "binary", "width 1, allowed is 'answer' of width 2, one probability to a"),
    ],
)
def test_a_model_of_another_task_is_refused_by_the_width_of_its_output(
    tmp_path, task, other, expected
):
    folder = write_task(tmp_path / "sample", task, METRIC[task])

    def claim(manifest):
        manifest.update(task=other)
        manifest.pop("labels", None)

    edit_json(folder / "v2-0-0" / "manifest.json", claim)

    assert f"v2-0-0/model.onnx: gives 'answer' of {expected}" in "\n".join(problems_of(folder))


def test_versions_that_answer_something_else_are_not_compared(tmp_path):
    folder = write_task(tmp_path / "sample", "multiclass", "accuracy")
    turned = LABELS[::-1]
    edit_json(folder / "v2-0-0" / "manifest.json", lambda it: it.update(labels=turned))

    (problem,) = problems_of(folder)

    assert problem.startswith(
        "v2-0-0/manifest.json: labels: given ['high', 'middle', 'low'], allowed is what v1-0-0 has"
    )


def test_unknown_fields_that_are_recorded_make_an_open_schema(tmp_path):
    folder = write_task(tmp_path / "sample", "binary", "accuracy", unknown_fields="record")
    assert load(folder).manifests["v1-0-0"].unknown_fields == "record"
    edit_json(folder / "v2-0-0" / "schema.json", lambda it: it.update(additionalProperties=False))

    assert problems_of(folder)[0].startswith(
        "v2-0-0/schema.json: additionalProperties: is not true, as it must be where manifest.json "
        "says 'record'"
    )


@pytest.mark.parametrize(
    ("name", "key", "value", "expected"),
    [
        ("income", "type", "number", "given 'number', allowed is ['number', 'null']"),
        ("member", "type", "string", "given 'string', allowed is 'boolean'"),
        ("region", "enum", ["north"], "given ['north'], allowed is ['north', 'south', 'far east']"),
        ("doors", "enum", [2, 3, 5], "given [2, 3, 5], allowed is [2, 3, 5, None]"),
        ("age", "minimum", None, "given nothing, allowed is 18.0"),
        ("member", "enum", [True], "given [True], allowed is nothing"),
    ],
)
def test_each_rule_of_the_schema_is_the_tables(tmp_path, name, key, value, expected):
    assert {feature["name"] for feature in FEATURES} >= {name}
    folder = write_task(tmp_path / "sample", "binary", "accuracy")
    edit_json(
        folder / "v2-0-0" / "schema.json", lambda it: it["properties"][name].update({key: value})
    )

    (problem,) = problems_of(folder)

    assert problem.startswith(f"v2-0-0/schema.json: {name}.{key}: {expected}, as manifest.json")
