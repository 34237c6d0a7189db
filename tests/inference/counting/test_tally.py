"""What falls into which bin, against plain Python, numpy, and the training script's histogram."""

import math
from bisect import bisect_right
from collections import Counter
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.contract.refusal import REASONS
from inference.counting.layout import (
    CONFIDENCE,
    DURATION,
    OVER_SLO,
    REJECTIONS,
    REQUESTS,
    SCORE,
    Layout,
    Listed,
    Ranged,
)
from inference.counting.tally import Edges, Tally

TENTHS = tuple(index / 10 for index in range(11))
UNEVEN = (-3.5, -1.0, -0.5, 0.0, 0.1, 0.2, 0.3, 7.0, 8.0, 1e6, 3e38)
LAYOUT = Layout(
    score=TENTHS,
    confidence=tuple(0.5 + index / 20 for index in range(11)),
    seconds=tuple(index / 1000 for index in range(1, 12)),
    features=(
        Listed("region", ("north", "south", "east")),
        Ranged("age", UNEVEN),
        Listed("member", (False, True)),
        Ranged("share", TENTHS),
        Listed("doors", (2, 3, 5)),
    ),
)
NAN = math.nan
LOW, HIGH, MISSING = 0, 11, 12


def counted(layout=LAYOUT, slo_seconds=None, **calls):
    """Give the counts by family, after one call of each method that is named."""
    tally = Tally(layout, slo_seconds)
    for method, arguments in calls.items():
        getattr(tally, method)(*arguments)
    counts = tally.take()
    return {family.name: counts[layout.place(family.name)].tolist() for family in layout.families}


def features(rows, layout=LAYOUT):
    """Give the counts of each feature, over some records."""
    tally = Tally(layout, None)
    tally.predicted(rows, [0.5] * len(rows), [0.5] * len(rows))
    counts = tally.take()
    return [counts[place].tolist() for place in layout.feature_places()]


def place_of(edges, value):
    """Find the bin the slow and obvious way."""
    if math.isnan(value):
        return MISSING
    if value < edges[0]:
        return LOW
    if value > edges[-1]:
        return HIGH
    return min(bisect_right(edges, value), len(edges) - 1)


ANY = st.floats() | st.sampled_from([*TENTHS, *UNEVEN]) | st.floats(-4, 10)


@given(st.lists(st.tuples(ANY, ANY), min_size=1, max_size=60))
def test_every_float_is_where_a_bisection_of_its_own_edges_puts_it(pairs):
    counts = Edges([TENTHS, UNEVEN]).count(np.array(pairs).T).tolist()

    for edges, column, found in zip(
        [TENTHS, UNEVEN], zip(*pairs, strict=True), counts, strict=True
    ):
        expected = Counter(place_of(edges, value) for value in column)
        assert found == [expected[place] for place in range(13)]


@given(st.lists(st.floats(0, 1) | st.sampled_from(TENTHS), min_size=1, max_size=60))
def test_values_within_the_edges_are_counted_as_the_training_script_counts_them(values):
    [[low, *inside, high, missing]] = Edges([TENTHS]).count(np.array([values])).tolist()

    assert inside == np.histogram(values, TENTHS)[0].tolist()
    assert (low, high, missing) == (0, 0, 0)


@pytest.mark.parametrize(
    ("value", "place"),
    [
        (math.nextafter(0.0, -1), LOW),
        (0.0, 1),
        (-0.0, 1),
        (math.nextafter(0.1, 0), 1),
        (0.1, 2),
        (0.9, 10),
        (1.0, 10),
        (math.nextafter(1.0, 2), HIGH),
        (math.inf, HIGH),
        (-math.inf, LOW),
        (NAN, MISSING),
    ],
)
def test_a_bin_holds_its_lower_edge_and_the_last_one_both(value, place):
    assert Edges([TENTHS]).count(np.array([[value]]))[0].nonzero()[0].tolist() == [place]


def test_the_largest_float_can_be_an_edge():
    edges = (*TENTHS[:-1], 1.7976931348623157e308)

    counts = Edges([edges]).count(np.array([[edges[-1], math.inf]]))

    assert counts.tolist() == [[0] * 10 + [1, 1, 0]]


def test_features_of_every_type_are_counted_in_their_own_bins():
    rows = [
        ("south", 0.05, True, 0.55, 5),
        ("south", -9.0, False, 1.0, 2),
        (None, None, None, None, None),
        ("north", 10**300, True, 0, 3),
        ["east", 7, True, 0.1, 2],
    ]

    assert features(rows) == [
        [1, 2, 1, 1],
        [1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 0, 1, 1],
        [1, 3, 1],
        [0, 1, 1, 0, 0, 0, 1, 0, 0, 0, 1, 0, 1],
        [2, 1, 1, 1],
    ]


