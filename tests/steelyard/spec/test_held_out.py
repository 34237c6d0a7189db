"""Versions are measured as they are served, and a model that cannot be measured is refused."""

import hashlib
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.spec import SpecError, load
from steelyard.spec.held_out import is_worse, log_loss, measure
from tests.records import FEATURE_CODE
from tests.steelyard.spec.sample import EXAMPLE, copy_example, edit, edit_json, write_task
from tests.steelyard.spec.test_feature_code import rewrite
from tests.steelyard.spec.test_version import linear_model


def test_the_unit_mistake_shows_on_the_rows_as_they_are_served():
    endpoint = load(EXAMPLE)

    assert measure(endpoint, "v1-0-0") == pytest.approx(0.942, abs=1e-3)
    assert measure(endpoint, "v1-1-0") == pytest.approx(0.982, abs=1e-3)
    assert measure(endpoint, "v1-2-0") == pytest.approx(0.374, abs=1e-3)


def test_a_challenger_is_worse_only_beyond_the_margin(tmp_path):
    folder = copy_example(tmp_path)
    edit(folder / "endpoint.yaml", ("margin: 2%", "margin: 57%"))
    endpoint = load(folder)

    # v1-2-0 is worse by 0.942 - 0.374 = 0.568.
    assert not is_worse(endpoint.with_challenger("v1-2-0"))
    held_out = endpoint.file.held_out.model_copy(update={"margin": 0.56})
    file = endpoint.file.model_copy(update={"held_out": held_out})
    assert is_worse(replace(endpoint, file=file).with_challenger("v1-2-0"))


def test_a_lower_loss_is_better(tmp_path):
    folder = copy_example(tmp_path)
    edit(folder / "endpoint.yaml", ("metric: accuracy", "metric: log_loss"))
    endpoint = load(folder)

    assert not is_worse(endpoint)
    assert is_worse(endpoint.with_challenger("v1-2-0"))


def test_a_model_that_answers_no_probability_cannot_be_measured(tmp_path):
    folder = copy_example(tmp_path)
    content = linear_model(30, 2)
    (folder / "v1-1-0" / "model.onnx").write_bytes(content)
    digest = hashlib.sha256(content).hexdigest()
    edit_json(folder / "v1-1-0" / "manifest.json", lambda it: it["model"].update(sha256=digest))

    with pytest.raises(SpecError, match=r"v1-1-0/model.onnx: gives .* for 171 of 171 held-out"):
        measure(load(folder), "v1-1-0")


def test_a_value_that_is_not_finite_cannot_be_measured(tmp_path):
    code = "def row(record):\n    return [float('inf')] * 6\n"
    folder = write_task(
        tmp_path / "sample", "regression", "mean_absolute_error", feature_code=FEATURE_CODE
    )
    rewrite(folder / "v2-0-0", "features.py", "feature_code", code)

    with pytest.raises(SpecError, match=r"for 60 of 60 held-out rows, allowed is a finite number"):
        measure(load(folder), "v2-0-0")


def test_a_model_that_is_sure_and_wrong_has_a_finite_loss():
    assert log_loss([0.0]) == pytest.approx(-math.log(1e-15))


@given(st.lists(st.floats(0.01, 1.0), min_size=1))
def test_the_loss_is_the_mean_of_what_each_true_label_was_given(likely):
    assert log_loss(likely) == pytest.approx(sum(-math.log(it) for it in likely) / len(likely))
