"""The example endpoint's templates, made in this process without CDK's own validation."""

import json
import tempfile
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import Any

import aws_cdk as cdk

from stacks.stage import add_stages
from steelyard.spec import Endpoint, load

ROOT = Path(__file__).resolve().parents[2]
CONTEXT = json.loads((ROOT / "cdk.json").read_text("utf-8"))["context"]


@dataclass(frozen=True)
class Templates:
    """The three templates of one endpoint in one environment, as text and as objects."""

    text: dict[str, str]

    def resources(self, stack: str, kind: str | None = None) -> dict[str, dict[str, Any]]:
        """Return a stack's resources by logical id, all or those of one type."""
        found = json.loads(self.text[stack])["Resources"]
        return {key: it for key, it in found.items() if kind is None or it["Type"] == kind}

    def only(self, stack: str, kind: str) -> dict[str, Any]:
        """Return the properties of the one resource of a type."""
        ((_, resource),) = self.resources(stack, kind).items()
        return resource["Properties"]

    def functions(self) -> dict[str, dict[str, Any]]:
        """Return the functions' properties by the name of their handler's file."""
        found = self.resources("control", "AWS::Lambda::Function").values()
        return {it["Properties"]["Handler"].split(".")[1]: it["Properties"] for it in found}

    def statements(self) -> list[tuple[str, dict[str, Any]]]:
        """Return (logical id of the role's policy, statement) of every role in every stack."""
        return [
            (key, statement)
            for stack in self.text
            for key, policy in self.resources(stack, "AWS::IAM::Policy").items()
            for statement in policy["Properties"]["PolicyDocument"]["Statement"]
        ]


def synthesise(
    endpoint: Endpoint, environment: str = "staging", override: str | None = None
) -> Templates:
    with tempfile.TemporaryDirectory() as folder:
        app = cdk.App(
            context=CONTEXT,
            outdir=folder,
            analytics_reporting=False,
            builtin_cloud_formation_validation=False,
        )
        add_stages(app, [(endpoint, environment)], override)
        (stage,) = app.synth().nested_assemblies
        return Templates(
            {
                stack.stack_name.rsplit("-", 1)[1]: Path(stack.template_full_path).read_text()
                for stack in stage.nested_assembly.stacks
            }
        )


@cache
def example() -> Endpoint:
    """Return the example endpoint: champion v1-0-0, challenger v1-1-0."""
    return load(ROOT / "endpoints" / "tumour-classifier")


@cache
def templates() -> Templates:
    """Return the example's templates in staging."""
    return synthesise(example())


def with_variants(endpoint: Endpoint, **changes: Any) -> Endpoint:
    """Return the endpoint with changes to each of its variants."""
    changed = [variant.model_copy(update=changes) for variant in endpoint.file.variants]
    return replace(endpoint, file=endpoint.file.model_copy(update={"variants": changed}))


def with_roles(endpoint: Endpoint, **roles: str | None) -> Endpoint:
    """Return the endpoint with roles by version, written v1_0_0; None removes the variant."""
    wanted = {version.replace("_", "-"): role for version, role in roles.items()}
    changed = [
        variant.model_copy(update={"role": wanted[variant.version]})
        for variant in endpoint.file.variants
        if wanted[variant.version] is not None
    ]
    return replace(endpoint, file=endpoint.file.model_copy(update={"variants": changed}))
