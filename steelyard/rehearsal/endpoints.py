"""SageMaker endpoints of the local AWS: the API of one, played by the endpoint model."""

import datetime
from collections.abc import Callable, Mapping
from typing import Any

from moto.core.common_models import CloudFormationModel
from moto.core.responses import ActionResult, EmptyResult
from moto.sagemaker.exceptions import SagemakerClientError
from moto.sagemaker.responses import SageMakerResponse

from steelyard.rehearsal.endpoint_model import EndpointModel
from steelyard.rehearsal.endpoint_request import Refused
from steelyard.rehearsal.moto_patches import replace
from steelyard.rehearsal.moto_patches.resource import Resource, api


def _go_on(_seconds: float) -> None:
    """Wait for nothing."""


class Endpoints:
    """
    The endpoints by name; `now` gives the virtual moment.

    `wait` is how a stack waits for so many seconds until its endpoint has changed.
    """

    def __init__(self, now: Callable[[], float], wait: Callable[[float], None] = _go_on) -> None:
        self.now = now
        self.models: dict[str, EndpointModel] = {}
        self._wait = wait

    def install(self) -> None:
        """Answer SageMaker's endpoint actions in moto's place."""
        global _endpoints
        _endpoints = self
        for action in (
            delete_endpoint,
            describe_endpoint,
            update_endpoint,
            update_endpoint_weights_and_capacities,
        ):
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

    def copies(self, name: str) -> tuple[str, ...]:
        """Return the shadow variants that get a copy of each request now."""
        return self.get(name).copies(self.now())

    def settle(self, name: str) -> None:
        """Wait until what was asked of an endpoint has been done, as a stack does."""
        self._wait(max(0.0, self.get(name).settles_at() - self.now()))


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


def update_endpoint(response: SageMakerResponse) -> ActionResult:
    """UpdateEndpoint, which moto does not have."""
    name, config = map(response._get_param, ("EndpointName", "EndpointConfigName"))
    excluded = response._get_param("ExcludeRetainedVariantProperties") or []
    variants = api("sagemaker").describe_endpoint_config(EndpointConfigName=config)
    with _Refusals():
        changed = _endpoints.get(name).update_endpoint(
            config,
            variants["ProductionVariants"],
            _endpoints.now(),
            bool(response._get_param("RetainAllVariantProperties")),
            [entry["VariantPropertyType"] for entry in excluded],
            variants.get("ShadowProductionVariants", ()),
        )
        _endpoints.models[name] = changed
        return ActionResult({"EndpointArn": changed.arn})


def delete_endpoint(response: SageMakerResponse) -> ActionResult:
    """DeleteEndpoint."""
    name = response._get_param("EndpointName")
    with _Refusals():
        _endpoints.models[name] = _endpoints.get(name).delete(_endpoints.now())
    return EmptyResult()


class Endpoint(Resource, CloudFormationModel):
    """moto's own ignores the endpoint's name, a weight of 0, and any life cycle."""

    TYPE = "AWS::SageMaker::Endpoint"
    NAME_PROPERTY = "EndpointName"
    ATTRIBUTES = ("EndpointName",)
    # What UpdateEndpoint takes; it is called for another config only, as SageMaker wants it.
    OPTIONS = ("RetainAllVariantProperties", "ExcludeRetainedVariantProperties")

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
            shadows=config.get("ShadowProductionVariants", ()),
        )
        _endpoints.settle(self.name)
        return {"Ref": arn, "EndpointName": self.name}

    def change(self, properties: dict[str, Any]) -> Mapping[str, str]:
        """Move the endpoint to another config, and wait until it runs on it."""
        config = properties["EndpointConfigName"]
        if _endpoints.describe(self.name)["EndpointConfigName"] != config:
            options = {name: properties[name] for name in self.OPTIONS if name in properties}
            api("sagemaker").update_endpoint(
                EndpointName=self.name, EndpointConfigName=config, **options
            )
            _endpoints.settle(self.name)
        return self.attributes

    def remove(self) -> None:
        """Delete the endpoint."""
        api("sagemaker").delete_endpoint(EndpointName=self.name)


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
