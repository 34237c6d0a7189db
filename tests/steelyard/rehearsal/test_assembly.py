"""What an assembly holds, and what is refused by name before anything is deployed."""

import json
from pathlib import Path
from typing import Any

import pytest

from steelyard.rehearsal.assembly import (
    Assembly,
    CannotPlay,
    StackTemplate,
    schedule_minutes,
    stage_folder,
)
from steelyard.rehearsal.rehearse import check
from steelyard.rehearsal.scenario import Scenario
from tests.steelyard.rehearsal.templates import ALARM

MACHINE = json.dumps({"StartAt": "A", "States": {"A": {"Type": "Pass", "End": True}}})
PLAYABLE = {
    "Table": {"Type": "AWS::DynamoDB::Table", "Properties": {}},
    "Machine": {
        "Type": "AWS::StepFunctions::StateMachine",
        "Properties": {"DefinitionString": MACHINE},
    },
    "Config": {"Type": "AWS::SageMaker::EndpointConfig", "Properties": {}},
    "Endpoint": {"Type": "AWS::SageMaker::Endpoint", "Properties": {"EndpointName": "e"}},
    "Rule": {
        "Type": "AWS::Events::Rule",
        "Properties": {"ScheduleExpression": "rate(1 minute)", "Targets": [{"Arn": "a"}]},
    },
    "Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": ALARM},
}


def assembly(resources: dict[str, Any]) -> Assembly:
    stack = StackTemplate("stack", {"Resources": resources}, ())
    return Assembly(Path(), "111122223333", "eu-central-1", (stack,))


def changed(name: str, **properties: Any) -> dict[str, Any]:
    """The playable resources with other properties in one of them."""
    resource: dict[str, Any] = PLAYABLE[name]
    return PLAYABLE | {name: resource | {"Properties": resource["Properties"] | properties}}


def machine(**state: Any) -> dict[str, Any]:
    definition = json.dumps({"StartAt": "A", "States": {"A": state}})
    return changed("Machine", DefinitionString=definition)


PARALLEL = {"StartAt": "B", "States": {"B": {"Type": "Parallel", "Branches": []}}}


def test_what_can_be_played_has_no_problem() -> None:
    assert assembly(PLAYABLE).problems() == []
    assert assembly(PLAYABLE).endpoint_name == "e"


@pytest.mark.parametrize(
    ("resources", "said"),
    [
        (
            PLAYABLE | {"Queue": {"Type": "AWS::Kinesis::Stream", "Properties": {}}},
            "stack: Queue is of type AWS::Kinesis::Stream, which the local AWS does not play",
        ),
        (
            {name: it for name, it in PLAYABLE.items() if name != "Endpoint"},
            "0 resources of type AWS::SageMaker::Endpoint: a rollout is played on exactly one",
        ),
        (
            PLAYABLE | {"Second": PLAYABLE["Table"]},
            "2 resources of type AWS::DynamoDB::Table: a rollout is played on exactly one",
        ),
        (machine(Type="Parallel", Branches=[]), "Machine: state type Parallel is not played"),
        (
            machine(Type="Map", ItemProcessor=PARALLEL),
            "Machine: state type Parallel is not played",
        ),
        (machine(Type="Map", Iterator=PARALLEL), "Machine: state type Parallel is not played"),
        (
            machine(Type="Pass", QueryLanguage="JSONata"),
            "Machine: QueryLanguage JSONata is not played",
        ),
        (
            changed("Machine", DefinitionString={"Fn::Join": []}),
            "Machine: its definition is not one string of JSON",
        ),
        (
            changed("Machine", DefinitionString="{"),
            "Machine: its definition is not one string of JSON",
        ),
        (
            changed("Rule", ScheduleExpression="cron(0 * * * ? *)"),
            "rule Rule: schedule 'cron(0 * * * ? *)' is not played: rate(N minutes) is",
        ),
        (changed("Rule", ScheduleExpression=None), "rule Rule: schedule None is not played"),
        (
            changed("Rule", Targets=[{"Arn": "a", "Input": "{}"}]),
            "rule Rule: Input of a target is not played",
        ),
        (
            changed("Rule", ScheduleExpression=None, EventPattern={"source": ["aws.ec2"]}),
            "rule Rule: events of ['aws.ec2'] are not played: those of ['aws.states'] are",
        ),
        (
            changed(
                "Rule",
                ScheduleExpression=None,
                EventPattern={"source": ["aws.states"], "detail": {"name": [{"prefix": "x"}]}},
            ),
            "rule Rule: detail.name of its pattern is not played: list the values",
        ),
        (
            changed("Alarm", EvaluateLowSampleCountPercentile="ignore"),
            "alarm Alarm: property EvaluateLowSampleCountPercentile cannot be played",
        ),
        (
            changed(
                "Config",
                ProductionVariants=[{"VariantName": "v1", "InitialVariantWeight": 100}],
                ShadowProductionVariants=[{"VariantName": "v2"}],
            ),
            "config Config: v2 gets copies of a part of the requests, which is not played: "
            "give it a weight of 100 or more",
        ),
        (
            changed("Alarm", Namespace={"Ref": "Endpoint"}),
            "alarm Alarm: metric 'metric': its name",
        ),
    ],
)
def test_what_cannot_be_played_is_named(resources: dict[str, Any], said: str) -> None:
    assert said in "\n".join(assembly(resources).problems())


