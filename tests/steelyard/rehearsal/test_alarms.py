"""M of N, missing data and metric math, against the documented tables and hand-made cases."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.rehearsal.alarms import evaluate, next_state
from steelyard.rehearsal.metrics import MetricStore
from tests.steelyard.rehearsal.alarm_sample import ALARM, RATIO


def store_of(name: str, values: list[float | None]) -> MetricStore:
    """One datum in the middle of each minute from 0 on; None leaves the minute out."""
    return add(MetricStore(), name, values)


def add(store: MetricStore, name: str, values: list[float | None]) -> MetricStore:
    for minute, value in enumerate(values):
        if value is not None:
            store.put(
                "AWS/SageMaker",
                name,
                {"EndpointName": "e", "VariantName": "v"},
                60 * minute + 30,
                value,
            )
    return store


def state_of(values: list[float | None], at: float | None = None, **changes: Any) -> str:
    store = store_of("Invocation5XXErrors", values)
    return evaluate({**ALARM, **changes}, store, at or 60 * len(values), "before")[0]


def points_of(row: str) -> list[bool | None]:
    return [{"x": True, "o": False, "-": None}[point] for point in row]


SAME = "before"
NO_DATA = "INSUFFICIENT_DATA"


# The two tables of "How alarm state is evaluated when data is missing" (CloudWatch user guide):
# evaluation range of 5, EvaluationPeriods 3; states under missing, ignore, breaching, notBreaching.
@pytest.mark.parametrize(
    ("needed", "row", "states"),
    [
        (3, "o-x-x", ("OK", "OK", "OK", "OK")),
        (3, "o----", ("OK", "OK", "OK", "OK")),
        (3, "-----", (NO_DATA, SAME, "ALARM", "OK")),
        (3, "oxx-x", ("ALARM", "ALARM", "ALARM", "ALARM")),
        (3, "--x--", ("ALARM", SAME, "ALARM", "OK")),
        (2, "o-x-x", ("ALARM", "ALARM", "ALARM", "ALARM")),
        (2, "ooxox", ("ALARM", "ALARM", "ALARM", "ALARM")),
        (2, "o-x--", ("OK", "OK", "ALARM", "OK")),
        (2, "----o", ("OK", "OK", "ALARM", "OK")),
        (2, "---x-", ("ALARM", SAME, "ALARM", "OK")),
    ],
)
def test_missing_points_are_treated_as_the_documented_tables_say(
    needed: int, row: str, states: tuple[str, ...]
) -> None:
    treatments = ("missing", "ignore", "breaching", "notBreaching")
    found = tuple(next_state(points_of(row), needed, 3, how, SAME) for how in treatments)
    assert found == states


@pytest.mark.parametrize("row", ["----x", "---x-", "---xo", "--x-o"])
def test_a_young_lone_breach_is_no_premature_alarm(row: str) -> None:
    assert next_state(points_of(row), 3, 3, "missing", "before") == "OK"


@given(
    st.lists(st.sampled_from([True, False]), min_size=5, max_size=5),
    st.integers(1, 3),
    st.sampled_from(["missing", "ignore", "breaching", "notBreaching"]),
)
def test_without_missing_points_only_the_last_n_count(
    points: list[bool], needed: int, treatment: str
) -> None:
    expected = "ALARM" if sum(points[-3:]) >= needed else "OK"
    assert next_state(points, needed, 3, treatment, "before") == expected


@given(st.lists(st.sampled_from([True, False, None]), min_size=5, max_size=5), st.integers(1, 3))
def test_insufficient_data_means_that_every_point_is_missing(
    points: list[bool | None], needed: int
) -> None:
    found = next_state(points, needed, 3, "missing", "before")
    assert (found == NO_DATA) is (set(points) == {None})


@pytest.mark.parametrize(
    ("values", "state"),
    [
        ([0, 0, 11, 0, 11], "ALARM"),
        ([11, 11, 0, 0, 11], "OK"),
        ([0, 0, 10, 10, 10], "OK"),
        ([None, None, 11, None, 11], "ALARM"),
        ([None, 11, None, 11, 0], "ALARM"),
        ([11, None, None, None, 11, 0], "OK"),
        ([None, None, None, None, None], NO_DATA),
        ([0, 11, None, None, None, None, 0], "OK"),
    ],
)
def test_two_of_three_breaching_periods_make_an_alarm(
    values: list[float | None], state: str
) -> None:
    assert state_of(values) == state


def test_a_period_counts_once_it_has_ended() -> None:
    values: list[float | None] = [0, 11, 11]
    assert state_of(values, at=179.9) == "OK"
    assert state_of(values, at=180.0) == "ALARM"


def test_datapoints_to_alarm_are_all_periods_unless_given() -> None:
    alarm = {key: value for key, value in ALARM.items() if key != "DatapointsToAlarm"}
    store = store_of("Invocation5XXErrors", [0, 11, 11])

    assert evaluate(alarm, store, 180, "OK")[0] == "OK"
    store = store_of("Invocation5XXErrors", [11, 11, 11])
    assert evaluate(alarm, store, 180, "OK")[0] == "ALARM"


@pytest.mark.parametrize(
    ("comparison", "states"),
    [
        ("GreaterThanThreshold", ["OK", "OK", "ALARM"]),
        ("GreaterThanOrEqualToThreshold", ["OK", "ALARM", "ALARM"]),
        ("LessThanThreshold", ["ALARM", "OK", "OK"]),
        ("LessThanOrEqualToThreshold", ["ALARM", "ALARM", "OK"]),
    ],
)
def test_a_comparison_has_the_value_first(comparison: str, states: list[str]) -> None:
    one = {"EvaluationPeriods": 1, "DatapointsToAlarm": 1, "ComparisonOperator": comparison}
    assert [state_of([value], **one) for value in (9, 10, 11)] == states


def test_percentiles_and_periods_are_the_alarms_own() -> None:
    store = store_of("Invocation5XXErrors", [1, 2, 3, 4, 5, 100, 1, 1, 1, 1])
    alarm = {key: value for key, value in ALARM.items() if key != "Statistic"}
    alarm |= {"Period": 300, "EvaluationPeriods": 1, "DatapointsToAlarm": 1, "Threshold": 2}

    assert evaluate({**alarm, "ExtendedStatistic": "p50"}, store, 300, "OK")[0] == "ALARM"
    assert evaluate({**alarm, "ExtendedStatistic": "p50"}, store, 600, "OK")[0] == "OK"
    assert evaluate({**alarm, "ExtendedStatistic": "p99"}, store, 600, "OK")[0] == "ALARM"


def test_the_reason_carries_both_numbers_and_what_is_missing() -> None:
    store = store_of("Invocation5XXErrors", [None, None, 12.5, None, 11])

    assert evaluate(ALARM, store, 300, "OK") == (
        "ALARM",
        "2 of the last 2 datapoints (12.5, 11) were greater than the threshold (10), "
        "2 of 3 make an alarm; 1 missing, treated as missing",
    )


@pytest.mark.parametrize(
    ("errors", "requests", "state", "shown"),
    [
        (6, 100, "ALARM", "(0.06)"),
        (5, 100, "OK", "(0.05)"),
        (99, 99, "OK", "(0)"),
        (None, 100, "OK", "(0)"),
        (6, None, "OK", "(none)"),
        (6, 0, "OK", "(0)"),
    ],
)
def test_metric_math_may_refer_to_expressions_in_any_order(
    errors: float | None, requests: float | None, state: str, shown: str
) -> None:
    store = add(store_of("Invocations", [requests]), "Invocation5XXErrors", [errors])

    found, reason = evaluate(RATIO, store, 60, "OK")

    assert (found, shown in reason) == (state, True)
