"""Small stacks on a local AWS, for the tests of its parts."""

import io
import json
import zipfile
from pathlib import Path
from typing import Any

from steelyard.rehearsal.assembly import Assembly, Asset, StackTemplate
from steelyard.rehearsal.local_aws import LocalAws
from tests.steelyard.rehearsal.templates import FUNCTION, ROLE

ACCOUNT, REGION = "111122223333", "eu-central-1"


def assembly(
    resources: dict[str, Any],
    assets: tuple[Asset, ...] = (),
    outputs: dict[str, Any] | None = None,
) -> Assembly:
    """An assembly of one stack."""
    template = {"Resources": resources, "Outputs": outputs or {}}
    stack = StackTemplate("stack", template, assets)
    return Assembly(Path(), ACCOUNT, REGION, (stack,))


def outputs_of(aws: LocalAws) -> dict[str, str]:
    (stack,) = aws.client("cloudformation").describe_stacks(StackName="stack")["Stacks"]
    return {entry["OutputKey"]: entry["OutputValue"] for entry in stack.get("Outputs", ())}


def function(source: str, folder: Path) -> tuple[dict[str, Any], tuple[Asset, ...]]:
    """A function `f` with a version and the alias `live`: its resources and its code."""
    code = folder / "code"
    code.mkdir()
    (code / "app.py").write_text(source, "utf-8")
    resources = {
        "Role": ROLE,
        "Function": FUNCTION,
        "Version": {
            "Type": "AWS::Lambda::Version",
            "Properties": {"FunctionName": {"Ref": "Function"}},
        },
        "Alias": {
            "Type": "AWS::Lambda::Alias",
            "Properties": {
                "FunctionName": {"Ref": "Function"},
                "FunctionVersion": {"Fn::GetAtt": ["Version", "Version"]},
                "Name": "live",
            },
        },
    }
    return resources, (Asset(code, True, "code", "code.zip"),)


def permission(principal: str, source: str | None) -> dict[str, Any]:
    """Lets a service wake the alias, on behalf of what `source` matches."""
    properties = {
        "Action": "lambda:InvokeFunction",
        "FunctionName": {"Ref": "Alias"},
        "Principal": principal,
    }
    if source is not None:
        properties["SourceArn"] = source
    return {"Type": "AWS::Lambda::Permission", "Properties": properties}


def archive(name: str, content: str) -> bytes:
    """A zip archive of one file."""
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as written:
        written.writestr(name, content)
    return file.getvalue()


def invoke(aws: LocalAws, name: str, event: Any) -> dict[str, Any]:
    answer = aws.client("lambda").invoke(FunctionName=name, Payload=json.dumps(event).encode())
    return {
        "error": answer.get("FunctionError"),
        "payload": json.loads(answer["Payload"].read()),
    }
