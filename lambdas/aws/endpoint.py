"""SageMaker: one endpoint, what it is now, its weights and counts."""

from collections.abc import Mapping
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lambdas.aws.clients import client
from steelyard.rollout.live import is_home, is_settled, live_weights

__all__ = [
    "Endpoint",
    "EndpointBusy",
    "EndpointGone",
    "EndpointRefused",
    "is_home",
    "is_settled",
    "live_weights",
]

CONNECT_SECONDS = 2.0
READ_SECONDS = 5.0
# Standard mode tries throttling, 5xx and lost connections again, after at most 1 and 2 seconds:
# https://docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html
# With all three attempts hanging, that is 24 s of the function's 60.
ATTEMPTS = 3


class EndpointRefused(Exception):
    """SageMaker did not take the call, or its answer was lost; the message says why."""


class EndpointBusy(EndpointRefused):
    """The endpoint is being updated and refuses a change until that is over: try again."""


class EndpointGone(EndpointRefused):
    """There is no endpoint of this name."""


class Endpoint:
    """One SageMaker endpoint: what it is now, its weights and counts."""

    def __init__(self, name: str) -> None:
        self.name = name
        self._sagemaker = client(
            "sagemaker",
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"mode": "standard", "total_max_attempts": ATTEMPTS},
        )

    def describe(self) -> dict[str, Any]:
        """Return DescribeEndpoint's answer; raises EndpointGone, EndpointRefused."""
        try:
            answer: dict[str, Any] = self._sagemaker.describe_endpoint(EndpointName=self.name)
        except (ClientError, BotoCoreError) as error:
            raise _refusal(error) from error
        return answer

    def shift(self, weights: Mapping[str, int]) -> None:
        """
        Ask for these weights, every variant by name and counts left alone.

        Raises EndpointBusy while the endpoint is being updated, EndpointRefused for any other
        reason: it may be that the call was taken all the same and only its answer lost.
        """
        self._change(
            [
                {"VariantName": variant, "DesiredWeight": float(weight)}
                for variant, weight in sorted(weights.items())
            ]
        )

    def scale(self, variant: str, count: int) -> None:
        """
        Ask for this many instances of one variant, all weights left alone.

        SageMaker changes the capacity of one variant per call (botocore,
        UpdateEndpointWeightsAndCapacities). Raises as `shift` does.
        """
        self._change([{"VariantName": variant, "DesiredInstanceCount": count}])

    def _change(self, desired: list[dict[str, Any]]) -> None:
        try:
            self._sagemaker.update_endpoint_weights_and_capacities(
                EndpointName=self.name, DesiredWeightsAndCapacities=desired
            )
        except (ClientError, BotoCoreError) as error:
            raise _refusal(error) from error


def _refusal(error: Exception) -> EndpointRefused:
    # Only ResourceLimitExceeded is modelled: what else is refused is a ValidationException that
    # is told apart by its message.
    said = str(error)
    if "in-progress endpoint" in said or "Cannot update" in said:
        return EndpointBusy(said)
    if "Could not find endpoint" in said and "configuration" not in said:
        return EndpointGone(said)
    return EndpointRefused(said)
