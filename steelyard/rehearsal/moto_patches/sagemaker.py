"""moto's endpoint configs, with the instance types of today, and with their shadow variants."""

from typing import Any

from moto.core.responses import ActionResult
from moto.sagemaker.exceptions import ValidationError
from moto.sagemaker.models import FakeEndpointConfig
from moto.sagemaker.responses import SageMakerResponse

from steelyard.rehearsal.endpoint_request import Refused, check_shadows
from steelyard.rehearsal.moto_patches import replace

SHADOWS = "ShadowProductionVariants"
# moto's own, which drop the shadow variants: kept here, as a second installation finds ours.
_answer = SageMakerResponse.create_endpoint_config
_from_template = FakeEndpointConfig.create_from_cloudformation_json


def install(client: Any) -> None:
    """Check instance types against the service model of `client`, where moto's own list is old."""
    known = client.meta.service_model.shape_for("ProductionVariantInstanceType").enum

    def validate_instance_type(_config: FakeEndpointConfig, instance_type: str) -> None:
        if instance_type not in known:
            raise ValidationError(
                f"Value '{instance_type}' at 'instanceType' failed to satisfy constraint: "
                f"Member must satisfy enum value set of {len(known)} types"
            )

    replace(FakeEndpointConfig, validate_instance_type)
    replace(SageMakerResponse, create_endpoint_config)
    # moto calls it on the class, where a plain function gets what it is given.
    replace(FakeEndpointConfig, create_from_cloudformation_json)


def create_endpoint_config(response: SageMakerResponse) -> ActionResult:
    """CreateEndpointConfig, which keeps the shadow variants."""
    given = {name: response._get_param(name) or [] for name in ("ProductionVariants", SHADOWS)}
    _check(given)
    answer: ActionResult = _answer(response)
    name = response._get_param("EndpointConfigName")
    _keep(response.sagemaker_backend.endpoint_configs[name], given)
    return answer


def create_from_cloudformation_json(
    resource_name: str, cloudformation_json: Any, *args: Any, **kwargs: Any
) -> FakeEndpointConfig:
    """Create the config that a template describes, with its shadow variants."""
    properties = cloudformation_json["Properties"]
    _check(properties)
    config = _from_template(resource_name, cloudformation_json, *args, **kwargs)
    _keep(config, properties)
    return config


def _check(given: dict[str, Any]) -> None:
    try:
        check_shadows(given["ProductionVariants"], given.get(SHADOWS, []))
    except Refused as refused:
        raise ValidationError(refused.message) from refused


def _keep(config: FakeEndpointConfig, given: dict[str, Any]) -> None:
    shadows = given.get(SHADOWS, [])
    config.validate_production_variants(shadows)
    if shadows:
        # Whatever the object holds is described.
        vars(config)["shadow_production_variants"] = shadows
