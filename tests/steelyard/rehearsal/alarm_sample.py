"""Alarms to evaluate and to spoil: a plain one, and a ratio by metric math."""

from typing import Any

ERRORS = {
    "Namespace": "AWS/SageMaker",
    "MetricName": "Invocation5XXErrors",
    "Dimensions": [
        {"Name": "EndpointName", "Value": "e"},
        {"Name": "VariantName", "Value": "v"},
    ],
}
ALARM: dict[str, Any] = {
    **ERRORS,
    "AlarmName": "e-v-Errors",
    "AlarmActions": ["arn:aws:lambda:eu-west-1:123456789012:function:rollback:live"],
    "Statistic": "Sum",
    "Period": 60,
    "EvaluationPeriods": 3,
    "DatapointsToAlarm": 2,
    "Threshold": 10,
    "ComparisonOperator": "GreaterThanThreshold",
    "TreatMissingData": "missing",
}


def query(name: str, **fields: Any) -> dict[str, Any]:
    return {"Id": name, "ReturnData": False, **fields}


def metric(name: str, metric_name: str, **changes: Any) -> dict[str, Any]:
    stat = {"Metric": {**ERRORS, "MetricName": metric_name}, "Period": 60, "Stat": "Sum"}
    return query(name, MetricStat={**stat, **changes})


RULE = {
    "EvaluationPeriods": 1,
    "Threshold": 0.05,
    "ComparisonOperator": "GreaterThanThreshold",
    "TreatMissingData": "notBreaching",
}
RATIO: dict[str, Any] = {
    **RULE,
    "Metrics": [
        query("guarded", Expression="IF(all >= 100, ratio, 0)", ReturnData=True, Label="ratio"),
        query("ratio", Expression="FILL(errors, 0) / all"),
        metric("errors", "Invocation5XXErrors"),
        metric("all", "Invocations"),
    ],
}
