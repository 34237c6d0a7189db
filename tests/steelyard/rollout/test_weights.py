"""Weights add up in one place."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.rollout.weights import home, weights


@given(st.integers(0, 100))
def test_the_champion_gets_what_the_challenger_leaves(weight: int):
    assert weights("v1", "v2", weight) == {"v1": 100 - weight, "v2": weight}


def test_every_other_variant_gets_nothing():
    assert weights("v1", "v2", 5, ["v0"]) == {"v0": 0, "v1": 95, "v2": 5}


def test_all_variants_may_be_named_as_others_without_losing_their_weight():
    assert weights("v1", "v2", 5, ["v0", "v1", "v2"]) == {"v0": 0, "v1": 95, "v2": 5}


def test_home_is_the_champion_alone():
    assert home("v1", ["v0", "v1", "v2"]) == {"v0": 0, "v1": 100, "v2": 0}


@pytest.mark.parametrize("weight", [-1, 101])
def test_equal_names_and_a_weight_out_of_range_are_told_at_once(weight: int):
    with pytest.raises(ValueError, match=rf"both 'v1'.*weight {weight} is outside 0\.\.100"):
        weights("v1", "v1", weight)
