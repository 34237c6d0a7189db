"""
Evaluate classic CloudWatch metric alarms, as their CloudFormation properties state them.

Sources: "Alarm evaluation" and "Configuring how CloudWatch alarms treat missing data" for states,
M of N, the evaluation range and the premature alarm state (`next_state` reproduces both tables of
that page); "Alarms on math expressions"; botocore's PutMetricAlarm for the properties.

Not documented, chosen here:
- the evaluation range is two periods longer than EvaluationPeriods: the page gives the one example
  of 5 for 3 and says that it varies;
- too few breaching points, none of them old enough, are OK under `missing`;
- only whole periods count, aligned to the epoch.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Iterator, Mapping, Sequence
from graphlib import CycleError, TopologicalSorter
from typing import Any

from steelyard.rehearsal.metrics import (
    MATH_WORDS,
    Expression,
    MetricStore,
    StatisticError,
    reduction,
)

EXTRA_PERIODS = 2
"""How far the evaluation range reaches back past EvaluationPeriods."""

Properties = Mapping[str, Any]

_COMPARISONS: dict[str, tuple[Callable[[float, float], bool], str]] = {
    "GreaterThanThreshold": (operator.gt, "greater than"),
    "GreaterThanOrEqualToThreshold": (operator.ge, "greater than or equal to"),
    "LessThanThreshold": (operator.lt, "less than"),
    "LessThanOrEqualToThreshold": (operator.le, "less than or equal to"),
}
_TREATMENTS = ("missing", "notBreaching", "breaching", "ignore")
_SINGLE = {"MetricName", "Namespace", "Dimensions", "Statistic", "ExtendedStatistic", "Period"}
_RULE = {
    "EvaluationPeriods",
    "DatapointsToAlarm",
    "Threshold",
    "ComparisonOperator",
    "TreatMissingData",
}
_WITHOUT_EFFECT = {
    "AlarmName",
    "AlarmDescription",
    "ActionsEnabled",
    "AlarmActions",
    "OKActions",
    "InsufficientDataActions",
    "Tags",
}
_QUERY_KEYS = {"Id", "MetricStat", "Expression", "Label", "ReturnData", "Period"}
_STAT_KEYS = {"Metric", "Period", "Stat"}


class AlarmError(ValueError):
    """The alarm cannot be played; `problems` holds one sentence for each reason."""

    def __init__(self, problems: Sequence[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = tuple(problems)


def unsupported(properties: Properties) -> list[str]:
    """Name everything in the properties of an AWS::CloudWatch::Alarm that cannot be played."""
    source = {"Metrics"} if "Metrics" in properties else _SINGLE
    foreign = set(properties) - _RULE - _WITHOUT_EFFECT - source
    queries = _queries(properties)
    return [
        *(f"property {name} cannot be played: leave it out" for name in sorted(foreign)),
        *_rule_problems(properties),
        *(problem for query in queries for problem in _query_problems(query)),
        *_set_problems(queries),
    ]


def evaluate(properties: Properties, store: MetricStore, at: float, state: str) -> tuple[str, str]:
    """
    Return the alarm's state at `at` (epoch seconds) and the reason, given the state before.

    Looks at whole periods, the last one ended at or before `at`. Raises AlarmError where
    `unsupported` names a problem.
    """
    if problems := unsupported(properties):
        raise AlarmError(problems)
    periods = properties["EvaluationPeriods"]
    values = _values(_queries(properties), store, at, periods + EXTRA_PERIODS)
    breaches, _ = _COMPARISONS[properties["ComparisonOperator"]]
    threshold = properties["Threshold"]
    points = [None if value is None else breaches(value, threshold) for value in values]
    after = next_state(points, _needed(properties), periods, _treatment(properties), state)
    return after, _reason(properties, values, points)


def next_state(
    points: Sequence[bool | None], needed: int, periods: int, treatment: str, state: str
) -> str:
    """
    Return OK, ALARM or INSUFFICIENT_DATA from the points of an evaluation range, oldest first.

    True is a breach, None a missing point. Missing points are filled in by the treatment as few
    times as possible: real ones from farther back come first.
    """
    real = [point for point in points if point is not None][-periods:]
    filled = periods - len(real) if treatment == "breaching" else 0
    if real.count(True) + filled >= needed:
        return "ALARM"
    if False in real or treatment in ("breaching", "notBreaching"):
        return "OK"
    if treatment == "ignore":
        return state
    if not real:
        return "INSUFFICIENT_DATA"
    # Premature alarm state: silence after a breach does not clear it once it is old enough.
    return "ALARM" if len(points) - points.index(True) >= needed else "OK"


def _reason(
    properties: Properties, values: Sequence[float | None], points: Sequence[bool | None]
) -> str:
    periods, needed = properties["EvaluationPeriods"], _needed(properties)
    real = [value for value in values if value is not None][-periods:]
    breaching = [point for point in points if point is not None][-periods:].count(True)
    words = _COMPARISONS[properties["ComparisonOperator"]][1]
    shown = ", ".join(f"{value:.6g}" for value in real) or "none"
    reason = (
        f"{breaching} of the last {len(real)} datapoints ({shown}) were {words} the threshold "
        f"({properties['Threshold']:.6g}), {needed} of {periods} make an alarm"
    )
    if len(real) < periods:
        reason += f"; {periods - len(real)} missing, treated as {_treatment(properties)}"
    return reason


def _values(
    queries: Sequence[Properties], store: MetricStore, at: float, periods: int
) -> list[float | None]:
    """Return the watched values of the last whole periods, oldest first, None where missing."""
    period = next(query["MetricStat"]["Period"] for query in queries if "MetricStat" in query)
    end = at // period * period
    order = _in_order(queries)
    watched = next(query["Id"] for query in order if query["ReturnData"])
    values = []
    for back in range(periods, 0, -1):
        scope: dict[str, float | None] = {}
        for query in order:
            start = end - back * period
            scope[query["Id"]] = _value(query, scope, store, start, start + period)
        values.append(scope[watched])
    return values


def _value(
    query: Properties,
    scope: Mapping[str, float | None],
    store: MetricStore,
    start: float,
    end: float,
) -> float | None:
    if "Expression" in query:
        return Expression(query["Expression"]).value(scope)
    stat = query["MetricStat"]
    metric = stat["Metric"]
    dimensions = {pair["Name"]: pair["Value"] for pair in metric.get("Dimensions", [])}
    return store.statistic(
        metric["Namespace"], metric["MetricName"], dimensions, stat["Stat"], start, end
    )


def _queries(properties: Properties) -> list[Properties]:
    """Return the metric data queries of the alarm; a single metric becomes the only one."""
    if "Metrics" in properties:
        return [{"Id": "", "ReturnData": True, **query} for query in properties["Metrics"]]
    metric = {name: properties.get(name) for name in ("Namespace", "MetricName")}
    stat = {
        "Metric": {**metric, "Dimensions": properties.get("Dimensions", [])},
        "Period": properties.get("Period"),
        "Stat": properties.get("Statistic", properties.get("ExtendedStatistic")),
    }
    return [{"Id": "metric", "ReturnData": True, "MetricStat": stat}]


def _in_order(queries: Sequence[Properties]) -> list[Properties]:
    """Return the queries so that each comes after those it refers to; raises CycleError."""
    by_id = {query["Id"]: query for query in queries}
    needs = {
        name: Expression(query.get("Expression", "")).names() & set(by_id)
        for name, query in by_id.items()
    }
    return [by_id[name] for name in TopologicalSorter(needs).static_order()]


def _needed(properties: Properties) -> int:
    return int(properties.get("DatapointsToAlarm", properties["EvaluationPeriods"]))


def _treatment(properties: Properties) -> str:
    return str(properties.get("TreatMissingData", "missing"))


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 1


def _is_period(value: Any) -> bool:
    return _is_whole(value) and (value in (10, 20, 30) or value % 60 == 0)


def _rule_problems(properties: Properties) -> Iterator[str]:
    periods = properties.get("EvaluationPeriods")
    needed = properties.get("DatapointsToAlarm", 1)
    threshold = properties.get("Threshold")
    comparison, treatment = properties.get("ComparisonOperator"), _treatment(properties)
    if not _is_whole(periods):
        yield f"EvaluationPeriods is {periods!r}: write a whole number from 1"
    elif not _is_whole(needed) or needed > periods:
        yield f"DatapointsToAlarm is {needed!r}: write a whole number from 1 to {periods}"
    if isinstance(threshold, bool) or not isinstance(threshold, int | float):
        yield f"Threshold is {threshold!r}: write a number"
    if "Statistic" in properties and "ExtendedStatistic" in properties:
        yield "Statistic and ExtendedStatistic are both given: leave one out"
    if comparison not in _COMPARISONS:
        yield f"ComparisonOperator {comparison!r} cannot be played: use {', '.join(_COMPARISONS)}"
    if treatment not in _TREATMENTS:
        yield f"TreatMissingData {treatment!r} is unknown: use {', '.join(_TREATMENTS)}"


def _query_problems(query: Properties) -> Iterator[str]:
    where = f"metric {query.get('Id')!r}"
    stat = query.get("MetricStat", {})
    for name in sorted((set(query) - _QUERY_KEYS) | (set(stat) - _STAT_KEYS)):
        yield f"{where}: {name} cannot be played: leave it out"
    if ("MetricStat" in query) is ("Expression" in query):
        yield f"{where} has both or none of MetricStat and Expression: give one"
    elif "MetricStat" in query:
        yield from (f"{where}: {problem}" for problem in _stat_problems(stat))


def _stat_problems(stat: Properties) -> Iterator[str]:
    try:
        reduction(str(stat.get("Stat")))
    except StatisticError as error:
        yield str(error)
    metric, period = stat.get("Metric", {}), stat.get("Period")
    dimensions = [value for pair in metric.get("Dimensions", []) for value in pair.values()]
    parts = [metric.get("Namespace"), metric.get("MetricName"), *dimensions]
    if not all(isinstance(part, str) for part in parts):
        yield f"its name {parts} is not all strings: resolve it first"
    if not _is_period(period):
        yield f"Period is {period!r}: write 10, 20, 30 or a multiple of 60"
    if metric.get("Namespace") == "AWS/DynamoDB":
        yield "AWS/DynamoDB has missing-data rules of its own: watch another metric"


def _set_problems(queries: Sequence[Properties]) -> Iterator[str]:
    """Yield what is wrong with the queries as a set: the watched one, periods, references."""
    ids = {query["Id"] for query in queries}
    if len(ids) < len(queries):
        yield "Metrics repeat an Id: use each Id once"
    if (count := sum(query["ReturnData"] is True for query in queries)) != 1:
        yield f"ReturnData is true for {count} of the Metrics: mark exactly one"
    periods = {
        repr(query["MetricStat"].get("Period")) for query in queries if "MetricStat" in query
    }
    periods |= {repr(query["Period"]) for query in queries if "Period" in query}
    if len(periods) != 1:
        yield f"the Metrics have {len(periods)} different periods: give all the same one"
    for query in queries:
        if "Expression" in query:
            yield from _expression_problems(query, ids)
    try:
        _in_order(queries)
    except CycleError as error:
        yield f"the Metrics {sorted(set(error.args[1]))} refer to each other: break the circle"


def _expression_problems(query: Properties, ids: set[str]) -> Iterator[str]:
    where, expression = f"metric {query['Id']!r}", Expression(query["Expression"])
    refused = expression.refused(ids)
    for part in refused:
        yield f"{where}: {part!r} cannot be played, allowed are {MATH_WORDS}"
    if not refused and not expression.names() & ids:
        yield f"{where} is a constant, but an alarm watches a metric: refer to one"
