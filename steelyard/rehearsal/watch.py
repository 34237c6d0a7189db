"""CloudWatch's part: each minute, alarms are evaluated, and wake what they name."""

import datetime
import json
from collections.abc import Callable
from typing import Any

from steelyard.rehearsal import alarms
from steelyard.rehearsal.assembly import Assembly, CannotPlay
from steelyard.rehearsal.invocation import Invocations
from steelyard.rehearsal.local_aws import LocalAws
from steelyard.rehearsal.metrics import MetricStore

ALARM_PRINCIPAL = "lambda.alarms.cloudwatch.amazonaws.com"

Heard = Callable[[str, str, str], None]


class Watch:
    """
    The deployed alarms.

    `heard` is told each change of an alarm: its name, new state and reason.
    """

    def __init__(
        self, aws: LocalAws, assembly: Assembly, store: MetricStore, sent: Invocations, heard: Heard
    ) -> None:
        self._aws = aws
        self._store = store
        self._sent = sent
        self._heard = heard
        self._states: dict[str, str] = {}
        self.refresh(assembly)

    def refresh(self, assembly: Assembly) -> None:
        """Take the alarms of an assembly that was deployed; raises CannotPlay."""
        # Evaluated as the template writes them; actions as the deployment resolved them.
        self._properties = {
            alarm["Properties"]["AlarmName"]: alarm["Properties"]
            for _, alarm in assembly.resources("AWS::CloudWatch::Alarm")
        }
        deployed = self._aws.client("cloudwatch").describe_alarms()["MetricAlarms"]
        self._alarms = {alarm["AlarmName"]: alarm for alarm in deployed}
        self._states = {name: alarm["StateValue"] for name, alarm in self._alarms.items()}
        self._refuse_strangers()

    def minute(self) -> None:
        """Do what falls due at this full minute."""
        for name, properties in self._properties.items():
            before = self._states[name]
            state, reason = alarms.evaluate(properties, self._store, self._aws.clock.now, before)
            if state != before:
                self._change(name, state, reason)

    def _refuse_strangers(self) -> None:
        """Raise CannotPlay for whatever would be woken and is neither a function nor a topic."""
        problems = [
            f"alarm {name} wakes {action}, which is not played"
            for name, alarm in self._alarms.items()
            for action in alarm.get("AlarmActions", ())
            if not any(service in action for service in (":lambda:", ":sns:"))
        ]
        if problems:
            raise CannotPlay(problems)

    def _change(self, name: str, state: str, reason: str) -> None:
        before, self._states[name] = self._states[name], state
        self._aws.client("cloudwatch").set_alarm_state(
            AlarmName=name, StateValue=state, StateReason=reason
        )
        self._heard(name, state, reason)
        if state != "ALARM" or not self._alarms[name].get("ActionsEnabled", True):
            return
        event = self._event(name, before, reason)
        for action in self._alarms[name].get("AlarmActions", ()):
            if ":lambda:" in action:
                arn = self._alarms[name]["AlarmArn"]
                self._sent.send(ALARM_PRINCIPAL, arn, action, event)
            else:
                message = json.dumps({"AlarmName": name, "NewStateReason": reason})
                self._aws.client("sns").publish(TopicArn=action, Message=message)

    def _event(self, name: str, before: str, reason: str) -> dict[str, Any]:
        """
        Return the event that an alarm sends to a Lambda function.

        Its shape is the one of the CloudWatch user guide, "Invoke a Lambda function from an alarm".
        """
        now = self._iso()
        return {
            "source": "aws.cloudwatch",
            "alarmArn": self._alarms[name]["AlarmArn"],
            "accountId": self._aws.account,
            "time": now,
            "region": self._aws.region,
            "alarmData": {
                "alarmName": name,
                "state": {"value": "ALARM", "reason": reason, "timestamp": now},
                "previousState": {"value": before},
                "configuration": {"metrics": _metrics(self._properties[name])},
            },
        }

    def _iso(self) -> str:
        now = datetime.datetime.fromtimestamp(self._aws.clock.now, datetime.UTC)
        return now.strftime("%Y-%m-%dT%H:%M:%S.000+0000")


def _metrics(properties: dict[str, Any]) -> list[dict[str, Any]]:
    """Return an alarm's metrics as its event writes them."""
    queries = properties.get("Metrics") or [{"Id": "m1", "MetricStat": {"Metric": properties}}]
    found: list[dict[str, Any]] = []
    for query in queries:
        entry: dict[str, Any] = {"id": query["Id"], "returnData": query.get("ReturnData", True)}
        if "Expression" in query:
            entry["expression"] = query["Expression"]
        else:
            entry["metricStat"] = {"metric": _metric(query["MetricStat"]["Metric"])}
        found.append(entry)
    return found


def _metric(metric: dict[str, Any]) -> dict[str, Any]:
    return {
        "namespace": metric["Namespace"],
        "name": metric["MetricName"],
        "dimensions": {item["Name"]: item["Value"] for item in metric.get("Dimensions", ())},
    }
