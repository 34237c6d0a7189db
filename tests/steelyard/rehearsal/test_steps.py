"""The names of a rollout's steps."""

import pytest

from steelyard.rehearsal.steps import step_of


@pytest.mark.parametrize(
    ("name", "index"),
    [("1", 0), ("4", 3), ("5%", 0), ("25", 1), ("25%", 1), ("100%", 3), ("soak", 3)],
)
def test_a_step_is_named_by_number_weight_or_as_the_soak(name: str, index: int) -> None:
    assert step_of("x", name, (5, 25, 50, 100)) == index


def test_a_number_is_a_steps_before_it_is_a_weight() -> None:
    assert step_of("x", "2", (1, 2, 3, 100)) == 1
    assert step_of("x", "1", (2, 1, 100)) == 0


def test_another_name_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(ValueError, match=r"x@9: given the step '9', allowed are 1 to 2, by weight"):
        step_of("x@9", "9", (50, 100))
