"""
Resource types that moto's CloudFormation lacks or plays wrongly, each through the public API.

A direct subclass of moto's CloudFormationModel is found by its type; of two, the later one wins.
"""

import json
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from moto.cloudformation import parsing
from moto.core.common_models import CloudFormationModel

Client = Callable[[str], Any]
_client: Client | None = None


def install(client: Client) -> None:
    """Let the types below call the local AWS through `client(service)`, and moto find them."""
    global _client
    _client = client
    for cached in (parsing.get_model_list, parsing.get_model_map, parsing.get_name_type_map):
        cached.cache_clear()


def api(service: str) -> Any:
    """Return a client of the local AWS."""
    if _client is None:
        raise RuntimeError("the patches are not installed: call install first")
    return _client(service)


class Resource:
    """What the types below share: `make` creates the resource and returns its attributes."""

    TYPE: ClassVar[str]
    NAME_PROPERTY: ClassVar[str] = ""
    ATTRIBUTES: ClassVar[tuple[str, ...]] = ()

    def __init__(self, name: str, properties: Mapping[str, Any]) -> None:
        self.name = name
        self.attributes = self.make(dict(properties))

    def make(self, properties: dict[str, Any]) -> Mapping[str, str]:
        """Create the resource; the result's "Ref" and further entries answer the intrinsics."""
        raise NotImplementedError

    @property
    def physical_resource_id(self) -> str:
        """What Ref gives."""
        return self.attributes.get("Ref", self.name)

    def get_cfn_attribute(self, attribute: str) -> str:
        """Return what Fn::GetAtt gives."""
        return self.attributes[attribute]

    def is_created(self) -> bool:
        """Return True: the API calls above have returned."""
        return True

    @classmethod
    def has_cfn_attr(cls, attribute: str) -> bool:
        """Say whether Fn::GetAtt knows an attribute."""
        return attribute in cls.ATTRIBUTES

    @classmethod
    def cloudformation_type(cls) -> str:
        """Return the type in templates."""
        return cls.TYPE

    @classmethod
    def cloudformation_name_type(cls) -> str:
        """Return the property that holds the resource's name."""
        return cls.NAME_PROPERTY

    @classmethod
    def create_from_cloudformation_json(
        cls,
        resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
        **kwargs: Any,
    ) -> "Resource":
        """Create the resource that a template describes, under its explicit name if it has one."""
        properties = cloudformation_json["Properties"]
        return cls(properties.get(cls.NAME_PROPERTY, resource_name), properties)

    @classmethod
    def update_from_cloudformation_json(
        cls,
        original_resource: Any,
        new_resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
    ) -> "Resource":
        """Put the changed resource in the place of the original."""
        return cls(original_resource.name, cloudformation_json["Properties"])

    @classmethod
    def delete_from_cloudformation_json(
        cls,
        resource_name: str,
        cloudformation_json: dict[str, Any],
        account_id: str,
        region_name: str,
    ) -> None:
        """Leave the resource: a rehearsal ends with everything."""


class Alarm(Resource, CloudFormationModel):
    """moto stores alarms, but its CloudFormation does not know them."""

    TYPE = "AWS::CloudWatch::Alarm"
    NAME_PROPERTY = "AlarmName"
    ATTRIBUTES = ("Arn",)

    def make(self, properties: dict[str, Any]) -> Mapping[str, str]:
        """Put the alarm; moto starts it in OK, CloudWatch in INSUFFICIENT_DATA."""
        cloudwatch = api("cloudwatch")
        cloudwatch.put_metric_alarm(**properties | {"AlarmName": self.name})
        cloudwatch.set_alarm_state(
            AlarmName=self.name, StateValue="INSUFFICIENT_DATA", StateReason="not evaluated yet"
        )
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

    def make(self, properties: dict[str, Any]) -> Mapping[str, str]:
        """Publish a version."""
        answer = api("lambda").publish_version(FunctionName=properties["FunctionName"])
        version = answer["Version"]
        arn = answer["FunctionArn"].removesuffix(f":{version}") + f":{version}"
        return {"Ref": arn, "FunctionArn": arn, "Version": version}


class LambdaAlias(Resource, CloudFormationModel):
    """moto has aliases, but its CloudFormation does not know them."""

    TYPE = "AWS::Lambda::Alias"
    ATTRIBUTES = ("AliasArn",)

    def make(self, properties: dict[str, Any]) -> Mapping[str, str]:
        """Create the alias."""
        answer = api("lambda").create_alias(
            FunctionName=properties["FunctionName"],
            FunctionVersion=properties["FunctionVersion"],
            Name=properties["Name"],
        )
        return {"Ref": answer["AliasArn"], "AliasArn": answer["AliasArn"]}


class LambdaPermission(Resource, CloudFormationModel):
    """moto's own drops the qualifier: a permission for one alias would open the whole function."""

    TYPE = "AWS::Lambda::Permission"

    def make(self, properties: dict[str, Any]) -> Mapping[str, str]:
        """Add the permission to the function, or to the alias or version that is named."""
        name, _, qualifier = properties["FunctionName"].rpartition(":function:")[2].partition(":")
        named = {"FunctionName": name, "StatementId": self.name}
        if qualifier:
            named["Qualifier"] = qualifier
        api("lambda").add_permission(**properties | named)
        return {}


class StateMachine(Resource, CloudFormationModel):
    """moto's own ignores DefinitionSubstitutions and knows no attribute."""

    TYPE = "AWS::StepFunctions::StateMachine"
    NAME_PROPERTY = "StateMachineName"
    ATTRIBUTES = ("Arn", "Name")

    def make(self, properties: dict[str, Any]) -> Mapping[str, str]:
        """Create the state machine with its placeholders replaced."""
        definition = properties["DefinitionString"]
        for name, value in properties.get("DefinitionSubstitutions", {}).items():
            definition = definition.replace(f"${{{name}}}", str(value))
        arn = api("stepfunctions").create_state_machine(
            name=self.name, definition=definition, roleArn=properties["RoleArn"]
        )["stateMachineArn"]
        return {"Ref": arn, "Arn": arn, "Name": self.name}
