"""The alarms of a variant, as one table: what each watches, for whom, and what it does."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import aws_cdk as cdk
from aws_cdk import aws_cloudwatch as cloudwatch

from steelyard.spec.endpoint import Alarms

_MINUTE = cdk.Duration.minutes(1)


@dataclass(frozen=True)
class Signal:
    """
    One row: an alarm that every variant has.

    `name` is also its runbook's; `metric` builds what is watched, `limit` reads its threshold
    from the endpoint file, in the metric's unit; `breaching` of `periods` one-minute points
    raise it.
    """

    name: str
    summary: str
    severity: Literal["page", "ticket"]
    owner: Literal["infrastructure", "model quality"]
    metric: Callable[[str, str, Alarms], cloudwatch.IMetric]
    limit: Callable[[Alarms], float]
    breaching: int
    periods: int


def _metric(endpoint: str, variant: str, name: str, statistic: str) -> cloudwatch.Metric:
    return cloudwatch.Metric(
        namespace="AWS/SageMaker",
        metric_name=name,
        dimensions_map={"EndpointName": endpoint, "VariantName": variant},
        statistic=statistic,
        period=_MINUTE,
    )


def _error_rate(endpoint: str, variant: str, limits: Alarms) -> cloudwatch.IMetric:
    """
    Return the share of requests that failed, from 0 to 1, and 0 below the minimum of requests.

    InvocationModelErrors counts whatever did not end in 2XX, time-outs and broken connections too,
    which Invocation5XXErrors misses; what is the client's own mistake is taken off. Each is 0 or 1
    per request (SageMaker developer guide, "Monitor with CloudWatch").
    """
    return cloudwatch.MathExpression(
        expression=f"IF(requests >= {limits.minimum_requests}, (errors - mistakes) / requests, 0)",
        using_metrics={
            "requests": _metric(endpoint, variant, "Invocations", "Sum"),
            "errors": _metric(endpoint, variant, "InvocationModelErrors", "Sum"),
            "mistakes": _metric(endpoint, variant, "Invocation4XXErrors", "Sum"),
        },
        label=f"{variant} error rate",
        period=_MINUTE,
    )


def _latency(endpoint: str, variant: str, limits: Alarms) -> cloudwatch.IMetric:
    """Return the 99th percentile in microseconds, and 0 below the minimum of requests."""
    return cloudwatch.MathExpression(
        expression=f"IF(requests >= {limits.minimum_requests}, latency, 0)",
        using_metrics={
            "requests": _metric(endpoint, variant, "Invocations", "Sum"),
            "latency": _metric(endpoint, variant, "ModelLatency", "p99"),
        },
        label=f"{variant} p99 latency",
        period=_MINUTE,
    )


SIGNALS = (
    Signal(
        name="ErrorRate",
        summary="the container fails requests, or is gone",
        severity="page",
        owner="infrastructure",
        metric=_error_rate,
        limit=lambda limits: limits.error_rate,
        breaching=2,
        periods=3,
    ),
    Signal(
        name="Latency",
        summary="the slowest hundredth of the answers takes too long",
        severity="page",
        owner="infrastructure",
        metric=_latency,
        # ModelLatency is published in microseconds.
        limit=lambda limits: round(limits.latency_p99 * 1_000_000, 3),
        breaching=3,
        periods=5,
    ),
)
