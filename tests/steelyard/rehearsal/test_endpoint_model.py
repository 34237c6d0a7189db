"""The documented life cycle of an endpoint, as tables."""

import math
from typing import Any

import pytest

from steelyard.rehearsal.endpoint_model import EndpointModel
from steelyard.rehearsal.endpoint_request import Refused
from tests.steelyard.rehearsal.endpoint_sample import (
    LIVE,
    TOOK,
    column,
    config,
    endpoint,
    refused,
    statuses,
    want,
)


def test_a_new_endpoint_is_creating_and_then_in_service() -> None:
    assert statuses(endpoint(), 0, 299.9, 300) == ["Creating", "Creating", "InService"]
    assert column(endpoint(), "CurrentInstanceCount", 0) == {"v1": 0, "v2": 0}
    assert column(endpoint(), "CurrentInstanceCount", 300) == {"v1": 2, "v2": 2}


def test_a_description_has_the_shape_of_describe_endpoint() -> None:
    assert endpoint(v1=1).describe(LIVE) == {
        "EndpointName": "e",
        "EndpointArn": "arn:aws:sagemaker:us-east-1:123456789012:endpoint/e",
        "EndpointConfigName": "config-1",
        "EndpointStatus": "InService",
        "CreationTime": 0,
        "LastModifiedTime": 300,
        "ProductionVariants": [
            {
                "VariantName": "v1",
                "CurrentWeight": 1.0,
                "DesiredWeight": 1.0,
                "CurrentInstanceCount": 2,
                "DesiredInstanceCount": 2,
            }
        ],
    }


def test_an_initial_weight_of_zero_stays_zero_and_none_given_is_one() -> None:
    model = endpoint(v1=None, v2=0)

    assert column(model, "CurrentWeight", LIVE) == {"v1": 1.0, "v2": 0.0}
    assert model.shares(LIVE) == {"v1": 1.0, "v2": 0.0}


def test_a_failed_endpoint_says_why_and_can_only_be_deleted() -> None:
    model = EndpointModel.create(
        "e", "c", config(v1=1), 0, durations=TOOK, failure_reason="no capacity"
    )

    assert statuses(model, 0, 300) == ["Creating", "Failed"]
    assert model.describe(300)["FailureReason"] == "no capacity"
    assert "FailureReason" not in model.describe(0)
    with refused("ValidationException", "Cannot update in-progress endpoint"):
        model.update_endpoint("c-2", config(v1=1), 300)
    assert statuses(model.delete(400), 400) == ["Deleting"]


def test_weights_change_after_seconds_and_counts_never_with_them() -> None:
    model = endpoint().update_weights_and_capacities([want("v1", 95), want("v2", 5)], LIVE)

    assert statuses(model, LIVE, LIVE + 9.9, LIVE + 10) == ["Updating", "Updating", "InService"]
    assert column(model, "CurrentWeight", LIVE + 9) == {"v1": 1, "v2": 0}
    assert column(model, "DesiredWeight", LIVE + 9) == {"v1": 95, "v2": 5}
    assert model.shares(LIVE + 9) == {"v1": 1, "v2": 0}
    assert column(model, "CurrentWeight", LIVE + 10) == {"v1": 95, "v2": 5}
    assert model.shares(LIVE + 10) == {"v1": 0.95, "v2": 0.05}
    assert column(model, "DesiredInstanceCount", LIVE + 10) == {"v1": 2, "v2": 2}


def test_a_capacity_change_takes_minutes_and_keeps_weights() -> None:
    model = endpoint().update_weights_and_capacities([want("v2", count=7)], LIVE)

    assert statuses(model, LIVE + 239, LIVE + 240) == ["Updating", "InService"]
    assert column(model, "CurrentInstanceCount", LIVE + 239) == {"v1": 2, "v2": 2}
    assert column(model, "CurrentInstanceCount", LIVE + 240) == {"v1": 2, "v2": 7}
    assert column(model, "CurrentWeight", LIVE + 240) == {"v1": 1, "v2": 0}


def test_a_variant_that_is_not_listed_keeps_its_weight() -> None:
    model = endpoint(v1=3, v2=1).update_weights_and_capacities([want("v2", 5)], LIVE)
    assert column(model, "CurrentWeight", LIVE + 10) == {"v1": 3, "v2": 5}


def test_a_call_leaves_the_endpoint_it_was_made_on_as_it_was() -> None:
    before = endpoint()
    before.update_weights_and_capacities([want("v2", 5)], LIVE)
    assert (before, hash(before)) == (endpoint(), hash(endpoint()))


