"""Rows of the feature table: what is refused, and what a cell of a CSV file stands for."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from steelyard.spec.feature import Feature, written
from tests.models import histogram_of
from tests.records import feature
from tests.steelyard.spec.sample import edit_json, problems_of, write_task


def table_row(kind: str, **rest) -> Feature:
    """Return a valid row of the table, with one training row in its histogram."""
    row = feature("x", kind, **rest)
    return Feature.model_validate({**row, "histogram": histogram_of(row, [{"x": None}])})


AGE, INCOME, REGION, ILLNESS, MEMBER, CONSENT, DOORS = range(7)
WRONG = [
    (AGE, {"type": "date"}, ".type: given 'date', allowed is float, integer, string, boolean"),
    (AGE, {"range": None}, ": given neither range nor values for the type integer, allowed is a "),
    (AGE, {"values": [18, 19]}, ": given a range and values for the type integer, allowed is a"),
    (AGE, {"range": [18.5, 100]}, ": given [18.5, 100.0] for the type integer, allowed is whole"),
    (INCOME, {"range": [0, 1e39]}, ".range: given [0.0, 1e+39], allowed is a lower limit below"),
    (INCOME, {"range": None, "values": [1, 2]}, ": given values for the type float, allowed is a"),
    (REGION, {"values": None}, ": given neither range nor values for the type string, allowed is"),
    (REGION, {"range": [0, 1]}, ": given a range and values for the type string, allowed is"),
    (REGION, {"values": ["a"]}, ".values: given ['a'], allowed is a list of 2 to 100 values"),
    (REGION, {"values": ["a", "b", "a"]}, ".values: given 'a', allowed is text that is not empty"),
    (REGION, {"values": ["a", "", "c"]}, ".values: given '', allowed is text that is not empty"),
    (REGION, {"values": ["a", "b", 3]}, ": given 3 in values for the type string, allowed is text"),
    (DOORS, {"values": [2, 3, "5"]}, ": given '5' in values for the type integer, allowed is who"),
    (DOORS, {"values": [2, 3, True]}, ".values: given true, allowed is text that is not empty and"),
    (DOORS, {"values": [2, 3, 5.5]}, ".values: given 5.5, allowed is text that is not empty and"),
    (MEMBER, {"values": [False, True]}, ".values: given false, allowed is text"),
    (MEMBER, {"range": [0, 1]}, ": given a range for the type boolean, allowed is neither range"),
    (MEMBER, {"nullable": "yes"}, ".nullable: given 'yes', allowed is true or false"),
    (MEMBER, {"pii": 1}, ".pii: given 1, allowed is true or false"),
]
WRONG_HISTOGRAMS = [
    (AGE, {"edges": None}, ": given a histogram without edges, low or high, allowed is one with"),
    (AGE, {"low": None}, ": given a histogram without edges, low or high, allowed is one with"),
    (AGE, {"counts": [1] * 9}, ": given 9 counts in its histogram, allowed is 10"),
    (AGE, {"counts": [0] * 10, "missing": 0}, ": given a histogram of no rows, allowed is one or"),
    (AGE, {"edges": [*range(10), 9]}, ".histogram.edges: given 9 after 9, allowed is rising edges"),
    (AGE, {"edges": [1]}, ".histogram.edges: given [1], allowed is a list of 11 rising numbers"),
    (AGE, {"high": -1}, ".histogram.high: given -1, allowed is a whole number of 0 or more"),
    (REGION, {"low": 0}, ": given a histogram with edges, low or high, allowed is counts and"),
    (REGION, {"counts": [1, 1]}, ": given 2 counts in its histogram, allowed is 3"),
    (CONSENT, {"counts": [1, 1, 1]}, ": given 3 counts in its histogram, allowed is 2"),
    (CONSENT, {"missing": None}, ".histogram.missing: is empty, allowed is a whole number of 0 or"),
]


@pytest.mark.parametrize(("place", "change", "expected"), WRONG)
def test_a_wrong_row_of_the_table_is_answered_by_one_sentence(tmp_path, place, change, expected):
    folder = write_task(tmp_path / "sample", "binary", "accuracy")
    manifest = folder / "v2-0-0" / "manifest.json"
    edit_json(manifest, lambda it: it["features"][place].update(change))

    (problem,) = problems_of(folder)

    assert problem.startswith(f"v2-0-0/manifest.json: features[{place}]{expected}")


@pytest.mark.parametrize(("place", "change", "expected"), WRONG_HISTOGRAMS)
def test_a_histogram_fits_its_feature(tmp_path, place, change, expected):
    folder = write_task(tmp_path / "sample", "binary", "accuracy")
    manifest = folder / "v2-0-0" / "manifest.json"
    edit_json(manifest, lambda it: it["features"][place]["histogram"].update(change))

    (problem,) = problems_of(folder)

    assert problem.startswith(f"v2-0-0/manifest.json: features[{place}]{expected}")


def test_a_feature_without_a_histogram_is_refused(tmp_path):
    folder = write_task(tmp_path / "sample", "binary", "accuracy")
    edit_json(folder / "v2-0-0" / "manifest.json", lambda it: it["features"][0].pop("histogram"))

    (problem,) = problems_of(folder)

    assert problem.startswith(
        "v2-0-0/manifest.json: features[0].histogram: is missing, allowed is a mapping with edges, "
    )


@pytest.mark.parametrize(
    ("row", "cell", "value"),
    [
        (table_row("float", range=[0, 1]), "1e-3", 0.001),
        (table_row("float", range=[0, 1], nullable=True), "", None),
        (table_row("integer", range=[0, 9]), "-7", -7),
        (table_row("integer", values=[2, 3], nullable=True), "", None),
        (table_row("integer", values=[2, 3]), "3", 3),
        (table_row("string", values=["a", "1"]), "1", "1"),
        (table_row("boolean"), "true", True),
        (table_row("boolean"), "false", False),
    ],
)
def test_a_cell_stands_for_one_value(row, cell, value):
    found = row.read(cell)

    assert (found, type(found)) == (value, type(value))


@pytest.mark.parametrize(
    ("row", "cells", "allowed"),
    [
        (table_row("float", range=[0, 1]), ["", "x", "nan", "inf"], "a finite number"),
        (table_row("float", range=[0, 1], nullable=True), ["x"], "a finite number, or nothing for"),
        (table_row("integer", range=[0, 9]), ["", "1.0", " 1", "1_0", "٣"], "a whole number"),
        (table_row("string", values=["a", "b"]), ["", "A", "a "], "one of a, b"),
        (table_row("integer", values=[2, 3]), ["2.0", "4"], "one of 2, 3"),
        (table_row("boolean"), ["", "0", "1", "True", "yes"], "one of false, true"),
    ],
)
def test_a_cell_that_stands_for_nothing_is_told_what_is_allowed(row, cells, allowed):
    for cell in cells:
        with pytest.raises(ValueError, match=f"^{allowed}"):
            row.read(cell)


@given(st.one_of(st.none(), st.integers(-(10**30), 10**30)))
def test_every_whole_number_is_read_as_it_was_written(value):
    row = table_row("integer", range=[0, 9], nullable=True)

    assert row.read("" if value is None else written(value)) == value


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_every_finite_number_is_read_as_it_was_written(value):
    assert table_row("float", range=[0, 9]).read(written(value)) == value


@given(st.lists(st.text(min_size=1), min_size=2, max_size=100, unique=True))
def test_every_value_of_a_list_is_read_as_itself(values):
    row = table_row("string", values=values)

    assert [row.read(value) for value in values] == values


@given(st.lists(st.one_of(st.integers(-2, 2), st.sampled_from(["-1", "0", "1", "a"]))))
def test_a_list_of_values_is_accepted_only_without_doubt_about_its_cells(values):
    try:
        row = table_row("integer", values=values)
    except ValidationError:
        mixed = any(isinstance(value, str) for value in values)
        assert mixed or len({*values}) < len(values) or len(values) < 2
    else:
        assert [row.read(str(value)) for value in values] == values
