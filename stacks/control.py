"""Control: what drives an endpoint's weights. It knows the endpoint by its name only."""

import json
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from stacks.function import RolloutFunction
from stacks.names import Names
from steelyard.rollout.policy import canonical
from steelyard.spec import Endpoint

_DEFINITION = Path(__file__).with_name("rollout.asl.json")
# Handlers that the state machine calls, by the name of the placeholder in its definition.
_STATES = {
    "Acquire": "acquire",
    "Preflight": "preflight",
    "SetWeights": "set_weights",
    "Release": "release",
    "Rollback": "rollback",
}


class ControlStack(cdk.Stack):
    """Ledger, topic, the functions, the state machine and the judge's schedule."""

    def __init__(self, scope: Construct, id_: str, *, names: Names, endpoint: Endpoint) -> None:
        super().__init__(scope, id_, description=f"Drives the weights of {names.endpoint}")
        self._names = names
        self._endpoint = endpoint
        self._ledger = dynamodb.Table(
            self,
            "Ledger",
            partition_key=dynamodb.Attribute(name="pk", type=dynamodb.AttributeType.STRING),
            sort_key=dynamodb.Attribute(name="sk", type=dynamodb.AttributeType.STRING),
            billing_mode=dynamodb.BillingMode.PAY_PER_REQUEST,
            point_in_time_recovery_specification=dynamodb.PointInTimeRecoverySpecification(
                point_in_time_recovery_enabled=True
            ),
            removal_policy=cdk.RemovalPolicy.RETAIN,
        )
        self._topic = self._alerts()
        functions = {handler: self._function(handler) for handler in [*_STATES.values(), "judge"]}
        self._let_alarms_wake(functions["rollback"])
        self._schedule(functions["judge"])
        self._state_machine(functions)

    def _alerts(self) -> sns.Topic:
        topic = sns.Topic(self, "Alerts", topic_name=self._names.topic, enforce_ssl=True)
        # A topic with a policy of its own no longer has the default one, which lets alarms in.
        topic.add_to_resource_policy(
            iam.PolicyStatement(
                principals=[iam.ServicePrincipal("cloudwatch.amazonaws.com")],
                actions=["sns:Publish"],
                resources=[topic.topic_arn],
                conditions={"ArnLike": {"aws:SourceArn": self._alarms_arn()}},
            )
        )
        return topic

    def _alarms_arn(self) -> str:
        return self._names.arn("cloudwatch", f"alarm:{self._names.endpoint}-*")

    def _function(self, handler: str) -> RolloutFunction:
        return RolloutFunction(
            self,
            handler.title().replace("_", ""),
            names=self._names,
            handler=handler,
            environment=self._environment(handler),
            statements=self._statements(handler),
            reserved_concurrency=5 if handler == "rollback" else None,
        )

    def _environment(self, handler: str) -> dict[str, str]:
        champion, challenger = self._endpoint.champion, self._endpoint.file.challenger
        settings = {"ENDPOINT": self._names.endpoint, "LEDGER": self._ledger.table_name}
        if handler in ("rollback", "release"):
            settings["TOPIC"] = self._topic.topic_arn
        if handler in ("rollback", "acquire"):
            settings["CHAMPION"] = champion.version
        if handler == "acquire" and challenger is not None:
            settings["CHALLENGER"] = challenger.version
            settings["VARIANTS"] = ",".join(self._endpoint.versions())
            settings["POLICY"] = canonical(self._endpoint.policy().to_dict())
        return settings

    def _statements(self, handler: str) -> list[iam.PolicyStatement]:
        """Return what a handler may do, beside writing its log."""
        names = self._names
        describe = ["sagemaker:DescribeEndpoint"]
        shift = [*describe, "sagemaker:UpdateEndpointWeightsAndCapacities"]
        ledger = ["dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"]
        alarms = (["cloudwatch:DescribeAlarms"], names.arn("cloudwatch", "alarm:*"))
        tell = (["sns:Publish"], self._topic.topic_arn)
        granted: dict[str, list[tuple[list[str], str]]] = {
            "acquire": [(describe, names.endpoint_arn)],
            "preflight": [(describe, names.endpoint_arn), alarms],
            "set_weights": [(shift, names.endpoint_arn), alarms],
            "release": [(describe, names.endpoint_arn), tell],
            "rollback": [
                (shift, names.endpoint_arn),
                tell,
                (["states:SendTaskFailure"], names.state_machine_arn),
            ],
            "judge": [
                alarms,
                # PromQL is granted by these two, and neither knows a narrower resource.
                (["cloudwatch:GetMetricData", "cloudwatch:ListMetrics"], "*"),
                (
                    [
                        "states:SendTaskSuccess",
                        "states:SendTaskFailure",
                        "states:SendTaskHeartbeat",
                    ],
                    names.state_machine_arn,
                ),
            ],
        }
        return [
            iam.PolicyStatement(actions=actions, resources=[resource])
            for actions, resource in [(ledger, self._ledger.table_arn), *granted[handler]]
        ]

    def _let_alarms_wake(self, rollback: RolloutFunction) -> None:
        rollback.alias.add_permission(
            "Alarms",
            principal=iam.ServicePrincipal("lambda.alarms.cloudwatch.amazonaws.com"),
            source_account=self.account,
            source_arn=self._alarms_arn(),
        )

    def _schedule(self, judge: RolloutFunction) -> None:
        events.Rule(
            self,
            "EachMinute",
            description=f"Wakes the judge of {self._names.endpoint}",
            schedule=events.Schedule.rate(cdk.Duration.minutes(1)),
            # A tick that was not delivered is not sent again: the next one judges what it left.
            targets=[targets.LambdaFunction(judge.alias, retry_attempts=0)],
        )

    def _state_machine(self, functions: dict[str, RolloutFunction]) -> None:
        role = iam.Role(
            self, "RolloutRole", assumed_by=iam.ServicePrincipal("states.amazonaws.com")
        )
        versions = {state: functions[handler].version for state, handler in _STATES.items()}
        role.add_to_policy(
            iam.PolicyStatement(
                actions=["lambda:InvokeFunction"],
                # Any version: a deploy must not take from a running execution those it began with.
                resources=[
                    self._names.arn("lambda", f"function:{self._names.function(handler)}:*")
                    for handler in _STATES.values()
                ],
            )
        )
        role.add_to_policy(
            iam.PolicyStatement(actions=["dynamodb:UpdateItem"], resources=[self._ledger.table_arn])
        )
        machine = stepfunctions.StateMachine(
            self,
            "Rollout",
            state_machine_name=self._names.state_machine,
            definition_body=stepfunctions.DefinitionBody.from_string(_definition()),
            definition_substitutions={
                "Ledger": self._ledger.table_name,
                "Endpoint": self._names.endpoint,
                **{state: version.function_arn for state, version in versions.items()},
            },
            role=role.without_policy_updates(),
        )
        cdk.CfnOutput(self, "RolloutArn", value=machine.state_machine_arn)
        cdk.CfnOutput(self, "LedgerName", value=self._ledger.table_name)


def _definition() -> str:
    """Return the state machine's definition, compact: a template has room for 51,200 characters."""
    return json.dumps(json.loads(_DEFINITION.read_text("utf-8")), separators=(",", ":"))
