"""What wakes a Lambda, read into values; time comes in with the event, never from a clock."""

import contextlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

# The error by which the judge ends a bake.
JUDGED_WORSE = "JudgedWorse"


def epoch(moment: str) -> float:
    """Return an ISO 8601 moment, as AWS writes it in events, in epoch seconds."""
    return datetime.fromisoformat(moment.replace("+0000", "+00:00")).timestamp()


@dataclass(frozen=True)
class Cause:
    """
    Why traffic must come home.

    `condition` names what the ledger's lock must say for this cause to concern the rollout.
    """

    at: float
    actor: str
    reason: str
    condition: Mapping[str, str]


def cause_of(event: Mapping[str, Any]) -> Cause | None:
    """
    Return why the rollback Lambda was woken; None for an alarm that is not in ALARM.

    Three callers are known: a CloudWatch alarm's Lambda action, the state machine's Abort state
    and an operator. Raises ValueError for any other event, naming what it holds.
    """
    if "alarmData" in event:
        return _of_alarm(event)
    if "rollout" in event and "now" in event:
        actor, reason = _of_failure(event["error"]) if "error" in event else _of_operator(event)
        return Cause(epoch(event["now"]), actor, reason, {"rollout": event["rollout"]})
    raise ValueError(
        f"event holds {sorted(event)}: an alarm's alarmData, or rollout and now, are understood"
    )


def _of_failure(error: Mapping[str, str]) -> tuple[str, str]:
    """Return who ended the rollout and why, from what the state machine caught."""
    name, cause = error.get("Error", ""), error.get("Cause", "")
    # A failed Lambda's cause is the JSON of its error, stack trace and all.
    with contextlib.suppress(ValueError, KeyError, TypeError):
        cause = json.loads(cause)["errorMessage"]
    if name == JUDGED_WORSE:
        return "judge", cause
    return "engine", f"{name}: {cause}" if cause else name


def _of_operator(event: Mapping[str, Any]) -> tuple[str, str]:
    return "operator", str(event.get("reason", "no reason given"))


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
    return Cause(epoch(event["time"]), "alarm", reason, {"challenger": variants.pop()})
