"""Endpoint: the models, one config with a weight for each variant, the endpoint, its scaling."""

import hashlib
import json
import tempfile
from pathlib import Path

import aws_cdk as cdk
from aws_cdk import aws_iam as iam
from aws_cdk import aws_s3_assets as assets
from aws_cdk import aws_sagemaker as sagemaker
from constructs import Construct

from stacks.artifact import write_artifact
from stacks.names import Names
from stacks.scaling import scale
from steelyard.spec import Endpoint
from steelyard.spec.endpoint import Variant

# The shortest interval SageMaker offers: what the judge waits for is published soonest.
PUBLISH_SECONDS = 10
# A variant's share is its weight by the sum of the weights of all production variants (botocore,
# ProductionVariant.InitialVariantWeight). Beside one of weight 1 that is every request; how the
# sentence applies to a shadow variant is said nowhere, and to be verified on an account.
SHADOW_WEIGHT = 1


class EndpointStack(cdk.Stack):
    """The endpoint with one production variant for each version; it never moves traffic."""

    def __init__(self, scope: Construct, id_: str, *, names: Names, endpoint: Endpoint) -> None:
        super().__init__(scope, id_, description=f"Serves {names.endpoint}")
        self._names = names
        self._endpoint = endpoint
        self._slo_seconds = endpoint.file.alarms.latency_p99
        self._role = iam.Role(
            self, "ServingRole", assumed_by=iam.ServicePrincipal("sagemaker.amazonaws.com")
        )
        variants = {variant.version: variant for variant in endpoint.file.variants}
        ordered = [variants[version] for version in endpoint.versions()]
        archives = {variant.version: self._archive(variant) for variant in ordered}
        models = {
            variant.version: self._model(variant, archives[variant.version]) for variant in ordered
        }
        self._allow(archives)
        config = self._config(ordered, models, archives)
        serving = sagemaker.CfnEndpoint(
            self,
            "Endpoint",
            endpoint_name=names.endpoint,
            endpoint_config_name=config.attr_endpoint_config_name,
            # Live weights are the rollout's, and counts the scaling's: a deploy keeps them.
            retain_all_variant_properties=True,
            exclude_retained_variant_properties=_forgotten(endpoint.file.shadow),
        )
        for variant in ordered:
            scale(self, names, variant, serving)
        cdk.CfnOutput(self, "EndpointName", value=names.endpoint)

    def _archive(self, variant: Variant) -> assets.Asset:
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, f"{variant.version}.tar.gz")
            write_artifact(self._endpoint.folder / variant.version, path)
            return assets.Asset(self, f"Archive-{variant.version}", path=str(path))

    def _model(self, variant: Variant, archive: assets.Asset) -> sagemaker.CfnModel:
        image = self._endpoint.manifests[variant.version].image
        names = self._names
        model = sagemaker.CfnModel(
            self,
            f"Model-{variant.version}",
            execution_role_arn=self._role.role_arn,
            enable_network_isolation=True,
            primary_container=sagemaker.CfnModel.ContainerDefinitionProperty(
                image=f"{names.account}.dkr.ecr.{names.region}.amazonaws.com/{image}",
                model_data_url=archive.s3_object_url,
                environment={
                    "STEELYARD_ENDPOINT": names.endpoint,
                    "STEELYARD_VARIANT": variant.version,
                    # What the alarm allows, so that the container counts the answers beyond it.
                    "STEELYARD_SLO_SECONDS": str(self._slo_seconds),
                },
            ),
        )
        # SageMaker reads the artefact with the role's policy, which stands beside the role.
        model.node.add_dependency(self._role)
        # A rollback of the stack, and SageMaker's own patching, need the models in use.
        model.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
        return model

    def _config(
        self,
        ordered: list[Variant],
        models: dict[str, sagemaker.CfnModel],
        archives: dict[str, assets.Asset],
    ) -> sagemaker.CfnEndpointConfig:
        content = [
            [
                variant.version,
                variant.instance_type,
                variant.instance_count,
                self._slo_seconds,
                self._endpoint.manifests[variant.version].image,
                archives[variant.version].asset_hash,
                *(["shadow"] if variant.role == "shadow" else []),
            ]
            for variant in ordered
        ]
        digest = hashlib.sha256(json.dumps(content).encode()).hexdigest()[:12]
        serving = [variant for variant in ordered if variant.role != "shadow"]
        shadows = [variant for variant in ordered if variant.role == "shadow"]
        config = sagemaker.CfnEndpointConfig(
            self,
            # Configs cannot change: a new content is a new resource, and the endpoint follows it.
            f"Config-{digest}",
            production_variants=[
                # The oldest starts with all traffic, whatever the roles, so that a swap of roles
                # changes no config.
                _served(variant, models[variant.version], 1 if variant is serving[0] else 0)
                for variant in serving
            ],
            shadow_production_variants=[
                _served(variant, models[variant.version], SHADOW_WEIGHT) for variant in shadows
            ]
            or None,
            metrics_config=sagemaker.CfnEndpointConfig.MetricsConfigProperty(
                enable_detailed_observability=True,
                enable_enhanced_metrics=True,
                metric_publish_frequency_in_seconds=PUBLISH_SECONDS,
            ),
        )
        config.apply_removal_policy(cdk.RemovalPolicy.RETAIN)
        return config

    def _allow(self, archives: dict[str, assets.Asset]) -> None:
        names = self._names
        repositories = {
            self._endpoint.manifests[variant].image.split(":")[0] for variant in archives
        }
        for actions, resources in (
            (
                ["s3:GetObject"],
                [
                    archive.bucket.arn_for_objects(archive.s3_object_key)
                    for archive in archives.values()
                ],
            ),
            (
                [
                    "ecr:BatchGetImage",
                    "ecr:GetDownloadUrlForLayer",
                    "ecr:BatchCheckLayerAvailability",
                ],
                [names.arn("ecr", f"repository/{name}") for name in sorted(repositories)],
            ),
            # The token is the registry's, not a repository's: AWS offers no narrower resource.
            (["ecr:GetAuthorizationToken"], ["*"]),
            (
                ["logs:CreateLogGroup", "logs:CreateLogStream", "logs:PutLogEvents"],
                [names.arn("logs", f"log-group:/aws/sagemaker/Endpoints/{names.endpoint}:*")],
            ),
        ):
            self._role.add_to_policy(iam.PolicyStatement(actions=actions, resources=resources))


def _served(
    variant: Variant, model: sagemaker.CfnModel, weight: int
) -> sagemaker.CfnEndpointConfig.ProductionVariantProperty:
    return sagemaker.CfnEndpointConfig.ProductionVariantProperty(
        variant_name=variant.version,
        model_name=model.attr_model_name,
        instance_type=variant.instance_type,
        initial_instance_count=variant.instance_count,
        initial_variant_weight=weight,
    )


def _forgotten(
    shadow: Variant | None,
) -> list[sagemaker.CfnEndpoint.VariantPropertyProperty] | None:
    """
    Return what a deployment does not retain: the weight of a champion that is copied.

    A rollout may have left it at 100, and a shadow's share of the requests depends on it; alone, a
    variant serves everything whatever its weight.
    """
    if shadow is None:
        return None
    forgotten = sagemaker.CfnEndpoint.VariantPropertyProperty
    return [forgotten(variant_property_type="DesiredWeight")]
