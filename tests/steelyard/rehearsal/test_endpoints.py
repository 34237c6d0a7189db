"""SageMaker's endpoint API on the local AWS, as clients see it."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from steelyard.rehearsal.endpoint_model import USUAL
from steelyard.rehearsal.local_aws import LocalAws
from tests.steelyard.rehearsal.local import assembly

MENDED = "moto plays endpoints by itself now: remove the patch in endpoints.py"


def variant(name: str, weight: float) -> dict[str, Any]:
    return {
        "VariantName": name,
        "ModelName": {"Fn::GetAtt": ["Model", "ModelName"]},
        "InstanceType": "ml.c6i.large",
        "InitialInstanceCount": 2,
        "InitialVariantWeight": weight,
    }


@pytest.fixture
def sagemaker(aws: LocalAws) -> Any:
    """A client, where the endpoint `ours` is being created."""
    model = {"ExecutionRoleArn": f"arn:aws:iam::{aws.account}:role/r"}
    config = {"ProductionVariants": [variant("a", 1), variant("b", 0)]}
    endpoint = {
        "EndpointName": "ours",
        "EndpointConfigName": {"Fn::GetAtt": ["Config", "EndpointConfigName"]},
    }
    aws.deploy(
        assembly(
            {
                "Model": {
                    "Type": "AWS::SageMaker::Model",
                    "Properties": model | {"PrimaryContainer": {"Image": "i"}},
                },
                "Config": {"Type": "AWS::SageMaker::EndpointConfig", "Properties": config},
                "Endpoint": {"Type": "AWS::SageMaker::Endpoint", "Properties": endpoint},
            }
        )
    )
    return aws.client("sagemaker")


def shift(sagemaker: Any, **weights: float) -> None:
    sagemaker.update_endpoint_weights_and_capacities(
        EndpointName="ours",
        DesiredWeightsAndCapacities=[
            {"VariantName": name, "DesiredWeight": weight} for name, weight in weights.items()
        ],
    )


def weights(sagemaker: Any) -> dict[str, float]:
    variants = sagemaker.describe_endpoint(EndpointName="ours")["ProductionVariants"]
    return {entry["VariantName"]: entry["CurrentWeight"] for entry in variants}


def status(sagemaker: Any) -> str:
    answer: str = sagemaker.describe_endpoint(EndpointName="ours")["EndpointStatus"]
    return answer


def test_moto_still_has_endpoints_without_name_weight_of_zero_or_life_cycle(
    plain: dict[str, Any],
) -> None:
    # No name, in service at once, no weight of 0, and a call for weights erases the counts.
    expected = {"named": False, "status": "InService", "zero": None, "count": None}

    assert plain["endpoints"] == expected, MENDED


def test_an_endpoint_takes_its_time_to_be_created(aws: LocalAws, sagemaker: Any) -> None:
    before = status(sagemaker)
    aws.clock.advance(USUAL.create_seconds)

    assert (before, status(sagemaker)) == ("Creating", "InService")
    assert weights(sagemaker) == {"a": 1.0, "b": 0.0}


def test_new_weights_are_in_force_only_after_a_while_and_counts_stay(
    aws: LocalAws, sagemaker: Any
) -> None:
    aws.clock.advance(USUAL.create_seconds)

    shift(sagemaker, a=75, b=25)
    before = weights(sagemaker)
    aws.clock.advance(USUAL.weights_seconds)

    assert before == {"a": 1.0, "b": 0.0}
    assert weights(sagemaker) == {"a": 75.0, "b": 25.0}
    variants = sagemaker.describe_endpoint(EndpointName="ours")["ProductionVariants"]
    assert [entry["CurrentInstanceCount"] for entry in variants] == [2, 2]


def test_a_change_while_another_is_under_way_is_refused_as_sagemaker_says_it(
    aws: LocalAws, sagemaker: Any
) -> None:
    aws.clock.advance(USUAL.create_seconds)
    shift(sagemaker, a=75, b=25)

    with pytest.raises(ClientError, match="Cannot update in-progress endpoint") as refusal:
        shift(sagemaker, a=100, b=0)

    assert refusal.value.response["Error"]["Code"] == "ValidationException"


def test_an_endpoint_that_is_not_there_is_refused_by_name(aws: LocalAws) -> None:
    with pytest.raises(ClientError, match='Could not find endpoint "theirs"'):
        aws.client("sagemaker").describe_endpoint(EndpointName="theirs")


def test_times_are_virtual(aws: LocalAws, sagemaker: Any) -> None:
    created = sagemaker.describe_endpoint(EndpointName="ours")["CreationTime"]

    assert created.timestamp() == aws.clock.started_at
