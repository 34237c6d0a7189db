"""What wakes a Lambda, read into values; time comes in with the event, never from a clock."""

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

# The error by which the judge ends a bake.
JUDGED_WORSE = "JudgedWorse"
EXECUTION_ENDED = "Step Functions Execution Status Change"
# How an execution ends that did not succeed.
FAILURES = ("FAILED", "TIMED_OUT", "ABORTED")


def epoch(moment: str) -> float:
    """Return an ISO 8601 moment, as AWS writes it in events, in epoch seconds."""
    return datetime.fromisoformat(moment.replace("+0000", "+00:00")).timestamp()


@dataclass(frozen=True)
class Cause:
    """
    Why traffic must come home.

    `condition` names what the ledger's lock must say for this cause to concern the rollout, and
    `begun_by` (epoch seconds) when it must have begun at the latest: what happened earlier was
    about another one. With `revert` it concerns a rollout that was promoted, else one under way.
    """

    at: float
    actor: str
    reason: str
    condition: Mapping[str, str]
    begun_by: float | None = None
    revert: bool = False


def cause_of(event: Mapping[str, Any]) -> Cause | None:
    """
    Return why the rollback Lambda was woken; None for an alarm that is not in ALARM.

    Four callers are known: a CloudWatch alarm's Lambda action, the state machine's Abort state,
    EventBridge for an execution that ended in any way but success, and an operator. Raises
    ValueError for any other event, naming what it holds.
    """
    if "alarmData" in event:
        return _of_alarm(event)
    if event.get("detail-type") == EXECUTION_ENDED:
        return _of_execution(event)
    if "rollout" in event and "now" in event:
        return _of_failure(event) if "error" in event else _of_operator(event)
    raise ValueError(
        f"event holds {sorted(event)}: an alarm's alarmData, an execution's status change, "
        "or rollout and now, are understood"
    )


def _of_failure(event: Mapping[str, Any]) -> Cause:
    """Return who ended the rollout and why, from what the state machine caught."""
    name, cause = event["error"].get("Error", ""), event["error"].get("Cause", "")
    # A failed Lambda's cause is the JSON of its error, stack trace and all.
    with contextlib.suppress(ValueError, KeyError, TypeError):
        cause = json.loads(cause)["errorMessage"]
    is_judged = name == JUDGED_WORSE
    reason = cause if is_judged else _joined(name, cause)
    actor = "judge" if is_judged else "engine"
    return Cause(epoch(event["now"]), actor, reason, {"rollout": event["rollout"]})


def _of_execution(event: Mapping[str, Any]) -> Cause | None:
    """
    Return why an execution that ended without success must bring traffic home; None for others.

    The event's form is Step Functions' own:
    https://docs.aws.amazon.com/step-functions/latest/dg/eventbridge-integration.html
    """
    detail = event["detail"]
    if detail["status"] not in FAILURES:
        return None
    reason = _joined(
        f"the execution ended {detail['status']}", detail.get("error"), detail.get("cause")
    )
    return Cause(epoch(event["time"]), "engine", reason, {"rollout": detail["name"]})


def _joined(*parts: str | None) -> str:
    return ": ".join(part for part in parts if part)


def _of_operator(event: Mapping[str, Any]) -> Cause:
    said = str(event.get("reason", "no reason given"))
    return Cause(
        epoch(event["now"]),
        "operator",
        f"{event['actor']}: {said}" if "actor" in event else said,
        {"rollout": str(event["rollout"])},
        revert=bool(event.get("revert", False)),
    )


def _of_alarm(event: Mapping[str, Any]) -> Cause | None:
    data = event["alarmData"]
    if data["state"]["value"] != "ALARM":
        return None
    variants = {
        stat["metric"]["dimensions"]["VariantName"]
        for metric in data["configuration"]["metrics"]
        if (stat := metric.get("metricStat")) is not None
    }
    if len(variants) != 1:
        raise ValueError(f"alarm {data['alarmName']} watches {sorted(variants)}: one variant")
    reason = f"{data['alarmName']}: {data['state']['reason']}"
    at = epoch(event["time"])
    # A delivery that is late, or repeated, may find a later rollout of the same challenger.
    return Cause(at, "alarm", reason, {"challenger": variants.pop()}, begun_by=at)
