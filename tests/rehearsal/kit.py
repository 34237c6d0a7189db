"""A synthesised kit on disk, rehearsed after somebody has broken it."""

import csv
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from steelyard.rehearsal.assembly import Assembly, stage_folder
from steelyard.rehearsal.events import parse as parse_event
from steelyard.rehearsal.faults import parse
from steelyard.rehearsal.play import Glimpse
from steelyard.rehearsal.rehearse import Watches, rehearse
from steelyard.rehearsal.scenario import Scenario
from steelyard.rehearsal.traffic import bodies

ROOT = Path(__file__).resolve().parent.parent.parent
ENDPOINT = "tumour-classifier"
PLAN = (30, 60, 100)
REQUESTS_PER_MINUTE = 300
Template = dict[str, Any]


class Silent:
    """A stage that shows nothing."""

    def begin(self, scenario: Scenario) -> None: ...

    def show(self, glimpse: Glimpse) -> None: ...

    def end(self, entry: dict[str, Any]) -> None: ...


class Kit:
    """A synthesised copy on disk that a test may change, and rehearse."""

    def __init__(self, output: Path) -> None:
        self.output = output
        self.longest_seconds = 4 * 3600.0

    @property
    def stage(self) -> Path:
        return stage_folder(self.output, f"{ENDPOINT}-test")

    @contextmanager
    def template(self, stack: str) -> Iterator[Template]:
        """The template of one stack, written back when the block ends."""
        (path,) = self.stage.glob(f"*{stack}*.template.json")
        template: Template = json.loads(path.read_text("utf-8"))
        yield template
        path.write_text(json.dumps(template), "utf-8")

    def change_handlers(self, name: str, source: str) -> None:
        """Replace a handler in every code asset."""
        for handler in self.output.glob(f"asset.*/lambdas/{name}.py"):
            handler.write_text(source, "utf-8")

    def scenario(
        self,
        expected: str,
        faults: tuple[str, ...] = (),
        is_worse: bool = False,
        events: tuple[str, ...] = (),
    ) -> Scenario:
        return Scenario(
            name="rehearsed",
            assembly=Assembly.read(self.stage),
            champion="v1-0-0",
            challenger="v1-1-0",
            plan=PLAN,
            faults=tuple(parse(fault, PLAN) for fault in faults),
            is_worse=is_worse,
            expected=expected,
            longest_seconds=self.longest_seconds,
            events=tuple(parse_event(event, PLAN) for event in events),
        )

    def report(self, expected: str, *faults: str, events: tuple[str, ...] = ()) -> dict[str, Any]:
        scenarios = [self.scenario(expected, faults, events=events)]
        return rehearse("test", scenarios, records(), REQUESTS_PER_MINUTE, 7, Silent(), Watches())

    def rehearse(self, expected: str, *faults: str, events: tuple[str, ...] = ()) -> dict[str, Any]:
        """Play one rollout, and return its entry in the report."""
        (entry,) = self.report(expected, *faults, events=events)["rollouts"]
        return entry


def records() -> list[bytes]:
    """Return the held-out rows of the example as request bodies."""
    rows = ROOT / "endpoints" / ENDPOINT / "heldout.csv"
    with rows.open(newline="", encoding="utf-8") as file:
        return bodies(
            [
                {name: float(value) for name, value in row.items() if name != "label"}
                for row in csv.DictReader(file)
            ]
        )


def find(template: Template, kind: str, part: str = "") -> list[str]:
    """Return the logical ids of a template's resources of one type that have `part` in them."""
    return [
        name
        for name, resource in template["Resources"].items()
        if resource["Type"] == kind and part in name
    ]


Silence = Callable[[Kit], None]


def rule_removed(kit: Kit) -> None:
    with kit.template("control") as template:
        for rule in find(template, "AWS::Events::Rule", "EachMinute"):
            del template["Resources"][rule]
        for permission in find(template, "AWS::Lambda::Permission", "EachMinute"):
            del template["Resources"][permission]


def rule_disabled(kit: Kit) -> None:
    with kit.template("control") as template:
        for rule in find(template, "AWS::Events::Rule", "EachMinute"):
            template["Resources"][rule]["Properties"]["State"] = "DISABLED"


def only_heartbeats(kit: Kit) -> None:
    kit.change_handlers(
        "judge",
        """
import os

import boto3


def handler(event, context):
    key = {"pk": {"S": "lock#" + os.environ["STEELYARD_ENDPOINT"]}, "sk": {"S": "lock"}}
    answer = boto3.client("dynamodb").get_item(TableName=os.environ["STEELYARD_LEDGER"], Key=key)
    if "token" in answer.get("Item", {}):
        engine = boto3.client("stepfunctions")
        try:
            engine.send_task_heartbeat(taskToken=answer["Item"]["token"]["S"])
        except engine.exceptions.TaskTimedOut:
            return
""",
    )


SILENCED = {
    "its rule is removed": rule_removed,
    "its rule is disabled": rule_disabled,
    "its handler only sends heartbeats": only_heartbeats,
}
