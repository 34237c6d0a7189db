"""SageMaker endpoints of the local AWS: the API of one, played by the endpoint model."""

import datetime
from collections.abc import Callable, Mapping
from typing import Any

from moto.core.common_models import CloudFormationModel
from moto.core.responses import ActionResult
from moto.sagemaker.exceptions import SagemakerClientError
from moto.sagemaker.responses import SageMakerResponse

from steelyard.rehearsal.endpoint_model import EndpointModel
from steelyard.rehearsal.endpoint_request import Refused
from steelyard.rehearsal.moto_patches import replace
from steelyard.rehearsal.moto_patches.cloudformation import Resource, api


class Endpoints:
    """The endpoints by name; `now` gives the virtual moment."""

    def __init__(self, now: Callable[[], float]) -> None:
        self.now = now
        self.models: dict[str, EndpointModel] = {}

    def install(self) -> None:
        """Answer SageMaker's endpoint actions in moto's place."""
        global _endpoints
        _endpoints = self
        for action in (describe_endpoint, update_endpoint_weights_and_capacities):
            replace(SageMakerResponse, action)

    def get(self, name: str) -> EndpointModel:
        """
        Return an endpoint.

        Raises Refused, as SageMaker does, when there is none of that name.
        """
        if name not in self.models:
            raise Refused("ValidationException", f'Could not find endpoint "{name}".')
        return self.models[name]

    def describe(self, name: str) -> dict[str, Any]:
        """Return what DescribeEndpoint says now."""
        return self.get(name).describe(self.now())

    def shares(self, name: str) -> dict[str, float]:
        """Return each variant's share of the traffic now."""
        return self.get(name).shares(self.now())


_endpoints = Endpoints(lambda: 0.0)


def describe_endpoint(response: SageMakerResponse) -> ActionResult:
    """DescribeEndpoint."""
    with _Refusals():
        return ActionResult(_with_times(_endpoints.describe(response._get_param("EndpointName"))))


def update_endpoint_weights_and_capacities(response: SageMakerResponse) -> ActionResult:
    """UpdateEndpointWeightsAndCapacities."""
    name = response._get_param("EndpointName")
    desired = response._get_param("DesiredWeightsAndCapacities")
    with _Refusals():
        model = _endpoints.get(name)
        changed = model.update_weights_and_capacities(desired, _endpoints.now())
        _endpoints.models[name] = changed
        return ActionResult({"EndpointArn": changed.arn})


class Endpoint(Resource, CloudFormationModel):
    """moto's own ignores the endpoint's name, a weight of 0, and any life cycle."""

    TYPE = "AWS::SageMaker::Endpoint"
    NAME_PROPERTY = "EndpointName"
    ATTRIBUTES = ("EndpointName",)

    def make(self, properties: dict[str, Any]) -> Mapping[str, str]:
        """Create the endpoint on its config."""
        config = api("sagemaker").describe_endpoint_config(
            EndpointConfigName=properties["EndpointConfigName"]
        )
        arn = config["EndpointConfigArn"].split(":endpoint-config/")[0] + f":endpoint/{self.name}"
        _endpoints.models[self.name] = EndpointModel.create(
            self.name,
            config["EndpointConfigName"],
            config["ProductionVariants"],
            _endpoints.now(),
            arn=arn,
        )
        return {"Ref": arn, "EndpointName": self.name}


class _Refusals:
    """Turns the model's refusals into the errors that clients see."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _kind: Any, error: BaseException | None, _trace: Any) -> None:
        if isinstance(error, Refused):
            refusal = SagemakerClientError(error.message)
            refusal.code = error.code
            raise refusal from error


def _with_times(description: dict[str, Any]) -> dict[str, Any]:
    """Return the description with its times as moto's serializer wants them."""
    times = {
        name: datetime.datetime.fromtimestamp(value, datetime.UTC)
        for name, value in description.items()
        if name.endswith("Time") and isinstance(value, int | float)
    }
    return description | times