def scenario(resources: dict[str, Any]) -> Scenario:
    return Scenario("s", assembly(resources), "v1", "v2", (50, 100), (), False, "promoted", 60.0)


def test_everything_is_refused_at_once_and_each_thing_once() -> None:
    broken = machine(Type="Parallel", Branches=[]) | {
        "Queue": {"Type": "AWS::Kinesis::Stream", "Properties": {}}
    }

    with pytest.raises(CannotPlay) as refusal:
        check([scenario(broken), scenario(broken), scenario(PLAYABLE)])

    problems = refusal.value.problems
    assert len(problems) == 2
    assert all(problem in str(refusal.value) for problem in problems)


@pytest.mark.parametrize(
    ("expression", "minutes"),
    [
        ("rate(1 minute)", 1),
        ("rate(5 minutes)", 5),
        ("rate(1 hour)", None),
        ("rate(5 minutes) ", None),
        (None, None),
    ],
)
def test_schedules_are_read_in_minutes(expression: str | None, minutes: int | None) -> None:
    assert schedule_minutes(expression) == minutes


def write(folder: Path, stacks: dict[str, list[str]]) -> Path:
    """Write the assembly of a stage: stacks by name, with the names they depend on."""
    artifacts: dict[str, Any] = {"tree": {"type": "cdk:tree"}}
    for name, needed in stacks.items():
        artifacts[name] = {
            "type": "aws:cloudformation:stack",
            "environment": "aws://111122223333/eu-central-1",
            "properties": {"templateFile": f"{name}.template.json", "stackName": name},
            "dependencies": [*needed, f"{name}.assets"],
        }
        artifacts[f"{name}.assets"] = {
            "type": "cdk:asset-manifest",
            "properties": {"file": f"{name}.assets.json"},
        }
        destination = {"here": {"bucketName": "bucket", "objectKey": f"{name}.zip"}}
        files = {
            "code": {
                "source": {"path": f"../asset.{name}", "packaging": "zip"},
                "destinations": destination,
            },
            "template": {
                "source": {"path": f"{name}.template.json", "packaging": "file"},
                "destinations": destination,
            },
        }
        (folder / f"{name}.template.json").write_text('{"Resources": {}}', "utf-8")
        (folder / f"{name}.assets.json").write_text(json.dumps({"files": files}), "utf-8")
    (folder / "manifest.json").write_text(json.dumps({"artifacts": artifacts}), "utf-8")
    return folder


def test_stacks_are_read_in_the_order_of_their_needs_with_their_assets(tmp_path: Path) -> None:
    folder = write(tmp_path, {"endpoint": ["monitoring"], "monitoring": ["web"], "web": []})

    read = Assembly.read(folder)

    assert [stack.name for stack in read.stacks] == ["web", "monitoring", "endpoint"]
    assert (read.account, read.region) == ("111122223333", "eu-central-1")
    (asset,) = read.stacks[0].assets
    assert (asset.bucket, asset.key, asset.is_folder) == ("bucket", "web.zip", True)
    assert asset.path == folder / "../asset.web"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (None, "is not the assembly of a stage"),
        ("{", "is not the assembly of a stage"),
        ("{}", "is not the assembly of a stage"),
        ('{"artifacts": {}}', "holds no stack"),
    ],
)
def test_a_folder_that_is_no_assembly_is_refused(
    tmp_path: Path, content: str | None, said: str
) -> None:
    folder = stage_folder(tmp_path, "e-staging")
    folder.mkdir()
    if content is not None:
        (folder / "manifest.json").write_text(content, "utf-8")

    with pytest.raises(CannotPlay, match=said):
        Assembly.read(folder)