@pytest.mark.parametrize(
    ("desired", "message"),
    [
        ([], "The list of variants is empty"),
        ([want("v3", 1)], r'.*"v3" is/are not present within endpoint configuration "config-1"'),
        ([want("v1", 1), want("v1", 2)], '.*"v1" was non-unique within the request'),
        ([want("v1", -0.1)], r".*DesiredWeight of v1 is -0\.1"),
        ([want("v1", math.nan)], ".*DesiredWeight of v1 is nan"),
        ([want("v1", math.inf)], ".*DesiredWeight of v1 is inf"),
        ([want("v1", count=-1)], ".*DesiredInstanceCount of v1 is -1"),
        ([want("v1", 0)], ".*All weights are 0"),
        ([want("v1", count=1), want("v2", count=1)], ".*several variants"),
        ([{**want("v1"), "ServerlessUpdateConfig": {}}], ".*'ServerlessUpdateConfig'"),
    ],
)
def test_a_call_that_makes_no_sense_is_refused(desired: list[dict[str, Any]], message: str) -> None:
    with refused("ValidationException", message):
        endpoint().update_weights_and_capacities(desired, LIVE)


@pytest.mark.parametrize(
    ("variants", "message"),
    [
        ([], "The list of variants is empty"),
        (config(v1=1) + config(v1=0), '.*"v1" was non-unique'),
        (config(v1=0, v2=0), "All weights are 0"),
        (config(v1=-1, v2=2), ".*InitialVariantWeight of v1 is -1"),
        ([{"VariantName": "v1"}], ".*InitialInstanceCount of v1 is None"),
        ([{"VariantName": "v1", "InitialInstanceCount": 0}], ".*InitialInstanceCount of v1 is 0"),
    ],
)
def test_a_config_that_makes_no_sense_is_refused(
    variants: list[dict[str, Any]], message: str
) -> None:
    with refused("ValidationException", message):
        EndpointModel.create("e", "c", variants, 0)
    with refused("ValidationException", message):
        endpoint().update_endpoint("c-2", variants, LIVE)


def test_nothing_changes_an_endpoint_that_is_not_in_service() -> None:
    changing = endpoint().update_weights_and_capacities([want("v2", 5)], LIVE)
    maintained = endpoint().system_update(LIVE, 600)
    sentence = 'Cannot update in-progress endpoint "arn:aws:.*:endpoint/e"'
    for model, at in (
        (endpoint(), 10.0),
        (changing, LIVE + 9),
        (maintained, LIVE + 599),
        (endpoint().delete(LIVE), LIVE + 1),
    ):
        with refused("ValidationException", sentence):
            model.update_weights_and_capacities([want("v2", 5)], at)
        with refused("ValidationException", sentence):
            model.update_endpoint("c-2", config(v1=1), at)
        with refused("ValidationException", sentence):
            model.delete(at)


def test_maintenance_keeps_everything_but_the_status() -> None:
    model = endpoint().system_update(LIVE, 600)

    assert statuses(model, LIVE - 1, LIVE, LIVE + 599, LIVE + 600) == [
        "InService",
        "SystemUpdating",
        "SystemUpdating",
        "InService",
    ]
    assert model.shares(LIVE) == {"v1": 1, "v2": 0}
    model.update_weights_and_capacities([want("v2", 5)], LIVE + 600)


def test_a_change_that_began_before_maintenance_ends_in_it() -> None:
    model = endpoint().update_weights_and_capacities([want("v2", 1)], LIVE)
    model = model.system_update(LIVE + 5, 60)

    assert statuses(model, LIVE + 5, LIVE + 10, LIVE + 65) == [
        "Updating",
        "SystemUpdating",
        "InService",
    ]
    assert model.shares(LIVE + 10) == {"v1": 0.5, "v2": 0.5}


def test_a_change_that_is_rolled_back_ends_in_service_on_the_old_weights() -> None:
    model = endpoint().roll_back_next().update_weights_and_capacities([want("v2", 5)], LIVE)

    assert statuses(model, LIVE, LIVE + 10, LIVE + 129, LIVE + 130) == [
        "Updating",
        "RollingBack",
        "RollingBack",
        "InService",
    ]
    assert column(model, "DesiredWeight", LIVE) == {"v1": 1, "v2": 5}
    assert column(model, "CurrentWeight", LIVE + 130) == {"v1": 1, "v2": 0}
    assert column(model, "DesiredWeight", LIVE + 130) == {"v1": 1, "v2": 0}

    again = model.update_weights_and_capacities([want("v2", 5)], LIVE + 130)
    assert column(again, "CurrentWeight", LIVE + 140) == {"v1": 1, "v2": 5}


