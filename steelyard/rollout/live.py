"""What an endpoint is now, read from DescribeEndpoint's answer."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Live:
    """
    An endpoint as it is: status, config, when it was created (epoch seconds), weights in force.

    `is_still` says whether nothing is under way: in service, and every weight is the desired one.
    """

    status: str
    config: str
    created_at: float
    weights: Mapping[str, float]
    is_still: bool

    @classmethod
    def from_description(cls, description: Mapping[str, Any]) -> "Live":
        """Return what DescribeEndpoint's answer says."""
        return cls(
            description["EndpointStatus"],
            description["EndpointConfigName"],
            description["CreationTime"].timestamp(),
            live_weights(description),
            _is_still(description),
        )


def live_weights(description: Mapping[str, Any]) -> dict[str, float]:
    """Return the weights in force, from DescribeEndpoint's answer."""
    # An endpoint that never served has no variants yet, and a variant no weight.
    return {
        variant["VariantName"]: float(variant.get("CurrentWeight", 0))
        for variant in description.get("ProductionVariants", ())
    }


def serves_alone(weights: Mapping[str, float], variant: str) -> bool:
    """Say whether only `variant` has a weight above 0."""
    return {name for name, weight in weights.items() if weight > 0} == {variant}


def is_settled(description: Mapping[str, Any], weights: Mapping[str, int]) -> bool:
    """Say whether exactly these weights are in force and nothing is under way any more."""
    return _is_still(description) and live_weights(description) == dict(weights)


def is_home(description: Mapping[str, Any], champion: str) -> bool:
    """Say whether the champion serves everything and nothing is under way any more."""
    return _is_still(description) and serves_alone(live_weights(description), champion)


def _is_still(description: Mapping[str, Any]) -> bool:
    return description["EndpointStatus"] == "InService" and all(
        variant["CurrentWeight"] == variant["DesiredWeight"]
        for variant in description["ProductionVariants"]
    )
