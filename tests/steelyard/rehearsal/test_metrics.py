"""Statistics over raw datums and metric math, against values worked out by hand."""

import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.rehearsal.metrics import Expression, MetricStore, StatisticError

SAGEMAKER = "AWS/SageMaker"
VARIANT = {"EndpointName": "e", "VariantName": "v"}


def store_of(*values: float) -> MetricStore:
    store = MetricStore()
    for second, value in enumerate(values):
        store.put(SAGEMAKER, "ModelLatency", VARIANT, 100.0 + second, value)
    return store


def read(store: MetricStore, statistic: str, start: float = 0, end: float = 1e9) -> float | None:
    return store.statistic(SAGEMAKER, "ModelLatency", VARIANT, statistic, start, end)


@pytest.mark.parametrize(
    ("statistic", "expected"),
    [
        ("Sum", 15.0),
        ("Average", 3.75),
        ("Minimum", 1.0),
        ("Maximum", 8.0),
        ("SampleCount", 4.0),
        ("p25", 1.0),
        ("p50", 2.0),
        ("p50.1", 4.0),
        ("p99.9", 8.0),
        ("p100", 8.0),
    ],
)
def test_a_statistic_is_taken_over_raw_values(statistic: str, expected: float) -> None:
    assert read(store_of(8, 1, 4, 2), statistic) == expected


def test_a_percentile_rank_is_exact_where_floats_would_round_up() -> None:
    assert read(store_of(*range(1, 101)), "p7") == 7
    assert read(store_of(*range(1, 1001)), "p99.9") == 999


def test_a_value_with_a_count_weighs_as_often_as_it_occurred() -> None:
    store = store_of(10)
    store.put(SAGEMAKER, "ModelLatency", VARIANT, 100.0, 1, count=3)

    assert read(store, "SampleCount") == 4
    assert read(store, "Sum") == 13
    assert read(store, "Average") == 3.25
    assert read(store, "p75") == 1
    assert read(store, "p76") == 10


def test_a_period_holds_its_start_and_not_its_end() -> None:
    store = store_of(1, 2, 4)

    assert read(store, "Sum", 100, 102) == 3
    assert read(store, "Sum", 101, 103) == 6


def test_no_datum_is_none_and_not_zero() -> None:
    assert read(store_of(1), "Sum", 200, 260) is None
    assert read(MetricStore(), "SampleCount") is None


def test_a_metric_is_found_by_its_whole_name_only() -> None:
    store = store_of(1)
    reads = [
        ("custom", "ModelLatency", VARIANT),
        (SAGEMAKER, "OverheadLatency", VARIANT),
        (SAGEMAKER, "ModelLatency", {"EndpointName": "e"}),
        (SAGEMAKER, "ModelLatency", {**VARIANT, "InstanceId": "i"}),
        (SAGEMAKER, "ModelLatency", {**VARIANT, "VariantName": "w"}),
    ]

    assert [store.statistic(*key, "Sum", 0, 1e9) for key in reads] == [None] * 5
    assert store.statistic(
        SAGEMAKER, "ModelLatency", dict(reversed(VARIANT.items())), "Sum", 0, 1e9
    )


def test_datums_that_come_late_count_in_their_own_period() -> None:
    store = store_of(1, 2)
    store.put(SAGEMAKER, "ModelLatency", VARIANT, 50.0, 16)

    assert read(store, "Sum", 0, 100) == 16
    assert read(store, "Sum", 100, 200) == 3


@pytest.mark.parametrize("statistic", ["sum", "p0", "p101", "p", "tm90", "PR(:300)", "IQM", ""])
def test_a_statistic_that_cannot_be_played_is_refused_with_the_allowed_ones(statistic: str) -> None:
    with pytest.raises(StatisticError, match=r"allowed are Sum, Average, .* p99\.9"):
        read(MetricStore(), statistic)


