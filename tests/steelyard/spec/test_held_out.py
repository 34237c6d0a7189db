"""Versions are measured as they are served, and a model that cannot be measured is refused."""

import hashlib
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.spec import SpecError, load
from steelyard.spec.held_out import is_worse, log_loss, measure
from tests.steelyard.spec.sample import EXAMPLE, copy_example, edit, edit_json
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


def test_a_model_that_is_sure_and_wrong_has_a_finite_loss():
    assert log_loss([0.0], [1]) == pytest.approx(-math.log(1e-15))


@given(st.lists(st.tuples(st.floats(0.01, 0.99), st.integers(0, 1)), min_size=1))
def test_the_loss_is_the_mean_of_what_each_label_was_worth(pairs):
    scores, labels = zip(*pairs, strict=True)
    expected = sum(-math.log(s if label else 1 - s) for s, label in pairs) / len(pairs)

    assert log_loss(scores, labels) == pytest.approx(expected)
