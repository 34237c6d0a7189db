"""An endpoint with two versions of the example: what is deployed for the tests that serve it."""

from pathlib import Path
from typing import Any

from stacks.artifact import write_artifact
from steelyard.rehearsal.assembly import Asset
from tests.steelyard.rehearsal.local import ACCOUNT

FOLDER = Path(__file__).resolve().parents[3] / "endpoints" / "tumour-classifier"
CHAMPION, CHALLENGER = "v1-0-0", "v1-1-0"
NAME = "tumour-classifier-test"


def template(folder: Path) -> tuple[dict[str, Any], tuple[Asset, ...]]:
    """The endpoint with two of its versions: resources, and their artefacts."""
    resources: dict[str, Any] = {}
    assets = []
    for version in (CHAMPION, CHALLENGER):
        archive = folder / f"{version}.tar.gz"
        write_artifact(FOLDER / version, archive)
        assets.append(Asset(archive, False, "models", archive.name))
        container = {
            "Image": "i",
            "ModelDataUrl": f"s3://models/{archive.name}",
            "Environment": {"STEELYARD_ENDPOINT": NAME, "STEELYARD_VARIANT": version},
        }
        role = f"arn:aws:iam::{ACCOUNT}:role/r"
        resources[f"Model{version[1]}{version[3]}"] = {
            "Type": "AWS::SageMaker::Model",
            "Properties": {"ExecutionRoleArn": role, "PrimaryContainer": container},
        }
    variants = [
        {
            "VariantName": version,
            "ModelName": {"Fn::GetAtt": [f"Model{version[1]}{version[3]}", "ModelName"]},
            "InstanceType": "ml.c6i.large",
            "InitialInstanceCount": 1,
            "InitialVariantWeight": weight,
        }
        for version, weight in ((CHAMPION, 1), (CHALLENGER, 0))
    ]
    config = {"Fn::GetAtt": ["Config", "EndpointConfigName"]}
    resources["Config"] = {
        "Type": "AWS::SageMaker::EndpointConfig",
        "Properties": {"ProductionVariants": variants},
    }
    resources["Endpoint"] = {
        "Type": "AWS::SageMaker::Endpoint",
        "Properties": {"EndpointName": NAME, "EndpointConfigName": config},
    }
    return resources, tuple(assets)
