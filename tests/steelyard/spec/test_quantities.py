"""Durations and shares mean what people write, and nothing that they might have meant."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.spec.quantities import duration, percent, seconds, share, whole_seconds


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("500 milliseconds", 0.5),
        ("1 second", 1),
        ("10 minutes", 600),
        ("1.5 hours", 5400),
        ("2days", 172800),
        (" 3 Minutes ", 180),
    ],
)
def test_a_duration_is_a_number_with_a_unit(text, expected):
    assert seconds(text) == expected


@pytest.mark.parametrize(
    "value",
    [15, 15.0, True, None, "", "15", "15 m", "minutes", "-5 minutes", "1e3 seconds", [], {}],
)
def test_a_duration_without_a_known_unit_is_refused_with_the_units(value):
    with pytest.raises(ValueError, match="allowed is a number with its unit: milliseconds, sec"):
        seconds(value)


@pytest.mark.parametrize("text", ["0 minutes", "0.0 days", "31 days", "999999999 days"])
def test_a_duration_of_nothing_or_of_months_is_refused_with_the_limits(text):
    with pytest.raises(ValueError, match=f"given '{text}', allowed is above 0 and at most 30 days"):
        seconds(text)


def test_a_bake_is_never_a_part_of_a_second():
    with pytest.raises(ValueError, match=r"given '1\.5 seconds', allowed is a whole number"):
        whole_seconds("1.5 seconds")


@given(st.integers(1, 30 * 86400))
def test_a_duration_is_read_back_as_it_is_written(length):
    assert whole_seconds(duration(length)) == length


@pytest.mark.parametrize(
    ("value", "expected"),
    [("5%", 0.05), ("0.1 %", 0.001), ("100%", 1), (0, 0), (0.05, 0.05), ("0%", 0)],
)
def test_a_share_is_a_percentage_or_a_fraction(value, expected):
    assert share(value) == expected


@pytest.mark.parametrize(
    "value",
    [1, 1.0, 5, -0.1, True, False, None, "5", "101%", "-5%", "5 per cent", float("nan"), [5]],
)
def test_a_share_that_could_mean_two_things_or_none_is_refused(value):
    with pytest.raises(ValueError, match="allowed is a percentage from 0% to 100%, or a fraction"):
        share(value)


@given(st.integers(0, 1000))
def test_a_share_is_read_back_as_it_is_written(tenths):
    assert share(percent(tenths / 1000)) == pytest.approx(tenths / 1000)
