"""What a model's output means: rounding, labels, confidence, and what is no prediction."""

import json
import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.scoring.prediction import Binary, Multiclass, Regression, task_of
from tests.manifests import PROBABILITIES, manifest_of

LABELS = ["low", "middle", 3]


def binary(score: float, labels=(0, 1)):
    (scored,) = Binary(labels).read(np.array([[1 - score, score]]))
    return scored


def multiclass(*shares: float):
    (scored,) = Multiclass(LABELS).read(np.array([shares], np.float32))
    return scored


@pytest.mark.parametrize(
    ("score", "label"), [(0.4999996, 1), (0.4999994, 0), (0.5, 1), (0.0, 0), (1.0, 1)]
)
def test_the_threshold_is_applied_to_the_rounded_score(score, label):
    assert binary(score).prediction["label"] == label


@given(st.floats(0, 1))
def test_label_and_confidence_follow_from_the_score_as_sent(probability):
    scored = binary(probability, ("no", "yes"))

    score = scored.prediction["score"]
    assert score == scored.score == round(probability, 6)
    assert scored.prediction["label"] == ("yes" if score >= 0.5 else "no")
    assert scored.prediction["confidence"] == scored.confidence == round(max(score, 1 - score), 6)
    assert scored.is_sound


@given(st.lists(st.floats(0, 1, width=32), min_size=1, max_size=9))
def test_each_row_gets_one_prediction_in_order(scores):
    output = np.array([[1 - score, score] for score in scores], np.float32)

    assert [scored.score for scored in Binary().read(output)] == [
        round(score, 6) for score in scores
    ]


@pytest.mark.parametrize("score", [math.nan, math.inf, -math.inf, -0.1, 1.1, 1.000001])
def test_what_is_no_probability_is_no_sound_prediction(score):
    assert not binary(score).is_sound


def test_a_probability_that_misses_1_by_float32_is_sound():
    assert binary(1.0000001).score == 1
    assert binary(1.0000001).is_sound


def test_of_many_classes_the_likeliest_is_given_with_all_scores():
    scored = multiclass(0.2, 0.1, 0.7)

    assert scored.prediction == {
        "label": 3,
        "confidence": 0.7,
        "scores": {"low": 0.2, "middle": 0.1, "3": 0.7},
    }
    assert (scored.score, scored.confidence, scored.is_sound) == (2, 0.7, True)
    assert json.loads(json.dumps(scored.prediction)) == scored.prediction


def test_of_classes_equal_to_six_digits_the_first_is_given():
    assert multiclass(0.4999998, 0.5000002, 0.0).prediction["label"] == "low"


@pytest.mark.parametrize(
    ("shares", "is_sound"),
    [
        ((0.2, 0.3, 0.5), True),
        ((0.2, 0.3, 0.5009), True),
        ((0.2, 0.3, 0.502), False),
        ((0.2, 0.3, 0.4), False),
        ((-0.2, 0.3, 0.9), False),
        ((-0.2, 0.0, 1.2), False),
        ((math.nan, 0.3, 0.7), False),
        ((0.3, math.nan, 0.7), False),
        ((math.inf, 0, 0), False),
        ((0, 0, -math.inf), False),
    ],
)
def test_probabilities_of_all_classes_are_finite_and_sum_to_1(shares, is_sound):
    scored = multiclass(*shares)

    assert scored.is_sound == is_sound
    assert math.isnan(scored.score) == (not is_sound)


@given(st.integers(2, 1000), st.integers(0, 2**32 - 1))
def test_a_softmax_of_any_size_in_float32_is_sound(classes, seed):
    powers = np.exp(np.random.default_rng(seed).normal(size=(1, classes)).astype(np.float32))

    (scored,) = Multiclass(range(classes)).read(powers / powers.sum())

    assert scored.is_sound
    assert scored.prediction["label"] == scored.score


@pytest.mark.parametrize(
    ("value", "expected"),
    [(0.1, 0.1), (-1234567.0, -1234567.0), (3.4e38, 3.4e38), (1e-30, 1e-30), (2.0, 2.0)],
)
@pytest.mark.parametrize("shape", [(1,), (1, 1)])
def test_a_value_in_float32_is_given_by_its_shortest_decimal(value, expected, shape):
    (scored,) = Regression().read(np.full(shape, value, np.float32))

    assert scored.prediction == {"score": expected}
    assert (scored.score, scored.confidence, scored.is_sound) == (expected, None, True)
    assert type(scored.score) is float


@given(st.floats(width=32))
def test_a_value_becomes_the_same_float32_again(value):
    (scored,) = Regression().read(np.array([value], np.float32))

    assert scored.is_sound == math.isfinite(value)
    assert np.array_equal(np.float32(scored.score), np.float32(value), equal_nan=True)


@pytest.mark.parametrize(
    ("task", "shape"),
    [
        (Binary(), (1, 3)),
        (Binary(), (2,)),
        (Binary(), (1, 2, 1)),
        (Multiclass(LABELS), (1, 2)),
        (Regression(), (1, 2)),
        (Regression(), (1, 1, 1)),
    ],
)
def test_an_output_of_another_shape_is_an_error_of_the_model(task, shape):
    with pytest.raises(ValueError, match="shape"):
        task.read(np.ones(shape))


def test_the_manifest_names_the_task():
    indexes = {"score": {"edges": [*range(11)], "counts": [1] * 10}}
    three = manifest_of(
        task="multiclass", labels=LABELS, scores=indexes | {"confidence": PROBABILITIES}
    )
    value = manifest_of(task="regression", scores=indexes | {"confidence": None})
    named = task_of(manifest_of(labels=["no", "yes"]))

    assert named.read(np.array([[0.1, 0.9]]))[0].prediction["label"] == "yes"
    assert task_of(manifest_of()).read(np.array([[0.1, 0.9]]))[0].prediction["label"] == 1
    assert task_of(three).read(np.array([[0, 0, 1.0]]))[0].prediction["label"] == 3
    assert task_of(value).read(np.array([7.5]))[0].prediction == {"score": 7.5}
