"""Scaling of variants: what is there, held and let go, and how loaded the instances were."""

import pytest

from lambdas.aws import Load, Scaling, Target
from lambdas.aws.scaling import SCALE_IN
from tests.lambdas.scaled import WHOLE, loaded, place, scales, suspended, tracks
from tests.lambdas.world import ENDPOINT


def test_the_targets_of_the_variants_that_have_one_are_found(world):
    scales(world, "v1", maximum=8, DynamicScalingInSuspended=True)
    scales(world, "v0")

    found = Scaling(ENDPOINT).targets(["v1", "v2"])

    assert found == {"v1": Target(1, 8, frozenset({"DynamicScalingInSuspended"}))}


def test_holding_suspends_everything_and_keeps_the_limits(world):
    scales(world, "v1", maximum=8)

    Scaling(ENDPOINT).hold("v1")

    assert Scaling(ENDPOINT).targets(["v1"])["v1"] == Target(1, 8, frozenset(WHOLE))


def test_holding_the_way_in_lets_the_way_out_open(world):
    scales(world, "v1")

    Scaling(ENDPOINT).hold("v1", SCALE_IN)

    assert suspended(world, "v1") == {"DynamicScalingInSuspended"}


def test_a_variant_that_is_let_go_scales_again_within_its_limits(world):
    scales(world, "v1", maximum=8)
    Scaling(ENDPOINT).hold("v1")

    Scaling(ENDPOINT).resume("v1")

    assert Scaling(ENDPOINT).targets(["v1"])["v1"] == Target(1, 8, frozenset())


def test_letting_go_makes_no_target_where_a_deployment_took_it_away(world):
    scales(world, "v1")
    world.aws.client("application-autoscaling").deregister_scalable_target(**place("v1"))

    Scaling(ENDPOINT).resume("v1")

    assert Scaling(ENDPOINT).targets(["v1"]) == {}


@pytest.mark.parametrize(
    ("aims", "found"),
    [
        ([], None),
        ([(900, None)], 900),
        ([(0.6, "SageMakerVariantConcurrentRequestsPerModelHighResolution")], None),
        ([(900, None), (0.6, "SageMakerVariantConcurrentRequestsPerModelHighResolution")], 900),
    ],
)
def test_only_a_policy_on_requests_per_instance_says_how_many_are_aimed_at(world, aims, found):
    scales(world, "v1", "v2")
    tracks(world, "v2", 5)
    for target, metric in aims:
        tracks(world, "v1", target, metric)

    assert Scaling(ENDPOINT).requests_per_instance("v1") == found


def test_the_highest_minute_of_the_last_hour_counts(world):
    loaded(world, "v1", 300, ago=3000)
    loaded(world, "v1", 500, ago=1800)
    loaded(world, "v1", 900, ago=3700)
    loaded(world, "v2", 800)

    assert Load(ENDPOINT).highest("v1", world.now) == 500


def test_a_variant_without_requests_had_none(world):
    assert Load(ENDPOINT).highest("v1", world.now) == 0
