"""Resource types that moto's CloudFormation lacks or plays wrongly."""

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from moto.core.common_models import CloudFormationModel

from steelyard.rehearsal.moto_patches.resource import Resource, api


class Alarm(Resource, CloudFormationModel):
    """moto stores alarms, but its CloudFormation does not know them."""

    TYPE = "AWS::CloudWatch::Alarm"
    NAME_PROPERTY = "AlarmName"
    ATTRIBUTES = ("Arn",)

    def make(self, properties: dict[str, Any]) -> Mapping[str, str]:
        """Put the alarm; moto starts it in OK, CloudWatch in INSUFFICIENT_DATA."""
        return self._put(properties, "INSUFFICIENT_DATA", "not evaluated yet")

    def change(self, properties: dict[str, Any]) -> Mapping[str, str]:
        """Put the alarm again; its state stays (botocore, PutMetricAlarm)."""
        (alarm,) = api("cloudwatch").describe_alarms(AlarmNames=[self.name])["MetricAlarms"]
        return self._put(properties, alarm["StateValue"], alarm.get("StateReason", ""))

    def remove(self) -> None:
        """Delete the alarm."""
        api("cloudwatch").delete_alarms(AlarmNames=[self.name])

    def _put(self, properties: dict[str, Any], state: str, reason: str) -> Mapping[str, str]:
        cloudwatch = api("cloudwatch")
        cloudwatch.put_metric_alarm(**properties | {"AlarmName": self.name})
        cloudwatch.set_alarm_state(AlarmName=self.name, StateValue=state, StateReason=reason)
        (alarm,) = cloudwatch.describe_alarms(AlarmNames=[self.name])["MetricAlarms"]
        return {"Ref": self.name, "Arn": alarm["AlarmArn"]}


class TopicPolicy(Resource, CloudFormationModel):
    """moto's CloudFormation does not know topic policies."""

    TYPE = "AWS::SNS::TopicPolicy"

    def make(self, properties: dict[str, Any]) -> Mapping[str, str]:
        """Set the policy of each topic."""
        for topic in properties["Topics"]:
            api("sns").set_topic_attributes(
                TopicArn=topic,
                AttributeName="Policy",
                AttributeValue=json.dumps(properties["PolicyDocument"]),
            )
        return {}


class BucketPolicy(Resource, CloudFormationModel):
    """
    Accepted and not applied.

    moto enforces bucket policies without their conditions: one that denies what is not TLS would
    deny everything.
    """

    TYPE = "AWS::S3::BucketPolicy"

    def make(self, properties: dict[str, Any]) -> Mapping[str, str]:
        """Create nothing."""
        return {"Ref": properties["Bucket"]}


class LambdaVersion(Resource, CloudFormationModel):
    """moto's own gives the logical id for Ref, where CloudFormation gives the version's ARN."""

    TYPE = "AWS::Lambda::Version"
    ATTRIBUTES = ("Version", "FunctionArn")
    FIXED = ("FunctionName",)

    def make(self, properties: dict[str, Any]) -> Mapping[str, str]:
        """Publish a version."""
        answer = api("lambda").publish_version(FunctionName=properties["FunctionName"])
        version = answer["Version"]
        arn = answer["FunctionArn"].removesuffix(f":{version}") + f":{version}"
        return {"Ref": arn, "FunctionArn": arn, "Version": version}


class LambdaAlias(Resource, CloudFormationModel):
    """moto has aliases, but its CloudFormation does not know them."""

    TYPE = "AWS::Lambda::Alias"
    NAME_PROPERTY = "Name"
    ATTRIBUTES = ("AliasArn",)
    FIXED = ("FunctionName",)

    def make(self, properties: dict[str, Any]) -> Mapping[str, str]:
        """Create the alias."""
        return self._put(api("lambda").create_alias, properties)

    def change(self, properties: dict[str, Any]) -> Mapping[str, str]:
        """Let the alias be another version's."""
        return self._put(api("lambda").update_alias, properties)

    def remove(self) -> None:
        """Delete the alias."""
        api("lambda").delete_alias(FunctionName=self.properties["FunctionName"], Name=self.name)

    def _put(self, put: Callable[..., Any], properties: dict[str, Any]) -> Mapping[str, str]:
        named = ("FunctionName", "FunctionVersion", "Name")
        answer = put(**{name: properties[name] for name in named})
        return {"Ref": answer["AliasArn"], "AliasArn": answer["AliasArn"]}


class LambdaPermission(Resource, CloudFormationModel):
    """moto's own drops the qualifier: a permission for one alias would open the whole function."""

    TYPE = "AWS::Lambda::Permission"

    def make(self, properties: dict[str, Any]) -> Mapping[str, str]:
        """Add the permission to the function, or to the alias or version that is named."""
        self.remove()
        api("lambda").add_permission(**properties | self._named(properties))
        return {}

    def remove(self) -> None:
        """Take the permission back, if it stands."""
        functions = api("lambda")
        with suppress(functions.exceptions.ResourceNotFoundException):
            functions.remove_permission(**self._named(self.properties))

    def _named(self, properties: Mapping[str, Any]) -> dict[str, str]:
        name, _, qualifier = properties["FunctionName"].rpartition(":function:")[2].partition(":")
        named = {"FunctionName": name, "StatementId": self.name}
        return named | ({"Qualifier": qualifier} if qualifier else {})


class StateMachine(Resource, CloudFormationModel):
    """moto's own ignores DefinitionSubstitutions and knows no attribute."""

    TYPE = "AWS::StepFunctions::StateMachine"
    NAME_PROPERTY = "StateMachineName"
    ATTRIBUTES = ("Arn", "Name")

    def make(self, properties: dict[str, Any]) -> Mapping[str, str]:
        """Create the state machine with its placeholders replaced."""
        arn = api("stepfunctions").create_state_machine(
            name=self.name, definition=_definition(properties), roleArn=properties["RoleArn"]
        )["stateMachineArn"]
        return {"Ref": arn, "Arn": arn, "Name": self.name}

    def change(self, properties: dict[str, Any]) -> Mapping[str, str]:
        """Change definition and role; executions that run go on as they began."""
        api("stepfunctions").update_state_machine(
            stateMachineArn=self.attributes["Arn"],
            definition=_definition(properties),
            roleArn=properties["RoleArn"],
        )
        return self.attributes

    def remove(self) -> None:
        """Delete the state machine."""
        api("stepfunctions").delete_state_machine(stateMachineArn=self.attributes["Arn"])


def _definition(properties: Mapping[str, Any]) -> str:
    definition: str = properties["DefinitionString"]
    for name, value in properties.get("DefinitionSubstitutions", {}).items():
        definition = definition.replace(f"${{{name}}}", str(value))
    return definition


class QueuePolicy(Resource, CloudFormationModel):
    """moto's CloudFormation does not know queue policies."""

    TYPE = "AWS::SQS::QueuePolicy"

    def make(self, properties: dict[str, Any]) -> Mapping[str, str]:
        """Set the policy of each queue."""
        for queue in properties["Queues"]:
            policy = json.dumps(properties["PolicyDocument"])
            api("sqs").set_queue_attributes(QueueUrl=queue, Attributes={"Policy": policy})
        return {}
