"""Held-out rows that could not be sent, or not be scored, are named by line and column."""

import pytest

from steelyard.spec import load
from tests.steelyard.spec.sample import copy_example, edit, edit_json, problems_of, write_task

# The first row's first cells, as the example has them.
FIRST = "\n14.53,19.34,"
WRONG_ROWS = [
    ("\nabc,19.34,", "mean_radius: given 'abc', allowed is a finite number: mend the row"),
    ("\n,19.34,", "mean_radius: given '', allowed is a finite number"),
    ("\nnan,19.34,", "mean_radius: given 'nan', allowed is a finite number"),
    ("\n-inf,19.34,", "mean_radius: given '-inf', allowed is a finite number"),
    ("\n14.53,1934,", "mean_texture: given 1934, allowed is 4 to 80, the range in the manifest of "
     "v1-0-0, v1-1-0, v1-2-0, which answers 422 to others: check its unit"),
    ("\n14.53,19.34,1,", "given 32 cells, allowed is 31, as in the header"),
    ("\n14.53,", "given 30 cells, allowed is 31, as in the header"),
]  # fmt: skip


@pytest.mark.parametrize(("row", "expected"), WRONG_ROWS)
def test_a_wrong_row_is_named_by_line_and_column(tmp_path, row, expected):
    folder = copy_example(tmp_path)
    edit(folder / "heldout.csv", (FIRST, row))

    (problem,) = problems_of(folder)

    assert problem.startswith(f"heldout.csv, line 2: {expected}")


@pytest.mark.parametrize("label", ["2", "1.0", "", "malignant", " 1"])
def test_a_label_is_0_or_1_and_nothing_like_it(tmp_path, label):
    folder = copy_example(tmp_path)
    edit(folder / "heldout.csv", (",0.07463,0\n", f",0.07463,{label}\n"))

    assert problems_of(folder) == [
        f"heldout.csv, line 2: label: given {label!r}, allowed is 0 or 1: "
        f"mend the row, or remove it"
    ]


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("mean_radius,", "", "lacks the features 'mean_radius'"),
        ("mean_radius,", "mean_r,", "has the columns 'mean_r'"),
        ("mean_radius,", "mean_texture,", "given column 'mean_texture' more than once"),
        (",label\n", ",y\n", "given no column 'label', allowed is one, as endpoint.yaml says"),
    ],
)
def test_columns_are_the_features_and_the_label(tmp_path, old, new, expected):
    folder = copy_example(tmp_path)
    edit(folder / "heldout.csv", (old, new))

    assert any(it.startswith(f"heldout.csv, line 1: {expected}") for it in problems_of(folder))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (None, "heldout.csv: is missing: write rows that no version was trained on"),
        (b"", "heldout.csv: is empty: write rows that no version was trained on"),
        (b"a\n\xe9\n", "heldout.csv, line 2: holds the byte 0xe9, allowed is UTF-8 text"),
        (b'a\n"' + b"x" * 200_000, "heldout.csv, line 1: is not CSV: field larger than"),
    ],
)
def test_a_file_that_holds_no_table_is_refused(tmp_path, content, expected):
    folder = copy_example(tmp_path)
    (folder / "heldout.csv").unlink()
    if content is not None:
        (folder / "heldout.csv").write_bytes(content)

    assert problems_of(folder)[0].startswith(expected)


def test_a_header_without_rows_is_refused(tmp_path):
    folder = copy_example(tmp_path)
    path = folder / "heldout.csv"
    path.write_text(path.read_text().splitlines()[0] + "\n")

    assert problems_of(folder) == [
        "heldout.csv: given no rows, allowed is one or more: write held-out rows"
    ]


def test_a_table_that_is_wrong_throughout_does_not_fill_the_screen(tmp_path):
    folder = copy_example(tmp_path)
    path = folder / "heldout.csv"
    head, *rows = path.read_text().splitlines()
    path.write_text("\n".join([head, *(f"x{row}" for row in rows)]))

    problems = problems_of(folder)

    assert len(problems) == 11
    assert problems[-1] == "heldout.csv: and 161 more problems of its cells"


def test_a_spreadsheets_mark_and_line_ends_do_no_harm(tmp_path):
    folder = copy_example(tmp_path)
    before = load(folder).rows
    path = folder / "heldout.csv"
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))

    assert load(folder).rows == before


@pytest.mark.parametrize(
    ("column", "cell", "expected"),
    [
        ("age", "40.5", "given '40.5', allowed is a whole number: mend"),
        ("age", "", "given '', allowed is a whole number: mend"),
        ("age", "101", "given 101, allowed is 18 to 100, the range in the manifest of v1-0-0, v2-"),
        ("income", "much", "given 'much', allowed is a finite number, or nothing for null: mend"),
        ("region", "west", "given 'west', allowed is one of north, south, far east: mend"),
        ("region", "", "given '', allowed is one of north, south, far east: mend"),
        (
            "illness",
            "flu",
            "given 'flu', allowed is one of cough, fever, or nothing for null: mend",
        ),
        ("member", "1", "given '1', allowed is one of false, true: mend"),
        ("doors", "4", "given '4', allowed is one of 2, 3, 5, or nothing for null: mend"),
    ],
)
def test_a_cell_is_of_its_features_type(tmp_path, column, cell, expected):
    folder = write_task(tmp_path / "sample", "binary", "accuracy")
    head, first, *rest = (folder / "rows.csv").read_text().splitlines()
    cells = first.split(",")
    cells[head.split(",").index(column)] = cell
    (folder / "rows.csv").write_text("\n".join([head, ",".join(cells), *rest]))

    (problem,) = problems_of(folder)

    assert problem.startswith(f"rows.csv, line 2: {column}: {expected}")


@pytest.mark.parametrize("version", ["v1-0-0", "v2-0-0"])
def test_a_number_that_must_be_whole_for_one_version_is_sent_as_one(tmp_path, version):
    folder = write_task(tmp_path / "sample", "binary", "accuracy")
    edit_json(folder / version / "manifest.json", lambda it: it["features"][0].update(type="float"))
    edit_json(
        folder / version / "schema.json", lambda it: it["properties"]["age"].update(type="number")
    )

    assert {type(record["age"]) for record, _ in load(folder).rows} == {int}
