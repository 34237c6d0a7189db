"""Application auto scaling in templates, which moto's CloudFormation does not know."""

from collections.abc import Mapping
from typing import Any

from moto.core.common_models import CloudFormationModel

from steelyard.rehearsal.moto_patches.resource import Resource, api

_TARGET = ("ServiceNamespace", "ResourceId", "ScalableDimension")


class ScalableTarget(Resource, CloudFormationModel):
    """A target; an update that names no SuspendedState leaves it as it is."""

    TYPE = "AWS::ApplicationAutoScaling::ScalableTarget"
    ATTRIBUTES = ("Id",)
    FIXED = _TARGET

    def make(self, properties: dict[str, Any]) -> Mapping[str, str]:
        """Register the target; Ref gives the three parts of its name, joined by bars."""
        if properties["MinCapacity"] > properties["MaxCapacity"]:
            raise ValueError(
                f"MinCapacity {properties['MinCapacity']} is above MaxCapacity "
                f"{properties['MaxCapacity']}"
            )
        # Templates list tags, the API maps them.
        tags = {tag["Key"]: tag["Value"] for tag in properties.pop("Tags", ())}
        api("application-autoscaling").register_scalable_target(**properties, Tags=tags)
        name = "|".join(properties[part] for part in ("ResourceId", *_TARGET[2:], _TARGET[0]))
        return {"Ref": name, "Id": name}

    def remove(self) -> None:
        """Deregister the target."""
        api("application-autoscaling").deregister_scalable_target(
            **{part: self.properties[part] for part in _TARGET}
        )


class ScalingPolicy(Resource, CloudFormationModel):
    """A policy of a target, which it names by its three parts or by its Ref."""

    TYPE = "AWS::ApplicationAutoScaling::ScalingPolicy"
    NAME_PROPERTY = "PolicyName"
    ATTRIBUTES = ("Arn",)
    FIXED = (*_TARGET, "ScalingTargetId")

    def make(self, properties: dict[str, Any]) -> Mapping[str, str]:
        """Put the policy."""
        named = _target(properties) | {"PolicyName": self.name}
        rest = {name: it for name, it in properties.items() if name != "ScalingTargetId"}
        arn = api("application-autoscaling").put_scaling_policy(**rest | named)["PolicyARN"]
        return {"Ref": arn, "Arn": arn}

    def remove(self) -> None:
        """Delete the policy."""
        api("application-autoscaling").delete_scaling_policy(
            **_target(self.properties) | {"PolicyName": self.name}
        )


def _target(properties: Mapping[str, Any]) -> dict[str, str]:
    if "ScalingTargetId" not in properties:
        return {part: properties[part] for part in _TARGET}
    resource, dimension, namespace = properties["ScalingTargetId"].split("|")
    return dict(zip(_TARGET, (namespace, resource, dimension), strict=True))