def test_a_table_of_numbers_alone_counts_null_as_missing():
    layout = replace(LAYOUT, features=(Ranged("age", UNEVEN), Ranged("share", TENTHS)))

    age, share = features([[0.05, None], [None, 0.95], (8, 2.0)], layout)

    assert age == [0, 0, 0, 0, 1, 0, 0, 0, 0, 1, 0, 0, 1]
    assert share == [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 1, 1]


def test_a_table_without_any_number_is_counted_too():
    layout = replace(LAYOUT, features=(Listed("member", (False, True)),))

    assert features([[True], [None], [True]], layout) == [[0, 2, 1]]


@given(
    st.lists(
        st.tuples(
            st.sampled_from(["north", "south", "east", None]),
            st.none() | st.floats(-10, 10),
            st.sampled_from([False, True, None]),
            st.none() | st.floats(-1, 2),
            st.sampled_from([2, 3, 5, None]),
        ),
        min_size=1,
        max_size=40,
    )
)
def test_each_feature_counts_every_record_once(rows):
    assert [sum(counts) for counts in features(rows)] == [len(rows)] * 5


def test_population_stability_from_the_counters_is_that_from_the_values():
    chance = np.random.default_rng(7)
    trained, served = chance.normal(0, 1, 5000), chance.normal(0.4, 1.2, 2000)
    edges = np.quantile(trained, np.linspace(0, 1, 11))
    layout = replace(LAYOUT, features=(Ranged("x", tuple(edges.tolist())),))

    [counts] = features([[value] for value in served.tolist()], layout)

    def psi(actual):
        expected = np.array([0, *np.histogram(trained, edges)[0], 0])
        p, q = (expected + 0.5) / (expected.sum() + 6), (actual + 0.5) / (actual.sum() + 6)
        return float(((q - p) * np.log(q / p)).sum())

    outer = np.array([-np.inf, *edges[:-1], np.nextafter(edges[-1], np.inf), np.inf])
    from_values = psi(np.histogram(served, outer)[0])
    assert psi(np.array(counts[:-1])) == from_values > 0.1


@pytest.mark.parametrize("value", [NAN, math.inf, -math.inf, -0.000001, 1.000001])
def test_what_is_no_probability_is_counted_apart(value):
    counts = counted(predicted=([("north", 1, True, 1, 2)], [value], [value]))

    assert counts[SCORE] == counts[CONFIDENCE] == [0] * 10 + [1]


def test_score_and_confidence_have_edges_of_their_own():
    rows = [("north", 1, True, 1, 2)] * 3

    counts = counted(predicted=(rows, [0.0, 0.55, 1.0], [1.0, 0.55, 0.5]))

    assert counts[SCORE] == [1, 0, 0, 0, 0, 1, 0, 0, 0, 1, 0]
    assert counts[CONFIDENCE] == [1, 1, 0, 0, 0, 0, 0, 0, 0, 1, 0]


def test_a_regression_counts_no_confidence():
    layout = replace(LAYOUT, confidence=None)

    counts = counted(layout, predicted=([("north", 1, True, 1, 2)], [0.5], [None]))

    assert counts[CONFIDENCE] == [0] * 11
    assert sum(counts[SCORE]) == 1


@given(st.lists(st.floats(0, 0.02) | st.sampled_from(LAYOUT.seconds), min_size=1, max_size=40))
def test_a_duration_is_counted_between_its_edges_and_against_the_promise(seconds):
    counts = counted(slo_seconds=0.005, answered=("ok", seconds))

    expected = Counter(bisect_right(LAYOUT.seconds, value) for value in seconds)
    assert counts[DURATION] == [expected[place] for place in range(12)]
    assert counts[OVER_SLO] == [sum(value > 0.005 for value in seconds)]


def test_without_a_promise_the_last_edge_is_it():
    assert counted(answered=("ok", [0.0109, 0.011, 0.0111]))[OVER_SLO] == [1]


@pytest.mark.parametrize(
    ("outcome", "place"),
    [("ok", 0), ("client_error", 1), ("model_error", 2), ("overloaded", 3)],
)
def test_requests_are_counted_by_their_outcome(outcome, place):
    expected = [0] * 4
    expected[place] = 2

    assert counted(answered=(outcome, [0.001, 0.002]))[REQUESTS] == expected


@pytest.mark.parametrize("reason", REASONS)
def test_a_reason_counts_once_a_request(reason):
    counts = counted(rejected=([reason, reason],))

    assert dict(zip(REASONS, counts[REJECTIONS], strict=True)) == {
        **dict.fromkeys(REASONS, 0),
        reason: 1,
    }


def test_what_was_taken_is_not_taken_again():
    tally = Tally(LAYOUT, None)
    tally.answered("ok", [0.001])

    assert tally.take().sum() == 2
    assert tally.take().sum() == 0
