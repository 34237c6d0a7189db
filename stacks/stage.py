"""One endpoint in one environment: its stacks, in the order in which they can stand."""

import json
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import aws_cdk as cdk
from constructs import Construct

from stacks.control import ControlStack
from stacks.endpoint import EndpointStack
from stacks.guard import digest, guard
from stacks.monitoring import MonitoringStack
from stacks.names import Names
from steelyard.spec import Endpoint


class EndpointStage(cdk.Stage):
    """
    Control, then monitoring, then the endpoint: who watches stands before what is watched.

    The last two touch the endpoint, and so have a guard each if `digests` names, by stack, what
    their templates hold without it; `override` is who deploys while a rollout is in progress, and
    why.
    """

    def __init__(
        self,
        scope: Construct,
        *,
        endpoint: Endpoint,
        environment: str,
        digests: Mapping[str, str] | None = None,
        override: str | None = None,
    ) -> None:
        place = endpoint.file.environments[environment]
        names = Names(endpoint.file.endpoint, environment, place.account, place.region)
        super().__init__(
            scope, names.endpoint, env=cdk.Environment(account=place.account, region=place.region)
        )
        control = ControlStack(self, "control", names=names, endpoint=endpoint)
        monitoring = MonitoringStack(self, "monitoring", names=names, endpoint=endpoint)
        serving = EndpointStack(self, "endpoint", names=names, endpoint=endpoint)
        monitoring.add_stack_dependency(control)
        serving.add_stack_dependency(monitoring)
        for stack in (monitoring, serving):
            if digests is not None:
                guard(stack, names, digests[stack.stack_name], override)
        cdk.Tags.of(self).add("steelyard:endpoint", names.endpoint)


def add_stages(
    app: cdk.App, wanted: Sequence[tuple[Endpoint, str]], override: str | None = None
) -> None:
    """
    Add a stage for each endpoint and environment, its stacks guarded.

    A guard names the content of its template, which only exists once it is synthesised: so all
    stages are synthesised once without guards, elsewhere, and then built with them.
    """
    with tempfile.TemporaryDirectory() as folder:
        plain = cdk.App(
            context=app.node.get_all_context(),
            outdir=folder,
            auto_synth=False,
            analytics_reporting=False,
            builtin_cloud_formation_validation=False,
        )
        for endpoint, environment in wanted:
            EndpointStage(plain, endpoint=endpoint, environment=environment)
        digests = _digests(plain)
    for endpoint, environment in wanted:
        EndpointStage(
            app, endpoint=endpoint, environment=environment, digests=digests, override=override
        )


def _digests(app: cdk.App) -> dict[str, str]:
    """Return the digest of each stack's template, by the stack's name."""
    return {
        stack.stack_name: digest(json.loads(Path(stack.template_full_path).read_text("utf-8")))
        for stage in app.synth().nested_assemblies
        for stack in stage.nested_assembly.stacks
    }
