"""One Lambda of the deployed side: own role, own log, published version, live alias."""

from collections.abc import Mapping, Sequence
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from constructs import Construct

from stacks.names import Names

ROOT = Path(__file__).resolve().parent.parent
# Everything but the handlers and the standard-library core stays out of the asset, so that its
# hash moves only when deployed code does.
_LEFT_OUT = [
    "/*",
    "!/lambdas",
    "!/steelyard",
    "/steelyard/*",
    "!/steelyard/__init__.py",
    "!/steelyard/rollout",
    "__pycache__",
]


class RolloutFunction(Construct):
    """
    The function that runs `lambdas/<handler>.py`.

    `version` is what a running execution uses and stays when a newer one is published; `alias`
    is what alarms and schedules wake.
    """

    def __init__(
        self,
        scope: Construct,
        id_: str,
        *,
        names: Names,
        handler: str,
        environment: Mapping[str, str],
        statements: Sequence[iam.PolicyStatement],
        reserved_concurrency: int | None = None,
    ) -> None:
        super().__init__(scope, id_)
        log = logs.LogGroup(
            self,
            "Log",
            log_group_name=f"/aws/lambda/{names.function(handler)}",
            retention=logs.RetentionDays.THREE_MONTHS,
            removal_policy=cdk.RemovalPolicy.DESTROY,
        )
        role = iam.Role(self, "Role", assumed_by=iam.ServicePrincipal("lambda.amazonaws.com"))
        for statement in [*statements, _log_statement(names, handler)]:
            role.add_to_policy(statement)
        self.function = lambda_.Function(
            self,
            "Function",
            function_name=names.function(handler),
            runtime=lambda_.Runtime.PYTHON_3_13,
            architecture=lambda_.Architecture.ARM_64,
            handler=f"lambdas.{handler}.handler",
            code=lambda_.Code.from_asset(
                str(ROOT), exclude=_LEFT_OUT, ignore_mode=cdk.IgnoreMode.GIT
            ),
            role=role.without_policy_updates(),
            environment={f"STEELYARD_{name}": value for name, value in environment.items()},
            timeout=cdk.Duration.seconds(60),
            memory_size=512,
            log_group=log,
            reserved_concurrent_executions=reserved_concurrency,
            current_version_options=lambda_.VersionOptions(removal_policy=cdk.RemovalPolicy.RETAIN),
        )
        self.version = self.function.current_version
        self.alias = lambda_.Alias(self, "Live", alias_name="live", version=self.version)


def _log_statement(names: Names, handler: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        actions=["logs:CreateLogStream", "logs:PutLogEvents"],
        resources=[names.arn("logs", f"log-group:/aws/lambda/{names.function(handler)}:*")],
    )
