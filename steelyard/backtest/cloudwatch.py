"""
Read what `aws cloudwatch get-metric-data` prints: sums of a minute.

A label names variant and metric. CloudWatch counts what the container cannot see, and knows no
histogram.
"""

from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from typing import Any

from steelyard.backtest.recording import Recording, Sample, Unreadable
from steelyard.backtest.table import Roles
from steelyard.rollout.counters import Point

METRICS = (
    "Invocations",
    "Invocation4XXErrors",
    "Invocation5XXErrors",
    "InvocationModelErrors",
)
LABEL = "${PROP('Dim.VariantName')} ${PROP('MetricName')}"

Counts = dict[str, dict[int, dict[str, int]]]
"""Sums by role, epoch minute and metric."""


def read(content: Mapping[str, Any], roles: Roles) -> Recording:
    """Return what the answer says; raises Unreadable with every problem."""
    counts: Counts = {"champion": defaultdict(dict), "challenger": defaultdict(dict)}
    problems: list[str] = []
    for result in content["MetricDataResults"]:
        try:
            role, metric = _named(str(result.get("Label", "")), roles)
            for minute, value in _values(result):
                counts[role][minute][metric] = value
        except ValueError as error:
            problems.append(str(error))
        except (AttributeError, KeyError, TypeError) as error:
            problems.append(
                f"MetricDataResults: given a result that lacks or mistakes {error}, allowed is "
                f"the answer as it is: print it with --output json and no --query"
            )
    problems += [] if problems else _period_problems(counts)
    if problems:
        raise Unreadable(problems)
    minutes = sorted({minute for found in counts.values() for minute in found})
    return Recording(
        tuple(
            Sample(
                minute,
                _point(counts["champion"].get(minute)),
                _point(counts["challenger"].get(minute)),
            )
            for minute in minutes
        )
    )


def _named(label: str, roles: Roles) -> tuple[str, str]:
    """Return the role and the metric that a label says."""
    words = label.replace(",", " ").split()
    found = [roles[word] for word in words if word in roles]
    metrics = [word for word in words if word in METRICS]
    if len(found) != 1 or len(metrics) != 1:
        raise ValueError(
            f"label: given {label!r}, allowed is a variant, {' or '.join(roles)}, and one of "
            f"{', '.join(METRICS)}: give each query the label {LABEL}"
        )
    return found[0], metrics[0]


def _values(result: Mapping[str, Any]) -> Sequence[tuple[int, int]]:
    """Return (epoch minute, sum) of each time stamp."""
    found = []
    for at, value in zip(result["Timestamps"], result["Values"], strict=True):
        if value != int(value) or value < 0:
            raise ValueError(
                f"{result['Label']}: given {value}, allowed is a count: ask for the statistic Sum"
            )
        found.append((int(datetime.fromisoformat(at).timestamp() // 60), int(value)))
    return found


def _period_problems(counts: Counts) -> list[str]:
    minutes = sorted({minute for found in counts.values() for minute in found})
    gaps = {after - before for before, after in pairwise(minutes)}
    if len(minutes) < 3 or min(gaps) == 1:
        return []
    return [
        f"timestamps: given every {min(gaps)} minutes, allowed is every minute: "
        f"ask for the period 60, within 15 days"
    ]


def _point(counts: Mapping[str, int] | None) -> Point | None:
    """
    Return a variant's minute; without invocations there is none.

    InvocationModelErrors counts every answer but 2xx, and requests that were never answered;
    Invocation5XXErrors lacks the latter.
    """
    n = 0 if counts is None else counts.get("Invocations", 0)
    if counts is None or n == 0:
        return None
    client, server = counts.get("Invocation4XXErrors", 0), counts.get("Invocation5XXErrors", 0)
    failed = max(server, counts.get("InvocationModelErrors", 0) - client)
    e4 = min(n, client)
    return Point(n=n, e4=e4, em=min(n - e4, failed), score=(), conf=(), lat=())
