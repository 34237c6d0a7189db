"""Numbers and times in words."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.page.wording import clock, number, plural, span


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0.0, "0 s"), (6.1, "6.1 s"), (59.96, "1 min"), (194.0, "3 min 14 s"), (3599.6, "1 h"),
     (7500.0, "2 h 5 min"), (7199.0, "2 h")],
)  # fmt: skip
def test_a_duration_is_told_in_its_two_largest_units(seconds, words):
    assert span(seconds) == words


@given(st.integers(-(10**6), 10**6))
def test_a_clock_can_be_read_back(seconds):
    sign = -1 if clock(seconds).startswith("−") else 1
    minutes, rest = clock(seconds).lstrip("−").split(":")

    assert sign * (60 * int(minutes) + int(rest)) == seconds
    assert len(rest) == 2


@pytest.mark.parametrize(
    ("value", "words"),
    [(0, "0"), (5, "5"), (0.2173, "0.217"), (99.96, "100"), (268.4, "268"), (18231, "18,231")],
)
def test_a_number_has_three_digits_or_all_before_the_point(value, words):
    assert number(value) == words


def test_one_is_not_many():
    assert [plural(n, "rollout") for n in (0, 1, 1200)] == [
        "0 rollouts",
        "1 rollout",
        "1,200 rollouts",
    ]
