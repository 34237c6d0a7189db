"""SageMaker: one endpoint, what it is now, and its weights."""

from collections.abc import Mapping
from typing import Any

import boto3
from botocore.exceptions import ClientError


class EndpointBusy(Exception):
    """The endpoint is being updated and refuses a change until that is over: try again."""


class Endpoint:
    """One SageMaker endpoint: what it is now, and its weights."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._sagemaker = boto3.client("sagemaker")

    def describe(self) -> dict[str, Any]:
        """Return DescribeEndpoint's answer."""
        answer: dict[str, Any] = self._sagemaker.describe_endpoint(EndpointName=self.name)
        return answer

    def shift(self, weights: Mapping[str, int]) -> None:
        """
        Ask for these weights, every variant by name and counts left alone.

        Raises EndpointBusy while the endpoint is being updated.
        """
        desired = [
            {"VariantName": variant, "DesiredWeight": float(weight)}
            for variant, weight in sorted(weights.items())
        ]
        try:
            self._sagemaker.update_endpoint_weights_and_capacities(
                EndpointName=self.name, DesiredWeightsAndCapacities=desired
            )
        except ClientError as error:
            # Only ResourceLimitExceeded is modelled: the refusal while an update runs is a
            # ValidationException that is told apart by its message.
            if "in-progress endpoint" in str(error) or "Cannot update" in str(error):
                raise EndpointBusy(str(error)) from error
            raise


def live_weights(description: Mapping[str, Any]) -> dict[str, float]:
    """Return the weights in force, from DescribeEndpoint's answer."""
    # An endpoint that never served has no variants yet, and a variant no weight.
    return {
        variant["VariantName"]: float(variant.get("CurrentWeight", 0))
        for variant in description.get("ProductionVariants", ())
    }


def is_settled(description: Mapping[str, Any], weights: Mapping[str, int]) -> bool:
    """Say whether exactly these weights are in force and nothing is under way any more."""
    return (
        description["EndpointStatus"] == "InService"
        and live_weights(description) == dict(weights)
        and all(v["CurrentWeight"] == v["DesiredWeight"] for v in description["ProductionVariants"])
    )


def is_home(description: Mapping[str, Any], champion: str) -> bool:
    """Say whether the champion serves everything and nothing is under way any more."""
    return description["EndpointStatus"] == "InService" and all(
        (variant["CurrentWeight"] > 0) == (variant["VariantName"] == champion)
        and variant["CurrentWeight"] == variant["DesiredWeight"]
        for variant in description["ProductionVariants"]
    )
