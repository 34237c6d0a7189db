"""Carry out on the local AWS what people and mishaps do to a rollout."""

import copy
import datetime
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from botocore.exceptions import ClientError

from steelyard.rehearsal.assembly import Assembly
from steelyard.rehearsal.deployment import Deployment
from steelyard.rehearsal.local_aws import LocalAws

Counts = dict[str, tuple[float, int]]
"""Weight and instance count of each variant."""

PERSON, WHY = "rehearsal", "the scenario says so"


@dataclass(frozen=True)
class Rollout:
    """The rollout that is played: its endpoint, state machine, name and execution."""

    endpoint: str
    machine: str
    name: str
    execution: str


@dataclass(frozen=True)
class Outcome:
    """What came of an event: whether it was carried out, and what was said."""

    done: bool
    said: str


class Outside:
    """
    What is not the kit: people at its commands, and mishaps.

    `assembly` is what stands; a deployment of another one goes on while time passes.
    """

    def __init__(self, aws: LocalAws, assembly: Assembly, rollout: Rollout) -> None:
        self._aws = aws
        self.assembly = assembly
        self._rollout = rollout
        self._deployment: tuple[Deployment, Assembly, Counts] | None = None

    def carry_out(self, kind: str) -> Outcome | None:
        """Let an event of this kind happen; None when its outcome comes later."""
        deeds: Mapping[str, Callable[[], Outcome | None]] = {
            "pause": lambda: self._order("pause"),
            "resume": lambda: self._order("resume"),
            "approve": lambda: self._order("approve"),
            "abort": lambda: self._roll_back({}),
            "revert": lambda: self._roll_back({"revert": True}),
            "start": self._start,
            "deploy": self._deploy,
            "config-change": self._change_config,
            "stop-execution": self._stop,
            "kill-judge": lambda: self._silence("judge"),
            "kill-watchdog": lambda: self._silence("watchdog"),
        }
        outcome = deeds[kind]()
        self._aws.clock.settle()
        return outcome

    def deployed(self) -> Outcome | None:
        """Return what came of a deployment that has ended since; None before."""
        if self._deployment is None or not self._deployment[0].is_done:
            return None
        (ended, assembly, before), self._deployment = self._deployment, None
        if ended.problems:
            return Outcome(False, "; ".join(ended.problems))
        self.assembly = assembly
        after = self._counts()
        kept = "kept" if after == before else f"{before} before, {after} after"
        return Outcome(after == before, f"deployed, live weights and instance counts: {kept}")

    def _counts(self) -> Counts:
        variants = self._aws.endpoints.describe(self._rollout.endpoint)["ProductionVariants"]
        return {
            one["VariantName"]: (one["CurrentWeight"], one["CurrentInstanceCount"])
            for one in variants
        }

    def _order(self, order: str) -> Outcome:
        answer = self._invoke("operate", {"order": order, "actor": PERSON, "reason": WHY})
        return Outcome(bool(answer.get("done")), str(answer.get("said", answer)))

    def _roll_back(self, more: Mapping[str, Any]) -> Outcome:
        answer = self._invoke("rollback", {"actor": PERSON, "reason": WHY, **more})
        ignored = answer.get("ignored", answer.get("errorMessage"))
        return Outcome(ignored is None, str(ignored or "weights are asked for"))

    def _invoke(self, handler: str, event: Mapping[str, Any]) -> dict[str, Any]:
        now = datetime.datetime.fromtimestamp(self._aws.clock.now, datetime.UTC).isoformat()
        whole = {"rollout": self._rollout.name, "now": now, **event}
        answer = self._aws.client("lambda").invoke(
            FunctionName=self._function(handler), Payload=json.dumps(whole).encode()
        )
        result: dict[str, Any] = json.loads(answer["Payload"].read())
        return result

    def _function(self, handler: str) -> str:
        """Return the deployed function that runs a handler, under the alias people use."""
        names = (
            str(function["Properties"]["FunctionName"])
            for _, function in self.assembly.resources("AWS::Lambda::Function")
        )
        return next(f"{name}:live" for name in names if name.endswith(f"-{handler}"))

    def _start(self) -> Outcome:
        """Start a second rollout; done means that it was let in."""
        engine = self._aws.client("stepfunctions")
        second = engine.start_execution(
            stateMachineArn=self._rollout.machine, name=f"{self._rollout.name}-2", input="{}"
        )["executionArn"]
        self._aws.clock.settle()
        answer = engine.describe_execution(executionArn=second)
        return Outcome(answer["status"] == "RUNNING", _sentence(answer.get("cause", "")))

    def _stop(self) -> Outcome:
        self._aws.client("stepfunctions").stop_execution(
            executionArn=self._rollout.execution, cause=WHY
        )
        return Outcome(True, "the execution is stopped")

    def _silence(self, handler: str) -> Outcome:
        """Disable every rule that wakes a handler by a schedule."""
        events = self._aws.client("events")
        found = [
            rule["Name"] for rule in events.list_rules()["Rules"] if self._wakes(rule, handler)
        ]
        for name in found:
            events.disable_rule(Name=name)
        return Outcome(bool(found), f"{len(found)} schedules of the {handler} are off")

    def _wakes(self, rule: Mapping[str, Any], handler: str) -> bool:
        if "ScheduleExpression" not in rule:
            return False
        targets = self._aws.client("events").list_targets_by_rule(Rule=rule["Name"])["Targets"]
        return any(f"-{handler}:" in target["Arn"] for target in targets)

    def _change_config(self) -> Outcome:
        """Move the endpoint to a copy of its config, as somebody in the console would."""
        sagemaker, name = self._aws.client("sagemaker"), self._rollout.endpoint
        live = self._aws.endpoints.describe(name)["EndpointConfigName"]
        config = sagemaker.describe_endpoint_config(EndpointConfigName=live)
        sagemaker.create_endpoint_config(
            EndpointConfigName="by-hand", ProductionVariants=config["ProductionVariants"]
        )
        try:
            sagemaker.update_endpoint(
                EndpointName=name, EndpointConfigName="by-hand", RetainAllVariantProperties=True
            )
        except ClientError as refusal:
            return Outcome(False, str(refusal))
        return Outcome(True, f"{name} moves to another config")

    def _deploy(self) -> None:
        """Begin to deploy; `deployed` says what came of it."""
        assembly = changed(self.assembly)
        self._deployment = Deployment(self._aws, assembly), assembly, self._counts()


def _sentence(cause: str) -> str:
    """Return what a cause says; a failed function's is the JSON of its error."""
    try:
        return str(json.loads(cause)["errorMessage"])
    except (ValueError, KeyError, TypeError):
        return cause


def changed(assembly: Assembly) -> Assembly:
    """Return the assembly with one more instance of each variant, as another synthesis has it."""
    stacks = []
    for stack in assembly.stacks:
        template = copy.deepcopy(stack.template)
        configs = [
            resource["Properties"]
            for resource in template["Resources"].values()
            if resource["Type"] == "AWS::SageMaker::EndpointConfig"
        ]
        for variant in (variant for one in configs for variant in one["ProductionVariants"]):
            variant["InitialInstanceCount"] += 1
        if configs:
            _sign(template)
        stacks.append(replace(stack, template=template))
    return replace(assembly, stacks=tuple(stacks))


def _sign(template: dict[str, Any]) -> None:
    """Give what guards a template another hash, as its content has changed."""
    for resource in template["Resources"].values():
        properties = resource.get("Properties", {})
        if resource["Type"].startswith("Custom::") and "Hash" in properties:
            properties["Hash"] = f"{properties['Hash']}-changed"
