"""One Lambda of the deployed side: own role, own log, published version, live alias."""

from collections.abc import Mapping, Sequence

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_lambda as lambda_
from aws_cdk import aws_logs as logs
from aws_cdk import aws_sqs as sqs
from constructs import Construct

from stacks.names import Names
from stacks.sources import ROOT, left_out


class RolloutFunction(Construct):
    """
    The function that runs `lambdas/<handler>.py`.

    `version` is what a running execution uses and stays when a newer one is published; `alias`
    is what alarms and schedules wake. What woke it and failed at each attempt goes to
    `dead_letters`.
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
        dead_letters: sqs.IQueue | None = None,
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
                str(ROOT), exclude=left_out(handler), ignore_mode=cdk.IgnoreMode.GIT
            ),
            role=role.without_policy_updates(),
            environment={f"STEELYARD_{name}": value for name, value in environment.items()},
            timeout=cdk.Duration.seconds(60),
            memory_size=512,
            log_group=log,
            reserved_concurrent_executions=reserved_concurrency,
            dead_letter_queue=dead_letters,
            current_version_options=lambda_.VersionOptions(removal_policy=cdk.RemovalPolicy.RETAIN),
        )
        self.version = self.function.current_version
        self.alias = lambda_.Alias(self, "Live", alias_name="live", version=self.version)


def _log_statement(names: Names, handler: str) -> iam.PolicyStatement:
    return iam.PolicyStatement(
        actions=["logs:CreateLogStream", "logs:PutLogEvents"],
        resources=[names.arn("logs", f"log-group:/aws/lambda/{names.function(handler)}:*")],
    )