def test_a_refused_call_leaves_the_roll_back_for_the_next_accepted_one() -> None:
    model = endpoint().roll_back_next()
    with pytest.raises(Refused):
        model.update_weights_and_capacities([], LIVE)
    assert model.update_weights_and_capacities([want("v2", 5)], LIVE).status(LIVE + 10) == (
        "RollingBack"
    )


@pytest.mark.parametrize(
    ("retain", "exclude", "weights", "counts"),
    [
        (False, (), {"v2": 0, "v3": 1}, {"v2": 2, "v3": 2}),
        (True, (), {"v2": 30, "v3": 1}, {"v2": 7, "v3": 2}),
        (True, ("DesiredWeight",), {"v2": 0, "v3": 1}, {"v2": 7, "v3": 2}),
        (True, ("DesiredInstanceCount",), {"v2": 30, "v3": 1}, {"v2": 2, "v3": 2}),
        (False, ("DesiredWeight",), {"v2": 0, "v3": 1}, {"v2": 2, "v3": 2}),
    ],
)
def test_an_update_retains_the_live_values_of_variants_of_the_same_name(
    retain: bool, exclude: tuple[str, ...], weights: dict[str, float], counts: dict[str, int]
) -> None:
    model = endpoint().update_weights_and_capacities([want("v2", 30, 7)], LIVE)
    at = model.settles_at()

    model = model.update_endpoint("config-2", config(v2=0, v3=1), at, retain, exclude)

    assert column(model, "CurrentWeight", at + 479) == {"v1": 1, "v2": 30}
    assert model.describe(at + 479)["EndpointConfigName"] == "config-1"
    assert model.describe(at + 480)["EndpointConfigName"] == "config-2"
    assert column(model, "CurrentWeight", at + 480) == weights
    assert column(model, "CurrentInstanceCount", at + 480) == counts


def test_an_update_that_would_retain_nothing_but_zeros_is_refused() -> None:
    with refused("ValidationException", "All weights are 0"):
        endpoint(v1=1, v2=0).update_endpoint("config-2", config(v2=1), LIVE, True)


@pytest.mark.parametrize(
    ("name", "exclude", "message"),
    [
        ("config-1", (), "Endpoint config .* in use already"),
        ("config-2", ("DataCaptureConfig",), "Cannot exclude .*DataCaptureConfig"),
    ],
)
def test_an_update_needs_a_new_config_and_known_properties(
    name: str, exclude: tuple[str, ...], message: str
) -> None:
    with refused("ValidationException", message):
        endpoint().update_endpoint(name, config(v1=1), LIVE, True, exclude)


def test_an_update_replaces_every_instance_and_a_change_of_weights_none() -> None:
    moved = endpoint().update_weights_and_capacities([want("v2", 5)], LIVE)
    replaced = moved.update_endpoint("config-2", config(v1=1), LIVE + 10)

    assert [moved.fleet(at) for at in (LIVE, LIVE + 10)] == [1, 1]
    assert [replaced.fleet(at) for at in (LIVE + 489, LIVE + 490)] == [1, 2]


def test_a_failed_update_is_in_service_on_the_old_config_without_a_word() -> None:
    model = endpoint().fail_next_update().update_endpoint("config-2", config(v1=1), LIVE)

    assert statuses(model, LIVE, LIVE + 480) == ["Updating", "InService"]
    before = {**endpoint().describe(LIVE), "LastModifiedTime": LIVE + 480}
    assert model.describe(LIVE + 480) == before

    again = model.update_endpoint("config-2", config(v1=1), LIVE + 480)
    assert again.describe(again.settles_at())["EndpointConfigName"] == "config-2"


def test_a_deleted_endpoint_cannot_be_found() -> None:
    model = endpoint().delete(LIVE)

    assert statuses(model, LIVE, LIVE + 29) == ["Deleting", "Deleting"]
    for call in (model.describe, model.status, model.shares, model.delete):
        with refused("ValidationException", "Could not find endpoint"):
            call(LIVE + 30)
    with refused("ValidationException", "Could not find endpoint"):
        endpoint().describe(-1)


@pytest.mark.parametrize(("model", "at"), [(endpoint(), 10), (endpoint().delete(LIVE), LIVE + 1)])
def test_an_endpoint_without_instances_takes_no_request(model: EndpointModel, at: float) -> None:
    with refused("ValidationError", "Endpoint e takes no request"):
        model.shares(at)


def test_calls_come_in_the_order_of_time() -> None:
    model = endpoint().update_weights_and_capacities([want("v2", 5)], LIVE)
    with pytest.raises(ValueError, match="order of time"):
        model.update_weights_and_capacities([want("v2", 5)], LIVE - 1)
