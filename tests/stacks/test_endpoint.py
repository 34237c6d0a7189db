"""The endpoint's stack: it creates variants and never moves traffic."""

import shutil
from dataclasses import replace

import pytest

from tests.stacks.synthesis import example, synthesise, templates, with_roles, with_variants

CONFIG = "AWS::SageMaker::EndpointConfig"


def config_id(found):
    (key,) = found.resources("endpoint", CONFIG)
    return key


def with_latency(seconds):
    alarms = example().file.alarms.model_copy(update={"latency_p99": seconds})
    return replace(example(), file=example().file.model_copy(update={"alarms": alarms}))


def weights(found):
    variants = found.only("endpoint", CONFIG)["ProductionVariants"]
    return {variant["VariantName"]: variant["InitialVariantWeight"] for variant in variants}


def test_the_oldest_variant_starts_with_all_traffic_and_every_other_with_none():
    assert weights(templates()) == {"v1-0-0": 1, "v1-1-0": 0}


def test_the_oldest_is_the_lowest_version_and_not_the_first_in_the_file():
    turned = example().file.model_copy(update={"variants": example().file.variants[::-1]})

    found = synthesise(replace(example(), file=turned))

    assert found.text["endpoint"] == templates().text["endpoint"]


def test_a_swap_of_roles_changes_nothing_of_the_endpoint():
    promoted = with_roles(example(), v1_0_0="previous", v1_1_0="champion")
    swapped = with_roles(example(), v1_0_0="challenger", v1_1_0="champion")

    for endpoint in (promoted, swapped):
        found = synthesise(endpoint)
        assert found.text["endpoint"] == templates().text["endpoint"]
        assert found.text["control"] != templates().text["control"]


def test_an_endpoint_without_a_challenger_has_all_traffic_on_its_champion():
    alone = with_roles(example(), v1_0_0=None, v1_1_0="champion")

    assert weights(synthesise(alone)) == {"v1-1-0": 1}


def test_a_deploy_keeps_the_live_weights_of_an_endpoint_of_a_stable_name():
    endpoint = templates().only("endpoint", "AWS::SageMaker::Endpoint")

    assert endpoint["RetainAllVariantProperties"] is True
    assert "ExcludeRetainedVariantProperties" not in endpoint
    assert endpoint["EndpointName"] == "tumour-classifier-staging"
    name = {"Fn::GetAtt": [config_id(templates()), "EndpointConfigName"]}
    assert endpoint["EndpointConfigName"] == name


@pytest.fixture
def retrained(tmp_path):
    """Give the example with another model in a version of the same name."""
    folder = tmp_path / "tumour-classifier"
    shutil.copytree(example().folder, folder)
    (folder / "v1-1-0" / "model.onnx").write_bytes(b"another model")
    return replace(example(), folder=folder)


def test_every_content_of_the_config_moves_its_logical_id(retrained):
    image = "steelyard-inference:0.2.0"
    manifests = {
        version: manifest.model_copy(update={"image": image})
        for version, manifest in example().manifests.items()
    }
    changed = [
        retrained,
        replace(example(), manifests=manifests),
        with_variants(example(), instance_type="ml.c6i.xlarge"),
        with_variants(example(), instance_count=3),
        with_roles(example(), v1_0_0="champion", v1_1_0=None),
        with_latency(0.25),
    ]

    found = {config_id(synthesise(endpoint)) for endpoint in changed}

    assert len(found | {config_id(templates())}) == len(changed) + 1


@pytest.mark.parametrize(("given", "expected"), [(0.001, "0.001"), (1.0, "1.0"), (60.0, "60.0")])
def test_the_latency_limit_is_written_as_a_plain_number_of_seconds(given, expected):
    found = synthesise(with_latency(given))

    for model in found.resources("endpoint", "AWS::SageMaker::Model").values():
        environment = model["Properties"]["PrimaryContainer"]["Environment"]
        assert environment["STEELYARD_SLO_SECONDS"] == expected


def test_models_and_configs_stay_while_a_way_back_may_need_them():
    for kind in ("AWS::SageMaker::Model", CONFIG):
        for resource in templates().resources("endpoint", kind).values():
            assert resource["DeletionPolicy"] == "Retain"
            assert resource["UpdateReplacePolicy"] == "Retain"
            # A name of our own would be taken already when the resource is replaced.
            assert not {"ModelName", "EndpointConfigName"} & set(resource["Properties"])


def test_counters_are_collected_and_published_as_often_as_sagemaker_offers():
    assert templates().only("endpoint", CONFIG)["MetricsConfig"] == {
        "EnableDetailedObservability": True,
        "EnableEnhancedMetrics": True,
        "MetricPublishFrequencyInSeconds": 10,
    }


def test_each_container_is_isolated_and_knows_its_endpoint_variant_and_latency_limit():
    models = templates().resources("endpoint", "AWS::SageMaker::Model").values()

    found = [model["Properties"] for model in models]
    assert all(model["EnableNetworkIsolation"] is True for model in found)
    assert [model["PrimaryContainer"]["Environment"] for model in found] == [
        {
            "STEELYARD_ENDPOINT": "tumour-classifier-staging",
            "STEELYARD_VARIANT": version,
            "STEELYARD_SLO_SECONDS": "0.5",
        }
        for version in ("v1-0-0", "v1-1-0")
    ]


def test_a_model_waits_for_the_permission_to_read_its_artefact():
    (policy,) = templates().resources("endpoint", "AWS::IAM::Policy")

    for model in templates().resources("endpoint", "AWS::SageMaker::Model").values():
        assert policy in model["DependsOn"]


def test_the_serving_role_reads_exactly_the_artefacts_of_the_models():
    models = templates().resources("endpoint", "AWS::SageMaker::Model").values()
    urls = {model["Properties"]["PrimaryContainer"]["ModelDataUrl"] for model in models}

    (readable,) = [
        statement["Resource"]
        for _, statement in templates().statements()
        if statement["Action"] == "s3:GetObject"
    ]

    assert {url.replace("s3://", "arn:aws:s3:::") for url in urls} == set(readable)
    assert len(urls) == 2


def shadowed():
    return synthesise(example().with_shadow())


def test_a_shadow_stands_beside_the_champion_alone_and_gets_a_copy_of_everything():
    config = shadowed().only("endpoint", CONFIG)

    production, shadows = (
        {it["VariantName"]: it["InitialVariantWeight"] for it in config[kind]}
        for kind in ("ProductionVariants", "ShadowProductionVariants")
    )
    assert (production, shadows) == ({"v1-0-0": 1}, {"v1-1-0": 1})
    assert "ShadowProductionVariants" not in templates().only("endpoint", CONFIG)


def test_a_shadow_is_another_config_than_a_challenger_of_the_same_version():
    assert config_id(shadowed()) != config_id(templates())


def test_a_deploy_of_a_shadow_forgets_the_weight_that_its_copies_would_be_measured_by():
    endpoint = shadowed().only("endpoint", "AWS::SageMaker::Endpoint")

    assert endpoint["RetainAllVariantProperties"] is True
    assert endpoint["ExcludeRetainedVariantProperties"] == [
        {"VariantPropertyType": "DesiredWeight"}
    ]