@pytest.mark.parametrize(
    ("value", "count"),
    [(math.nan, 1), (math.inf, 1), (-math.inf, 1), (2.0**361, 1), (1, 0), (1, math.nan)],
)
def test_a_datum_that_cloudwatch_rejects_is_refused(value: float, count: float) -> None:
    with pytest.raises(ValueError, match=r"outside ±2\^360|not above 0"):
        MetricStore().put(SAGEMAKER, "ModelLatency", VARIANT, 0, value, count)


@given(st.lists(st.integers(-1000, 1000), min_size=1), st.integers(1, 1000))
def test_a_percentile_is_the_smallest_value_that_enough_values_do_not_exceed(
    values: list[int], per_mille: int
) -> None:
    found = read(store_of(*values), f"p{per_mille / 10}")

    reached = [v for v in values if 1000 * sum(w <= v for w in values) >= per_mille * len(values)]
    assert found == min(reached)


SCOPE = {"a": 6.0, "b": 3.0, "zero": 0.0, "gone": None}


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("a + b * 2", 12.0),
        ("(a + b) * 2", 18.0),
        ("-a / b - 1", -3.0),
        ("a >= 6", 1.0),
        ("a != 6", 0.0),
        ("a > b AND b > 5", 0.0),
        ("a>b||b>5", 1.0),
        ("zero OR a && b", 1.0),
        ("IF(a > b, a, b)", 6.0),
        ("IF(zero, a, b)", 3.0),
        ("IF(-1, a, b)", 6.0),
        ("MIN([a, b, 4])", 3.0),
        ("MAX([a, b, 4])", 6.0),
        ("FILL(gone, 7)", 7.0),
        ("FILL(gone, -1)", -1.0),
        ("FILL(a, 7)", 6.0),
    ],
)
def test_metric_math_gives_one_value_a_period(expression: str, expected: float) -> None:
    assert Expression(expression).refused(set(SCOPE)) == []
    assert Expression(expression).value(SCOPE) == expected


@pytest.mark.parametrize(
    "expression",
    ["gone", "a + gone", "-gone", "gone > 1", "a OR gone", "MAX([a, gone])", "IF(gone, a, b)"],
)
def test_a_missing_operand_gives_a_missing_result(expression: str) -> None:
    assert Expression(expression).value(SCOPE) is None


def test_only_the_chosen_branch_of_if_must_be_there() -> None:
    assert Expression("IF(a, b, gone)").value(SCOPE) == 3.0
    assert Expression("IF(zero, gone, b)").value(SCOPE) == 3.0
    assert Expression("IF(a, gone, b)").value(SCOPE) is None
    assert Expression("IF(zero, b)").value(SCOPE) is None


def test_a_division_by_zero_drops_the_point() -> None:
    assert Expression("a / zero").value(SCOPE) is None
    assert Expression("FILL(a / zero, 0)").value(SCOPE) == 0.0


@pytest.mark.parametrize(
    ("expression", "part"),
    [
        ("a ^ 2", "a ^ 2"),
        ("1 + ABS(a)", "ABS(a)"),
        ("ANOMALY_DETECTION_BAND(a, 2)", "ANOMALY_DETECTION_BAND(a, 2)"),
        ("SEARCH('{AWS/SageMaker}', 'Sum')", "SEARCH('{AWS/SageMaker}', 'Sum')"),
        ("SELECT SUM(a) FROM b", "SELECT SUM(a) FROM b"),
        ("METRICS()", "METRICS()"),
        ("MAX(a)", "MAX(a)"),
        ("FILL(a, REPEAT)", "FILL(a, REPEAT)"),
        ("FILL(a, 'x')", "'x'"),
        ("IF(a)", "IF(a)"),
        ("a < b < 3", "a < b < 3"),
        ("a + other", "other"),
        ("[a, b]", "[a, b]"),
        ("a.real", "a.real"),
        ("not a", "not a"),
        ("True", "True"),
        ("", ""),
    ],
)
def test_everything_else_in_metric_math_is_refused_by_name(expression: str, part: str) -> None:
    assert Expression(expression).refused(set(SCOPE)) == [part]
