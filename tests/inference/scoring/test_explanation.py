"""Contributions: against the definition, closed forms and what must hold of Shapley values."""

import math
from itertools import combinations, permutations

import numpy as np
import onnxruntime
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from inference.scoring.explanation import (
    ENUMERATED,
    RESOLUTION,
    SCALES,
    Explainer,
    UnexplainedError,
    log_odds,
)

SMALL, LARGE = ENUMERATED, ENUMERATED + 4
"""Numbers of features with which every coalition is scored, and with which orders are drawn."""
FEW = settings(max_examples=25)
BOTH = pytest.mark.parametrize("count", [SMALL, LARGE])
SEEDS = st.integers(0, 2**32 - 1)
FIVE = ("mean_radius", "mean_texture", "mean_smoothness", "mean_compactness", "mean_concavity")


def names(count):
    return [f"feature_{number}" for number in range(count)]


def row(record):
    return list(record.values())


def as_records(rows):
    return [dict(zip(names(len(row)), row, strict=True)) for row in np.asarray(rows).tolist()]


def drawn(seed, count, background=4):
    """Give a record and background records of `count` features."""
    rows = np.random.default_rng(seed).normal(size=(background + 1, count))
    first, *rest = as_records(rows)
    return first, rest


class Polynomial:
    """A model whose features interact: a weighted sum of products, `order` factors at most."""

    def __init__(self, seed, count, order, ignored=()):
        chance = np.random.default_rng(seed)
        used = [place for place in range(count) if place not in ignored]
        products = [list(p) for n in range(1, order + 1) for p in combinations(used, n)]
        self.terms = [(chance.normal(), product) for product in products]

    def __call__(self, rows):
        columns = np.array(rows, dtype=float).T
        return sum(weight * columns[product].prod(axis=0) for weight, product in self.terms)

    def one(self, values):
        return float(self([values])[0])


def explained(model, record, background, scale="regression", **options):
    explainer = Explainer(SCALES[scale], model, row, background, list(record))
    return explainer.explain(record, **options)


def array(explanation):
    return np.array(list(explanation.contributions.values()))


def definition(model, record, background, features):
    """Average what each of `features` adds over every order in which they can join."""
    totals = dict.fromkeys(features, 0.0)
    orders = list(permutations(features))
    mixes = {
        frozenset(members): [
            other | {name: record[name] for name in members} for other in background
        ]
        for size in range(len(features) + 1)
        for members in combinations(features, size)
    }
    worth = {members: np.mean(model([row(m) for m in mixed])) for members, mixed in mixes.items()}
    for order in orders:
        for place, name in enumerate(order):
            totals[name] += worth[frozenset(order[: place + 1])] - worth[frozenset(order[:place])]
    return np.array(list(totals.values())) / len(orders)


@FEW
@given(SEEDS, st.integers(1, 5), st.integers(1, 3))
def test_a_model_of_few_features_gets_the_average_over_all_orders(seed, count, background):
    model = Polynomial(seed, count, order=count)
    record, others = drawn(seed, count, background)

    explanation = explained(model, record, others)

    expected = definition(model, record, others, list(record))
    assert array(explanation) == pytest.approx(expected, abs=1e-9)
    assert explanation.standard_error == 0


@given(SEEDS, st.sampled_from([1, SMALL, LARGE]))
def test_a_logistic_model_gets_coefficient_times_distance_from_the_background(seed, count):
    record, others = drawn(seed, count)
    coefficients = np.random.default_rng(seed).normal(size=count) / count

    def model(rows):
        share = 1 / (1 + np.exp(-(np.array(rows) @ coefficients + 0.5)))
        return np.column_stack([1 - share, share])

    explanation = explained(model, record, others, "binary")

    mean = np.mean([row(other) for other in others], axis=0)
    assert array(explanation) == pytest.approx(coefficients * (row(record) - mean), abs=1e-9)
    assert explanation.base == pytest.approx(coefficients @ mean + 0.5, abs=1e-9)
    assert explanation.unit == "log odds"


@FEW
@given(SEEDS)
def test_interactions_of_two_are_exact_by_drawn_orders(seed):
    model = Polynomial(seed, LARGE, order=2)
    record, others = drawn(seed, LARGE)

    explanation = explained(model, record, others)

    expected = np.mean([halves(model, row(record), row(other)) for other in others], axis=0)
    assert array(explanation) == pytest.approx(expected, abs=1e-9)
    assert explanation.standard_error == pytest.approx(0, abs=1e-9)


