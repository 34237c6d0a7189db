"""Alarms that the rehearsal cannot play are refused, with everything that is wrong named."""

from typing import Any

import pytest

from steelyard.rehearsal.alarms import AlarmError, evaluate, unsupported
from steelyard.rehearsal.metrics import MetricStore
from tests.steelyard.rehearsal.alarm_sample import ALARM, RATIO, RULE, metric, query


@pytest.mark.parametrize("alarm", [ALARM, RATIO])
def test_a_plain_alarm_has_nothing_unsupported(alarm: dict[str, Any]) -> None:
    assert unsupported(alarm) == []


@pytest.mark.parametrize(
    ("changes", "named"),
    [
        ({"EvaluationCriteria": {"PromQLCriteria": {}}}, "EvaluationCriteria"),
        ({"EvaluationInterval": 10}, "EvaluationInterval"),
        ({"ThresholdMetricId": "band"}, "ThresholdMetricId"),
        ({"EvaluationWindow": {}}, "EvaluationWindow"),
        ({"EvaluateLowSampleCountPercentile": "ignore"}, "EvaluateLowSampleCountPercentile"),
        ({"Unit": "Count"}, "Unit"),
        ({"ComparisonOperator": "GreaterThanUpperThreshold"}, "GreaterThanUpperThreshold"),
        ({"TreatMissingData": "Missing"}, "TreatMissingData 'Missing'"),
        ({"Statistic": "tm90"}, "'tm90'"),
        ({"ExtendedStatistic": "p99"}, "both given"),
        ({"Threshold": {"Ref": "Limit"}}, "Threshold is {'Ref': 'Limit'}"),
        ({"Threshold": "10"}, "Threshold is '10'"),
        ({"Period": 45}, "Period is 45"),
        ({"EvaluationPeriods": 0}, "EvaluationPeriods is 0"),
        ({"DatapointsToAlarm": 4}, "DatapointsToAlarm is 4: write a whole number from 1 to 3"),
        ({"MetricName": {"Ref": "Name"}}, "resolve it first"),
        ({"Dimensions": [{"Name": "a", "Value": {"Ref": "b"}}]}, "resolve it first"),
        ({"Namespace": "AWS/DynamoDB"}, "AWS/DynamoDB"),
    ],
)
def test_what_an_alarm_cannot_play_is_named(changes: dict[str, Any], named: str) -> None:
    problems = unsupported({**ALARM, **changes})
    assert len(problems) == 1
    assert named in problems[0]


@pytest.mark.parametrize(
    ("queries", "named"),
    [
        ([metric("m", "a")], "ReturnData is true for 0"),
        ([query("e", Expression="1 + 1", ReturnData=True), metric("m", "a")], "is a constant"),
        ([query("e", Expression="m ^ 2", ReturnData=True), metric("m", "a")], "'m ^ 2'"),
        (
            [query("e", Expression="SEARCH('x', 'Sum')", ReturnData=True), metric("m", "a")],
            "SEARCH",
        ),
        ([query("e", Expression="m + n", ReturnData=True), metric("m", "a")], "'n'"),
        ([{**metric("m", "a"), "ReturnData": True, "AccountId": "1"}], "AccountId"),
        ([{**metric("m", "a", Unit="Count"), "ReturnData": True}], "Unit"),
        ([{**metric("m", "a"), "ReturnData": True}, metric("m", "b")], "repeat an Id"),
        ([{**metric("m", "a"), "ReturnData": True}, query("n")], "both or none"),
        (
            [{**metric("m", "a"), "ReturnData": True}, metric("n", "b", Period=300)],
            "2 different periods",
        ),
        (
            [
                query("e", Expression="f + m", ReturnData=True),
                query("f", Expression="e"),
                metric("m", "a"),
            ],
            "['e', 'f'] refer to each other",
        ),
    ],
)
def test_what_metric_math_cannot_play_is_named(queries: list[dict[str, Any]], named: str) -> None:
    problems = unsupported({**RULE, "Metrics": queries})
    assert len(problems) == 1
    assert named in problems[0]


def test_an_alarm_that_cannot_be_played_is_refused_with_all_its_problems() -> None:
    alarm = {**ALARM, "Unit": "Count", "Period": 45, "Threshold": None}

    with pytest.raises(AlarmError, match=r"Unit .*Threshold .*Period ") as refusal:
        evaluate(alarm, MetricStore(), 0, "OK")

    assert refusal.value.problems == tuple(unsupported(alarm))
