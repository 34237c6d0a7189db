"""The synthesised assembly of one endpoint in one environment: what is deployed, on AWS as here."""

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from steelyard.rehearsal import alarms
from steelyard.rehearsal.patterns import unplayed

# What the local AWS plays; a type beyond these would be ignored by it in silence.
PLAYED_TYPES = frozenset(
    {
        "AWS::ApplicationAutoScaling::ScalableTarget",
        "AWS::ApplicationAutoScaling::ScalingPolicy",
        "AWS::CloudFormation::CustomResource",
        "AWS::CloudWatch::Alarm",
        "AWS::DynamoDB::Table",
        "AWS::Events::Rule",
        "AWS::IAM::Policy",
        "AWS::IAM::Role",
        "AWS::Lambda::Alias",
        "AWS::Lambda::Function",
        "AWS::Lambda::Permission",
        "AWS::Lambda::Version",
        "AWS::Logs::LogGroup",
        "AWS::S3::Bucket",
        "AWS::S3::BucketPolicy",
        "AWS::SNS::Topic",
        "AWS::SNS::TopicPolicy",
        "AWS::SQS::Queue",
        "AWS::SQS::QueuePolicy",
        "AWS::SageMaker::Endpoint",
        "AWS::SageMaker::EndpointConfig",
        "AWS::SageMaker::Model",
        "AWS::StepFunctions::StateMachine",
    }
)
PLAYED_STATES = frozenset({"Choice", "Fail", "Map", "Pass", "Succeed", "Task", "Wait"})
# A target's retries are for events that did not arrive at all: none is lost on loopback.
PLAYED_TARGET_KEYS = frozenset({"Arn", "DeadLetterConfig", "Id", "RetryPolicy"})
_RATE = re.compile(r"rate\((\d+) minutes?\)")


class CannotPlay(ValueError):
    """The assembly holds what the rehearsal cannot play; `problems` names each piece."""

    def __init__(self, problems: list[str]) -> None:
        self.problems = tuple(problems)
        listed = "\n".join(f"  - {problem}" for problem in problems)
        super().__init__(f"the rehearsal cannot play this assembly:\n{listed}")


@dataclass(frozen=True)
class Asset:
    """A file or folder that the deployment uploads: its source, bucket and key."""

    path: Path
    is_folder: bool
    bucket: str
    key: str


@dataclass(frozen=True)
class StackTemplate:
    """One stack: its name and template, and the assets that the template refers to."""

    name: str
    template: dict[str, Any]
    assets: tuple[Asset, ...]

    def resources(self, kind: str | None = None) -> dict[str, dict[str, Any]]:
        """Return the resources by logical id, all or those of one type."""
        found: dict[str, dict[str, Any]] = self.template.get("Resources", {})
        return {key: it for key, it in found.items() if kind is None or it["Type"] == kind}


@dataclass(frozen=True)
class Assembly:
    """
    The stacks of one Stage, in the order in which they can be deployed.

    `folder` is the Stage's folder in the output of `cdk synth`.
    """

    folder: Path
    account: str
    region: str
    stacks: tuple[StackTemplate, ...]

    @classmethod
    def read(cls, folder: Path) -> "Assembly":
        """
        Read a Stage's folder.

        Raises CannotPlay when it holds no stacks.
        """
        try:
            artifacts = json.loads((folder / "manifest.json").read_text("utf-8"))["artifacts"]
        except (OSError, ValueError, KeyError) as error:
            raise CannotPlay([f"{folder} is not the assembly of a stage: {error}"]) from error
        found = {k: a for k, a in artifacts.items() if a["type"] == "aws:cloudformation:stack"}
        if not found:
            raise CannotPlay([f"{folder} holds no stack"])
        account, region = next(iter(found.values()))["environment"][len("aws://") :].split("/")
        stacks = tuple(_stack(folder, artifacts, key) for key in _in_order(found))
        return cls(folder, account, region, stacks)

    def resources(self, kind: str) -> Iterator[tuple[str, dict[str, Any]]]:
        """Yield (logical id, resource) of one type, from all stacks."""
        for stack in self.stacks:
            yield from stack.resources(kind).items()

    @property
    def endpoint_name(self) -> str:
        """The name of the endpoint."""
        return str(self._one("AWS::SageMaker::Endpoint")["Properties"]["EndpointName"])

    @property
    def endpoint_config(self) -> dict[str, Any]:
        """The properties of the endpoint config, as the template writes them."""
        properties: dict[str, Any] = self._one("AWS::SageMaker::EndpointConfig")["Properties"]
        return properties

    def problems(self) -> list[str]:
        """Return, by name, everything that the rehearsal cannot play."""
        return [
            *self._missing(),
            *_type_problems(self.stacks),
            *self._alarm_problems(),
            *self._state_problems(),
            *self._schedule_problems(),
            *self._shadow_problems(),
        ]

    def _one(self, kind: str) -> dict[str, Any]:
        return next(resource for _, resource in self.resources(kind))

    def _missing(self) -> list[str]:
        wanted = (
            "AWS::DynamoDB::Table",
            "AWS::SageMaker::Endpoint",
            "AWS::SageMaker::EndpointConfig",
            "AWS::StepFunctions::StateMachine",
        )
        counts = {kind: len(list(self.resources(kind))) for kind in wanted}
        return [
            f"{count} resources of type {kind}: a rollout is played on exactly one"
            for kind, count in counts.items()
            if count != 1
        ]

    def _alarm_problems(self) -> list[str]:
        return [
            f"alarm {key}: {problem}"
            for key, alarm in self.resources("AWS::CloudWatch::Alarm")
            for problem in alarms.unsupported(alarm["Properties"])
        ]

    def _state_problems(self) -> list[str]:
        return [
            f"state machine {key}: {problem}"
            for key, machine in self.resources("AWS::StepFunctions::StateMachine")
            for problem in _definition_problems(machine["Properties"].get("DefinitionString"))
        ]

    def _schedule_problems(self) -> list[str]:
        return [
            f"rule {key}: {problem}"
            for key, rule in self.resources("AWS::Events::Rule")
            for problem in _rule_problems(rule["Properties"])
        ]

    def _shadow_problems(self) -> list[str]:
        """Return each shadow variant that would get a copy of a part of the requests only."""
        return [
            f"config {key}: {shadow['VariantName']} gets copies of a part of the requests, which "
            f"is not played: give it a weight of {total:g} or more"
            for key, config in self.resources("AWS::SageMaker::EndpointConfig")
            for total in [_weight(config["Properties"].get("ProductionVariants", ()))]
            for shadow in config["Properties"].get("ShadowProductionVariants", ())
            if _weight([shadow]) < total
        ]