def halves(model, own, other):
    """Give each feature its effect alone and half of its interaction with each other feature."""
    pairs = list(combinations(range(len(own)), 2))
    taken = [(), *((place,) for place in range(len(own))), *pairs]
    members = [[place in places for place in range(len(own))] for places in taken]
    worth = model(np.where(members, own, other))
    alone, both = np.split(worth[1:] - worth[0], [len(own)])
    result = alone.copy()
    for (i, j), together in zip(pairs, both, strict=True):
        result[[i, j]] += (together - alone[i] - alone[j]) / 2
    return result


def test_interactions_of_three_miss_by_what_the_standard_error_says():
    missed, errors = [], []
    for seed in range(40):
        model = Polynomial(seed, LARGE, order=3)
        record, _ = drawn(seed, LARGE)
        explanation = explained(model, record, [dict.fromkeys(record, 0.0)] * 10)
        missed.append(np.abs(array(explanation) - shared(model, record)).max())
        errors.append(explanation.standard_error)

    # Both are the largest of 12; the standard error rests on 10 degrees of freedom a feature.
    assert min(errors) > 0
    assert max(np.divide(missed, errors)) < 3
    assert 0.5 < np.mean(missed) / np.mean(errors) < 1.5


def shared(model, record):
    """Divide each product equally among its factors, as is right where the background is 0."""
    result, own = np.zeros(len(record)), np.array(row(record))
    for weight, product in model.terms:
        result[product] += weight * own[product].prod() / len(product)
    return result


@BOTH
@FEW
@given(seed=SEEDS)
def test_base_and_contributions_add_up_to_the_score(count, seed):
    model = Polynomial(seed, count, order=3)
    record, others = drawn(seed, count)

    explanation = explained(model, record, others)

    assert list(explanation.contributions) == list(record)
    total = explanation.base + sum(explanation.contributions.values())
    assert total == pytest.approx(model.one(row(record)), abs=1e-9)
    assert explanation.base == pytest.approx(np.mean(model([row(o) for o in others])), abs=1e-9)


@BOTH
@FEW
@given(seed=SEEDS)
def test_a_feature_that_the_model_ignores_gets_0(count, seed):
    model = Polynomial(seed, count, order=3, ignored=[1])
    record, others = drawn(seed, count)

    contributions = array(explained(model, record, others))

    assert contributions[1] == pytest.approx(0, abs=1e-12)
    assert np.abs(np.delete(contributions, 1)).min() > 0


@BOTH
@FEW
@given(seed=SEEDS)
def test_features_with_the_same_part_and_values_get_the_same(count, seed):
    given, order = Polynomial(seed, count, order=2), [1, 0, *range(2, count)]
    alike = [other | {"feature_1": other["feature_0"]} for other in drawn(seed, count)[1]]

    def model(rows):
        return given(rows) + given(np.array(rows)[:, order])

    contributions = array(explained(model, alike[0], alike[1:]))

    assert contributions[0] == pytest.approx(contributions[1], abs=1e-9)


@BOTH
@FEW
@given(seed=SEEDS)
def test_the_sum_of_two_models_gets_the_sum_of_their_contributions(count, seed):
    one, two = (Polynomial(seed + step, count, order=3) for step in (0, 1))
    record, others = drawn(seed, count)

    both = explained(lambda rows: one(rows) + two(rows), record, others)

    apart = array(explained(one, record, others)) + array(explained(two, record, others))
    assert array(both) == pytest.approx(apart, abs=1e-9)


def test_a_record_gets_the_same_answer_again_and_leaves_global_randomness_alone():
    model = Polynomial(1, LARGE, order=3)
    record, others = drawn(1, LARGE)
    before = global_state()
    explainer = Explainer(SCALES["regression"], model, row, others, list(record))

    first = explainer.explain(record)
    explainer.explain(others[0])

    assert explainer.explain(record) == first
    assert explained(model, record, others) == first
    assert global_state() == before


def global_state():
    """Give the numbers and the place in them of numpy's global generator."""
    _, numbers, place, *_ = np.random.get_state()
    return numbers.tolist(), place


