"""Cells of CSV: what is read as a number, a boolean or null, and what stays text."""

import csv
import io

import pytest

from inference.contract.formats import read
from inference.contract.refusal import RefusedError
from inference.contract.schema import Schema
from tests.manifests import manifest_of
from tests.records import feature

CSV = b"text/csv"


def as_csv(rows: list[list[str]]) -> bytes:
    text = io.StringIO(newline="")
    csv.writer(text, lineterminator="\n").writerows(rows)
    return text.getvalue().encode()


CELLS = (
    feature("size", "float", range=[-1e6, 1e6], nullable=True),
    feature("count", "integer", range=[-1000, 1000], nullable=True),
    feature("flag", "boolean", nullable=True),
)
CELL_SCHEMA = Schema(manifest_of(CELLS))
FLOATS = tuple(
    feature(name, "float", range=[-1e6, 1e6], nullable=True) for name in ("size", "a", "b")
)
FLOAT_SCHEMA = Schema(manifest_of(FLOATS))


def bodies(column: int, text: str) -> list[tuple[Schema, bytes]]:
    """Give CSV with this cell; a row of nothing but floats is read in another way."""
    mixed, floats = ["", "", ""], ["0", "0", "0"]
    mixed[column] = floats[column] = text
    found = [(CELL_SCHEMA, as_csv([mixed])), (FLOAT_SCHEMA, as_csv([floats]))]
    return found if column == 0 else found[:1]


@pytest.mark.parametrize(
    ("column", "text", "value"),
    [
        *((0, text, float(text)) for text in ("1", "-0", "+1.5", ".5", "5.", "1e3", "1E-3", "007")),
        *((1, text, int(text)) for text in ("1", "-1", "+1", "007")),
        (2, "true", True),
        (2, "false", False),
        *((column, "", None) for column in range(3)),
    ],
)
def test_a_cell_is_read_as_its_columns_type(column, text, value):
    for schema, body in bodies(column, text):
        (record,) = read(schema, CSV, body).records

        assert list(record.values())[column] == value
        assert type(list(record.values())[column]) is type(value)


@pytest.mark.parametrize(
    ("column", "text", "reason"),
    [
        *(
            (0, text, "type")
            for text in ("nan", "inf", "1_0", " 1", "1 ", "0x1", "1,5", "١", "e", "-")
        ),
        *((1, text, "type") for text in ("1.0", "1e2", "1_0", " 1", "١", "-", "9" * 5000)),
        *((2, text, "type") for text in ("True", "1", "yes", " true")),
        (0, "1e999", "not_finite"),
        (0, "9" * 5000, "not_finite"),
        (1, "1001", "range"),
    ],
)
def test_a_cell_that_is_not_of_its_columns_type_is_refused(column, text, reason):
    for schema, body in bodies(column, text):
        with pytest.raises(RefusedError) as caught:
            read(schema, CSV, body)
        (problem,) = caught.value.problems

        assert problem.field == f"line 1: {CELLS[column]['name']}"
        assert problem.reason == reason


def test_a_row_of_floats_is_read_cell_by_cell_where_one_is_empty_or_odd():
    body = b"1,2,3\n1,,3\n4,5e0,6"

    found = [list(record.values()) for record in read(FLOAT_SCHEMA, CSV, body).records]

    assert found == [[1, 2, 3], [1, None, 3], [4, 5, 6]]


def test_empty_lines_at_the_end_are_no_rows():
    assert len(read(CELL_SCHEMA, CSV, b"1,1,true\r\n1,1,true\r\n\r\n\n").records) == 2


def test_a_line_end_in_a_quoted_cell_stays_as_it_was_sent():
    schema = Schema(manifest_of((feature("word", "string", values=["a\r\nb", "a\nb"]),)))

    found = read(schema, CSV, b'"a\r\nb"\r\n"a\nb"\r\n').records

    assert [record["word"] for record in found] == ["a\r\nb", "a\nb"]


def test_a_null_in_a_single_column_is_written_with_quotes():
    schema = Schema(manifest_of(CELLS[:1]))

    assert [record["size"] for record in read(schema, CSV, b'1\n""\n2\n').records] == [1, None, 2]


def test_a_row_is_named_by_the_line_on_which_it_begins():
    words = feature("word", "string", values=["a\nb", "c"])
    schema = Schema(manifest_of((words, *CELLS)))

    with pytest.raises(RefusedError) as caught:
        read(schema, CSV, as_csv([["a\nb", "", "", ""], ["c", "", "x", ""]]))

    assert [problem.field for problem in caught.value.problems] == ["line 3: count"]
