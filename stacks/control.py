"""Control: what drives an endpoint's weights. It knows the endpoint by its name only."""

import json
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_dynamodb as dynamodb
from aws_cdk import aws_events as events
from aws_cdk import aws_events_targets as targets
from aws_cdk import aws_iam as iam
from aws_cdk import aws_sns as sns
from aws_cdk import aws_sqs as sqs
from aws_cdk import aws_stepfunctions as stepfunctions
from constructs import Construct

from stacks.function import RolloutFunction
from stacks.grants import statements
from stacks.names import Names
from steelyard.rollout.conduct import WATCHDOG_SECONDS
from steelyard.rollout.policy import canonical
from steelyard.rollout.shadow import evidence
from steelyard.spec import Endpoint

_DEFINITION = Path(__file__).with_name("rollout.asl.json")
# Handlers that the state machine calls, by the name of the placeholder in its definition.
_STATES = {
    "Acquire": "acquire",
    "Preflight": "preflight",
    "Prepare": "prepare",
    "SetWeights": "set_weights",
    "Release": "release",
    "Rollback": "rollback",
}
# Handlers that something else wakes: schedules, people, CloudFormation.
_OTHERS = ("judge", "watchdog", "operate", "guard")


class ControlStack(cdk.Stack):
    """Ledger, topic, the functions, the state machine, and what wakes each of them."""

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
        self._undelivered = self._queue()
        functions = {handler: self._function(handler) for handler in (*_STATES.values(), *_OTHERS)}
        self._let_alarms_wake(functions["rollback"])
        self._let_ends_wake(functions["rollback"])
        self._schedule("EachMinute", "judge", functions)
        self._schedule("Watch", "watchdog", functions)
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

    def _queue(self) -> sqs.Queue:
        return sqs.Queue(
            self,
            "Undelivered",
            queue_name=self._names.undelivered,
            encryption=sqs.QueueEncryption.SQS_MANAGED,
            enforce_ssl=True,
            retention_period=cdk.Duration.days(14),
        )

    def _alarms_arn(self) -> str:
        return self._names.arn("cloudwatch", f"alarm:{self._names.endpoint}-*")

    def _function(self, handler: str) -> RolloutFunction:
        return RolloutFunction(
            self,
            handler.title().replace("_", ""),
            names=self._names,
            handler=handler,
            environment=self._environment(handler),
            statements=statements(handler, self._names, self._ledger.table_arn),
            reserved_concurrency=5 if handler == "rollback" else None,
            dead_letters=self._undelivered if handler == "rollback" else None,
        )

    def _environment(self, handler: str) -> dict[str, str]:
        settings = {"ENDPOINT": self._names.endpoint, "LEDGER": self._ledger.table_name}
        if handler in ("rollback", "release", "watchdog"):
            settings["TOPIC"] = self._topic.topic_arn
        if handler in ("rollback", "acquire", "watchdog", "preflight"):
            settings["CHAMPION"] = self._endpoint.champion.version
        if handler in ("acquire", "preflight", "prepare"):
            settings["INSTANCES"] = canonical(
                {
                    variant.version: variant.instance_count
                    for variant in self._endpoint.file.variants
                }
            )
        if handler in ("acquire", "preflight") and self._endpoint.file.challenger is not None:
            settings |= self._trial()
        return settings

    def _trial(self) -> dict[str, str]:
        """Return what a rollout, or a shadow run, needs to know of its challenger."""
        endpoint = self._endpoint
        champion, challenger = endpoint.champion.version, endpoint.challenger.version
        settings = {
            "CHALLENGER": challenger,
            "VARIANTS": ",".join(endpoint.versions()),
            "POLICY": canonical(endpoint.trial_policy().to_dict()),
        }
        if endpoint.file.shadow is not None:
            settings["SHADOW"] = "yes"
        elif endpoint.file.rollout.shadow.required:
            policy = endpoint.shadow_policy().digest()
            settings["PASSED"] = evidence(champion, challenger, policy)
        return settings

    def _let_alarms_wake(self, rollback: RolloutFunction) -> None:
        rollback.alias.add_permission(
            "Alarms",
            principal=iam.ServicePrincipal("lambda.alarms.cloudwatch.amazonaws.com"),
            source_account=self.account,
            source_arn=self._alarms_arn(),
        )

    def _let_ends_wake(self, rollback: RolloutFunction) -> None:
        """An execution that was stopped, or broke, may have left the challenger with weight."""
        events.Rule(
            self,
            "Ended",
            description=f"Wakes the rollback Lambda when a rollout of {self._names.endpoint} fails",
            event_pattern=events.EventPattern(
                source=["aws.states"],
                detail_type=["Step Functions Execution Status Change"],
                detail={
                    "stateMachineArn": [self._names.state_machine_arn],
                    "status": ["FAILED", "TIMED_OUT", "ABORTED"],
                },
            ),
            targets=[
                targets.LambdaFunction(
                    rollback.alias,
                    retry_attempts=60,
                    max_event_age=cdk.Duration.hours(1),
                    dead_letter_queue=self._undelivered,
                )
            ],
        )

    def _schedule(self, id_: str, handler: str, functions: dict[str, RolloutFunction]) -> None:
        events.Rule(
            self,
            id_,
            description=f"Wakes the {handler} of {self._names.endpoint}",
            schedule=events.Schedule.rate(cdk.Duration.seconds(WATCHDOG_SECONDS)),
            # A tick that was not delivered is not sent again: the next one finds what it left.
            targets=[targets.LambdaFunction(functions[handler].alias, retry_attempts=0)],
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
