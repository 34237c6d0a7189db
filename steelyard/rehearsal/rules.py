"""EventBridge's rules: schedules that are due, and events that match a pattern, wake functions."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from steelyard.rehearsal.assembly import CannotPlay, schedule_minutes
from steelyard.rehearsal.invocation import Invocations
from steelyard.rehearsal.local_aws import LocalAws
from steelyard.rehearsal.patterns import matches

PRINCIPAL = "events.amazonaws.com"


@dataclass(frozen=True)
class Rule:
    """One enabled rule: `minutes` between two ticks, or the `pattern` of its events."""

    name: str
    arn: str
    minutes: int | None
    pattern: Mapping[str, Any] | None
    targets: tuple[Mapping[str, Any], ...]


class Rules:
    """
    The deployed rules.

    Raises CannotPlay for a target that is no function.
    """

    def __init__(self, aws: LocalAws, sent: Invocations) -> None:
        self._aws = aws
        self._sent = sent
        self.refresh()

    def refresh(self) -> None:
        """Read the rules again, after a deployment or a change of one; raises CannotPlay."""
        self._rules = list(self._read())
        problems = [
            f"rule {rule.arn} wakes {target['Arn']}, which is not played"
            for rule in self._rules
            for target in rule.targets
            if ":lambda:" not in target["Arn"]
        ]
        if problems:
            raise CannotPlay(problems)

    def minute(self) -> None:
        """Run the schedules that are due at this full minute."""
        minute = int(self._aws.clock.now // 60)
        for rule in self._rules:
            if rule.minutes is not None and minute % rule.minutes == 0:
                self._wake(rule, self._aws.bus.event("aws.events", "Scheduled Event", rule.arn))

    def deliver(self) -> None:
        """Deliver what has happened since the last time: an assumption, some seconds later."""
        for event in self._aws.bus.take():
            for rule in self._rules:
                if rule.pattern is not None and matches(rule.pattern, event):
                    self._wake(rule, event)

    def _wake(self, rule: Rule, event: dict[str, Any]) -> None:
        for target in rule.targets:
            queue = target.get("DeadLetterConfig", {}).get("Arn")
            self._sent.send(PRINCIPAL, rule.arn, target["Arn"], event, dead_letters=queue)

    def _read(self) -> Iterator[Rule]:
        events = self._aws.client("events")
        for rule in events.list_rules()["Rules"]:
            if rule["State"] != "ENABLED":
                continue
            targets = events.list_targets_by_rule(Rule=rule["Name"])["Targets"]
            pattern = rule.get("EventPattern")
            yield Rule(
                rule["Name"],
                rule["Arn"],
                schedule_minutes(rule.get("ScheduleExpression")),
                None if pattern is None else json.loads(pattern),
                tuple(targets),
            )
