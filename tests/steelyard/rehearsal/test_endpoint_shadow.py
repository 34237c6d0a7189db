"""Shadow variants in an endpoint's life: apart from those that serve, and never weighed."""

from dataclasses import replace
from typing import Any

import pytest

from steelyard.rehearsal.endpoint_model import EndpointModel
from steelyard.rehearsal.local_aws import LocalAws
from tests.steelyard.rehearsal.endpoint_sample import (
    LIVE,
    TOOK,
    config,
    endpoint,
    refused,
    want,
)
from tests.steelyard.rehearsal.local import assembly

NAMES = ("CurrentInstanceCount", "DesiredInstanceCount")


def shadowed() -> EndpointModel:
    return EndpointModel.create(
        "e", "config-1", config(v1=1), 0, durations=TOOK, shadows=config(v2=1)
    )


def shadows(model: EndpointModel, at: float) -> list[tuple[str, int, int]]:
    found = model.describe(at).get("ShadowProductionVariants", [])
    return [(it["VariantName"], *(it[name] for name in NAMES)) for it in found]


def test_a_shadow_gets_copies_once_its_instances_are_there_and_no_share() -> None:
    model = shadowed()

    assert shadows(model, 0) == [("v2", 0, 2)]
    assert shadows(model, LIVE) == [("v2", 2, 2)]
    assert (model.copies(0), model.copies(LIVE)) == ((), ("v2",))
    assert model.shares(LIVE) == {"v1": 1.0}
    assert [it["VariantName"] for it in model.describe(LIVE)["ProductionVariants"]] == ["v1"]


def test_an_endpoint_without_a_shadow_says_nothing_of_any() -> None:
    assert "ShadowProductionVariants" not in endpoint().describe(LIVE)
    assert endpoint().copies(LIVE) == ()


@pytest.mark.parametrize(
    ("variants", "copied"), [({"v1": 1, "v3": 0}, {"v2": 1}), ({"v1": 1}, {"v2": 1, "v3": 1})]
)
def test_one_of_each_is_all_there_may_be(variants: dict[str, Any], copied: dict[str, Any]) -> None:
    with refused("ValidationException", r"\d ProductionVariants and \d ShadowProductionVariants"):
        EndpointModel.create("e", "c", config(**variants), 0, shadows=config(**copied))
    with refused("ValidationException", ".* with a shadow variant, write one of each"):
        endpoint().update_endpoint("c2", config(**variants), LIVE, shadows=config(**copied))


def test_an_update_brings_a_shadow_and_the_next_takes_it_away() -> None:
    model = endpoint().update_endpoint("c2", config(v1=1), LIVE, shadows=config(v2=1))
    there = model.settles_at()
    gone = model.update_endpoint("c3", config(v1=1, v2=0), there)

    assert (model.copies(LIVE), model.copies(there)) == ((), ("v2",))
    assert gone.copies(there + 1) == ("v2",)  # the old fleet serves until the new one stands
    assert gone.copies(gone.settles_at()) == ()


def test_an_update_that_fails_leaves_the_shadow_that_was_there() -> None:
    model = replace(shadowed(), fails_next_update=True)
    failed = model.update_endpoint("c2", config(v1=1), LIVE)

    assert failed.copies(failed.settles_at()) == ("v2",)


def test_a_shadow_is_not_among_those_whose_weights_may_change() -> None:
    with refused("ValidationException", 'The variant name.* "v2" is/are not present'):
        shadowed().update_weights_and_capacities([want("v2", 1)], LIVE)


def test_a_stack_with_a_shadow_is_deployed_as_its_template_says(aws: LocalAws) -> None:
    variant = {
        "ModelName": {"Fn::GetAtt": ["Model", "ModelName"]},
        "InstanceType": "ml.c6i.large",
        "InitialInstanceCount": 1,
    }
    model = {
        "ExecutionRoleArn": f"arn:aws:iam::{aws.account}:role/r",
        "PrimaryContainer": {"Image": "i"},
    }
    variants = {
        "ProductionVariants": [variant | {"VariantName": "a"}],
        "ShadowProductionVariants": [variant | {"VariantName": "b"}],
    }
    name = {"Fn::GetAtt": ["Config", "EndpointConfigName"]}
    aws.deploy(
        assembly(
            {
                "Model": {"Type": "AWS::SageMaker::Model", "Properties": model},
                "Config": {"Type": "AWS::SageMaker::EndpointConfig", "Properties": variants},
                "Endpoint": {
                    "Type": "AWS::SageMaker::Endpoint",
                    "Properties": {"EndpointName": "ours", "EndpointConfigName": name},
                },
            }
        )
    )
    aws.endpoints.settle("ours")
    aws.clock.advance(aws.endpoints.get("ours").settles_at() - aws.clock.now)

    described = aws.client("sagemaker").describe_endpoint(EndpointName="ours")

    (shadow,) = described["ShadowProductionVariants"]
    assert (shadow["VariantName"], shadow["CurrentInstanceCount"]) == ("b", 1)
    assert aws.endpoints.copies("ours") == ("b",)
