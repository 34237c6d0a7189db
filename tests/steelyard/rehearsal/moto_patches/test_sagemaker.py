"""moto's list of instance types is old; the patch takes SageMaker's own."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from steelyard.rehearsal.local_aws import LocalAws


def config(aws: LocalAws, kind: str) -> Any:
    sagemaker = aws.client("sagemaker")
    sagemaker.create_model(
        ModelName="m",
        ExecutionRoleArn=f"arn:aws:iam::{aws.account}:role/r",
        PrimaryContainer={"Image": "i"},
    )
    variant = {
        "VariantName": "v",
        "ModelName": "m",
        "InstanceType": kind,
        "InitialInstanceCount": 1,
    }
    return sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=[variant])


def test_moto_still_refuses_instance_types_of_today(plain: dict[str, Any]) -> None:
    refused = plain["instance_types"]

    assert "ml.c6i.large" in refused, "moto knows today's types now: remove the patch"


def test_an_instance_type_of_today_is_accepted(aws: LocalAws) -> None:
    assert "ml.c6i.large" not in str(config(aws, "ml.c6i.large").get("Error"))
    described = aws.client("sagemaker").describe_endpoint_config(EndpointConfigName="c")
    assert described["ProductionVariants"][0]["InstanceType"] == "ml.c6i.large"


def test_an_instance_type_that_never_was_is_refused(aws: LocalAws) -> None:
    with pytest.raises(ClientError, match=r"Value 'ml.never.large' at 'instanceType'"):
        config(aws, "ml.never.large")


def with_shadow(aws: LocalAws, production: int = 1) -> Any:
    """Create a config with so many production variants and one shadow, and describe it."""
    sagemaker = aws.client("sagemaker")
    role = f"arn:aws:iam::{aws.account}:role/r"
    sagemaker.create_model(ModelName="m", ExecutionRoleArn=role, PrimaryContainer={"Image": "i"})
    usual = {"ModelName": "m", "InstanceType": "ml.c6i.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(
        EndpointConfigName="c",
        ProductionVariants=[usual | {"VariantName": f"v{index}"} for index in range(production)],
        ShadowProductionVariants=[usual | {"VariantName": "s"}],
    )
    return sagemaker.describe_endpoint_config(EndpointConfigName="c")


def test_moto_still_drops_shadow_variants(plain: dict[str, Any]) -> None:
    assert plain["shadow_variants"] is False, "moto keeps shadow variants now: remove the patch"


def test_shadow_variants_are_described(aws: LocalAws) -> None:
    described = with_shadow(aws)

    assert [it["VariantName"] for it in described["ShadowProductionVariants"]] == ["s"]
    assert [it["VariantName"] for it in described["ProductionVariants"]] == ["v0"]


def test_a_shadow_variant_stands_beside_one_production_variant_only(aws: LocalAws) -> None:
    with pytest.raises(ClientError, match="with a shadow variant, write one of each"):
        with_shadow(aws, production=2)
