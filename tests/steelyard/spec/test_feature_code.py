"""A version's own feature code makes the rows that it is measured on, and is checked at loading."""

import hashlib
import math

import pytest

from steelyard.spec import load
from steelyard.spec.feature_code import row_maker
from tests.records import FEATURE_CODE, FEATURES, row_of
from tests.steelyard.spec.sample import ROWS, edit_json, problems_of, write_task


def rewrite(home, name: str, part: str, content: str) -> None:
    """Replace a file of a version, with its digest in the manifest."""
    (home / name).write_text(content)
    digest = hashlib.sha256(content.encode()).hexdigest()
    edit_json(home / "manifest.json", lambda it: it[part].update(sha256=digest))


@pytest.mark.parametrize("code", [None, FEATURE_CODE], ids=["table", "code"])
def test_a_row_is_made_as_training_made_it(tmp_path, code):
    endpoint = load(write_task(tmp_path / "sample", "binary", "accuracy", feature_code=code))

    row = row_maker(endpoint.folder / "v1-0-0", endpoint.manifests["v1-0-0"])

    expected = row_of(FEATURES, code)
    for record in ROWS:
        assert row(record) == pytest.approx(expected(record), abs=0, nan_ok=True)


def test_the_default_row_has_a_number_to_each_value(tmp_path):
    endpoint = load(write_task(tmp_path / "sample", "binary", "accuracy"))
    row = row_maker(endpoint.folder / "v1-0-0", endpoint.manifests["v1-0-0"])
    record = {
        "age": 40,
        "income": None,
        "region": "far east",
        "illness": None,
        "member": True,
        "consent": False,
        "doors": 5,
    }

    numbers = row(record)

    assert [numbers[0], *numbers[4:]] == [40.0, 1.0, 0.0, 2.0]
    assert numbers[2] == 2.0
    assert math.isnan(numbers[1])
    assert math.isnan(numbers[3])


def test_loading_leaves_nothing_in_the_folder(tmp_path):
    folder = write_task(tmp_path / "sample", "binary", "accuracy", feature_code=FEATURE_CODE)
    before = sorted(folder.rglob("*"))

    load(folder)

    assert sorted(folder.rglob("*")) == before


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("def row(record:\n", "is not Python: "),
        ("import numpy\nfrom onnx.helper import x\n", "imports numpy, onnx, allowed is the stand"),
        ("def row(record):\n    import numpy\n", "imports numpy, allowed is the standard library"),
        ("from . import other\n", "imports ., allowed is the standard library"),
        ("def rows(record):\n    return []\n", "fails on a record that manifest.json allows (KeyE"),
        ("raise OSError('no')\n", "fails on a record that manifest.json allows (OSError: no), all"),
        (
            "def row(record):\n    return [record['region']]\n",
            "fails on a record that manifest.jso",
        ),
        (
            "def row(record):\n    return [record['income'] + 1]\n",
            "fails on a record that manifest",
        ),
    ],
)
def test_feature_code_that_the_container_could_not_run_is_refused(tmp_path, code, expected):
    folder = write_task(tmp_path / "sample", "binary", "accuracy", feature_code=FEATURE_CODE)
    rewrite(folder / "v2-0-0", "features.py", "feature_code", code)

    (problem,) = problems_of(folder)

    assert problem.startswith(f"v2-0-0/features.py: {expected}")


def test_feature_code_of_another_width_than_the_models_is_refused(tmp_path):
    folder = write_task(tmp_path / "sample", "binary", "accuracy", feature_code=FEATURE_CODE)
    code = "def row(record):\n    return [1.0, 2.0]\n"
    rewrite(folder / "v2-0-0", "features.py", "feature_code", code)

    (problem,) = problems_of(folder)

    assert problem.startswith(
        "v2-0-0/model.onnx: takes 'record' of width 6, allowed is 'record' of width 2 alone, as "
        "features.py makes rows of 2 numbers"
    )


@pytest.mark.parametrize("file", ["features.py", "background.csv"])
def test_a_file_that_is_not_the_manifests_is_refused_by_its_digest(tmp_path, file):
    folder = write_task(tmp_path / "sample", "binary", "accuracy", feature_code=FEATURE_CODE)
    with (folder / "v2-0-0" / file).open("a") as opened:
        opened.write("\n")

    (problem,) = problems_of(folder)

    assert problem.startswith(f"v2-0-0/{file}: given a file with sha256 ")


@pytest.mark.parametrize("file", ["features.py", "background.csv"])
def test_a_file_that_is_missing_is_told_by_its_name(tmp_path, file):
    folder = write_task(tmp_path / "sample", "binary", "accuracy", feature_code=FEATURE_CODE)
    (folder / "v2-0-0" / file).unlink()

    (problem,) = problems_of(folder)

    assert problem.startswith(f"v2-0-0/{file}: cannot be read: No such file or directory; mani")


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        (lambda lines: lines[:1], ": given no rows, allowed is one or more"),
        (lambda lines: [line.partition(",")[2] for line in lines], ", line 1: given other columns"),
        (lambda lines: [lines[0], "17" + lines[1][2:]], ", line 2: age: given 17, allowed is 18 t"),
        (lambda lines: [lines[0], lines[1] + ",1"], ", line 2: given 8 cells, allowed is 7"),
        (lambda lines: [""], ": is empty: write some training records"),
    ],
)
def test_background_records_are_ones_that_could_be_sent(tmp_path, change, expected):
    folder = write_task(tmp_path / "sample", "binary", "accuracy")
    home = folder / "v2-0-0"
    lines = (home / "background.csv").read_text().splitlines()
    rewrite(home, "background.csv", "explanation", "\n".join(change(lines)))

    (problem,) = problems_of(folder)

    assert problem.startswith(f"v2-0-0/background.csv{expected}")
