"""moto's endpoint configs, accepting the instance types that SageMaker has today."""

from typing import Any

from moto.sagemaker.exceptions import ValidationError
from moto.sagemaker.models import FakeEndpointConfig

from steelyard.rehearsal.moto_patches import replace


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