def test_features_of_the_record_are_explained_whatever_row_is_made_of_them():
    def feature_code(record):
        assert list(map(type, record.values())) == [str, int, bool, float]
        region = float(record.pop("region") == "north")  # its own copy to change
        size = 0.0 if record["income"] == 0.5 else 1.0
        return [record["age"] / 10, region, size, record["member"] * 2]

    def model(rows):
        return np.array(rows).sum(axis=1, keepdims=True)

    record = {"region": "north", "age": 40, "member": True, "income": 0.5}
    other = {"region": "south", "age": 0, "member": True, "income": 0.25}
    explainer = Explainer(SCALES["regression"], model, feature_code, [other], list(record))

    explanation = explainer.explain(record)

    expected = {"region": 1, "age": 4, "member": 0, "income": -1}
    assert explanation.contributions == pytest.approx(expected)
    assert len(record) == 4


def test_null_reaches_the_feature_code_as_null():
    record, other = {"income": None}, {"income": 2.0}
    explainer = Explainer(
        SCALES["regression"],
        np.array,
        lambda given: [7.0 if given["income"] is None else given["income"]],
        [other],
        ["income"],
    )

    assert explainer.explain(record).contributions == {"income": 5.0}


@pytest.mark.parametrize("label", [0, 1, 2])
def test_of_many_classes_the_one_named_is_explained(label):
    record, others = drawn(3, SMALL)
    slopes = np.random.default_rng(3).normal(size=(SMALL, 3)) / SMALL

    def model(rows):
        shares = np.exp(np.array(rows) @ slopes)
        return shares / shares.sum(axis=1, keepdims=True)

    explanation = explained(model, record, others, "multiclass", label=label)

    share = model([row(record)])[0, label]
    total = explanation.base + sum(explanation.contributions.values())
    assert total == pytest.approx(math.log(share / (1 - share)), abs=1e-9)


@pytest.mark.parametrize(
    ("shares", "expected"),
    [
        ([0.5, 0.5], 0),
        ([1.0, 0.0], math.log(RESOLUTION)),
        ([0.0, 1.0], -math.log(RESOLUTION)),
        ([1 - RESOLUTION, RESOLUTION], math.log(RESOLUTION)),
        ([1.0, 1e-30], math.log(RESOLUTION)),
    ],
)
def test_log_odds_end_where_float32_does(shares, expected):
    (given,) = log_odds(np.array([shares], dtype=np.float32), 1)

    assert given == pytest.approx(expected, abs=1e-6)


def test_log_odds_near_certainty_are_read_from_the_other_classes():
    shares = np.array([[3e-7, 1.0, 2e-7]], dtype=np.float32)

    assert log_odds(shares, 1) == pytest.approx(-math.log(5e-7))


@pytest.mark.parametrize("scale", ["binary", "regression"])
@pytest.mark.parametrize("bad", [math.nan, math.inf])
def test_an_output_that_is_no_number_is_not_explained(scale, bad):
    def model(rows):
        return np.full((len(rows), 2 if scale == "binary" else 1), bad)

    with pytest.raises(UnexplainedError):
        explained(model, *drawn(0, SMALL), scale)


def test_an_empty_background_is_refused():
    with pytest.raises(ValueError, match="background has 0 records, allowed are 1 or more"):
        explained(np.array, {"age": 1.0}, [])


@pytest.fixture(scope="module")
def champion(classifier):
    """Give the example's champion as a callable: probabilities (n, 2) of rows (n, 30)."""
    session = onnxruntime.InferenceSession(classifier / "v1-0-0" / "model.onnx")
    return lambda rows: session.run(["probabilities"], {"record": np.array(rows, np.float32)})[0]


def test_the_example_is_explained_as_the_definition_says(champion, records):
    background, features = records[:20], list(records[0])
    explainer = Explainer(SCALES["binary"], champion, row, background, features)
    for record in records[20:30]:
        explanation = explainer.explain(record)

        given = np.array([explanation.contributions.pop(name) for name in FIVE])
        expected = definition(lambda r: log_odds(champion(r), 1), record, background, FIVE)
        assert given == pytest.approx(expected, abs=3 * explanation.standard_error)
        assert explanation.standard_error < 0.001
        assert set(explanation.contributions.values()) == {0.0}