def _weight(variants: Sequence[dict[str, Any]]) -> float:
    return sum(float(variant.get("InitialVariantWeight", 1)) for variant in variants)


def schedule_minutes(expression: str | None) -> int | None:
    """Return the minutes between two runs of a schedule, None for one that is not played."""
    match = _RATE.fullmatch(expression or "")
    return int(match[1]) if match else None


def stage_folder(output: Path, stage: str) -> Path:
    """Return the folder of a Stage in the output of `cdk synth`."""
    return output / f"assembly-{stage}"


def _type_problems(stacks: tuple[StackTemplate, ...]) -> list[str]:
    return [
        f"{stack.name}: {key} is of type {resource['Type']}, which the local AWS does not play"
        for stack in stacks
        for key, resource in stack.resources().items()
        if resource["Type"] not in PLAYED_TYPES and not resource["Type"].startswith("Custom::")
    ]


def _rule_problems(rule: dict[str, Any]) -> Iterator[str]:
    schedule, pattern = rule.get("ScheduleExpression"), rule.get("EventPattern")
    if schedule_minutes(schedule) is None and (schedule is not None or pattern is None):
        yield f"schedule {schedule!r} is not played: rate(N minutes) is"
    for part in unplayed(pattern or {}):
        yield f"{part} of its pattern is not played: list the values"
    if pattern is not None and pattern.get("source") != ["aws.states"]:
        yield f"events of {pattern.get('source')} are not played: those of ['aws.states'] are"
    keys = {key for target in rule.get("Targets", ()) for key in target}
    for key in sorted(keys - PLAYED_TARGET_KEYS):
        yield f"{key} of a target is not played: leave it out"


def _definition_problems(text: object) -> Iterator[str]:
    try:
        definition = json.loads(text) if isinstance(text, str) else None
    except ValueError:
        definition = None
    if not isinstance(definition, dict):
        yield "its definition is not one string of JSON"
        return
    states = list(_states(definition))
    for kind in sorted({state["Type"] for state in states} - PLAYED_STATES):
        yield f"state type {kind} is not played"
    if any(part.get("QueryLanguage", "JSONPath") != "JSONPath" for part in [definition, *states]):
        yield "QueryLanguage JSONata is not played: write paths"


def _states(definition: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for state in definition["States"].values():
        yield state
        # A Map's states have an older name, too.
        for name in ("ItemProcessor", "Iterator"):
            if name in state:
                yield from _states(state[name])
        for branch in state.get("Branches", ()):
            yield from _states(branch)


def _in_order(artifacts: dict[str, Any]) -> list[str]:
    """Return the keys so that each stands after the stacks it depends on."""
    ordered: list[str] = []

    def add(key: str) -> None:
        for other in artifacts[key].get("dependencies", ()):
            if other in artifacts and other not in ordered:
                add(other)
        if key not in ordered:
            ordered.append(key)

    for key in sorted(artifacts):
        add(key)
    return ordered


def _stack(folder: Path, artifacts: dict[str, Any], key: str) -> StackTemplate:
    properties = artifacts[key]["properties"]
    template = json.loads((folder / properties["templateFile"]).read_text("utf-8"))
    assets = [
        asset
        for other in artifacts[key].get("dependencies", ())
        if artifacts[other]["type"] == "cdk:asset-manifest"
        for asset in _assets(folder / artifacts[other]["properties"]["file"])
    ]
    return StackTemplate(properties["stackName"], template, tuple(assets))


def _assets(manifest: Path) -> Iterator[Asset]:
    for file in json.loads(manifest.read_text("utf-8"))["files"].values():
        source = file["source"]
        if source["path"].endswith(".template.json"):
            continue
        for destination in file["destinations"].values():
            yield Asset(
                path=manifest.parent / source["path"],
                is_folder=source["packaging"] == "zip",
                bucket=destination["bucketName"],
                key=destination["objectKey"],
            )
