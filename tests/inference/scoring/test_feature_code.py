"""A version's own feature code: the rows it makes, and what of it is refused before serving."""

import hashlib
import math
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.contract.schema import Schema
from inference.scoring.feature_code import default_row, middle_record, read_row_code
from tests.manifests import manifest_of
from tests.records import FEATURE_CODE, FEATURES, feature, records, row_of

NUMBERS = [feature(f"f{index}", "float", range=[0.0, 10.0]) for index in range(3)]


def read(folder, text: str, features=FEATURES, **changes: str):
    """Write features.py, and give its row function and the problems found."""
    (folder / "features.py").write_text(text)
    digest = hashlib.sha256(text.encode()).hexdigest()
    packed = {"file": "features.py", "sha256": digest} | changes
    problems: list[str] = []
    return read_row_code(folder, manifest_of(features, feature_code=packed), problems), problems


def test_rows_are_made_by_the_code_that_training_used(tmp_path):
    row, problems = read(tmp_path, FEATURE_CODE)

    assert problems == []
    trained = row_of(FEATURES, FEATURE_CODE)
    assert [row(record) for record in records(50)] == [trained(record) for record in records(50)]


def test_nothing_is_written_beside_it(tmp_path):
    read(tmp_path, FEATURE_CODE)

    assert [path.name for path in tmp_path.iterdir()] == ["features.py"]


def test_it_may_hold_what_looks_its_own_module_up(tmp_path):
    text = """
from __future__ import annotations
from dataclasses import dataclass

@dataclass
class Scale:
    factor: float = 2.0

def row(record):
    return [Scale().factor * value for value in record.values()]
"""
    row, problems = read(tmp_path, text, NUMBERS)

    assert problems == []
    assert row({"f0": 1.0, "f1": 2.0, "f2": 3.0}) == [2.0, 4.0, 6.0]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("def row(:", "does not load: SyntaxError"),
        ("\x00", "does not load"),
        ("1 / 0", "does not load: ZeroDivisionError"),
        ("raise SystemExit", "does not load: SystemExit"),
        ("rows = 1", "has no function row(record)"),
        ("row = 1", "has no function row(record)"),
        ("import numpy", "imports numpy, allowed is the standard library"),
        ("def row(record):\n    from pydantic import v1", "imports pydantic"),
        ("from . import other", "imports ., allowed is the standard library"),
        ("def row(record): return 1 / 0", "raises for the middle record: ZeroDivisionError"),
        ("def row(): return []", "raises for the middle record: TypeError"),
        ("def row(record): return list(record.values())", "no list of floats for the middle"),
        ("def row(record): return 1.0", "no list of floats"),
        ("def row(record): return (1.0,)", "no list of floats"),
        ("def row(record): return [1]", "no list of floats"),
        ("def row(record): return ['1']", "no list of floats"),
        ("def row(record): return [1.0] * record['age']", "rows of different lengths"),
        ("def row(record): return [1 / (record['age'] - 18)]", "raises for the lowest record"),
        ("def row(record): return [record['income'] * 1.0]", "for the income = null record"),
    ],
)
def test_code_that_cannot_serve_is_refused_in_words(text, sentence, tmp_path):
    row, problems = read(tmp_path, text)

    assert row is None
    assert len(problems) == 1
    assert "features.py" in problems[0]
    assert sentence in problems[0]


def test_code_that_is_not_the_one_meant_is_not_run(tmp_path):
    row, problems = read(tmp_path, "import sys; sys.touched = True", sha256="0" * 64)

    assert row is None
    assert "ship the two that were written together" in problems[0]
    assert not hasattr(sys, "touched")


def test_code_that_is_absent_is_named(tmp_path):
    row, problems = read(tmp_path, FEATURE_CODE, file="other.py")

    assert row is None
    assert problems[0].startswith("other.py cannot be read")


def test_without_code_a_row_is_the_record_in_the_order_of_the_table(tmp_path):
    problems: list[str] = []

    row = read_row_code(tmp_path, manifest_of(NUMBERS), problems)

    assert row({"f0": 1.0, "f1": 2.0, "f2": 3.0}) == [1.0, 2.0, 3.0]
    assert problems == []


@given(st.integers(0, 2**32 - 1))
def test_the_default_row_is_the_one_that_training_makes(seed):
    row, trained = default_row(manifest_of().features), row_of(FEATURES)
    for record in records(5, seed=seed):
        numbers = row(record)

        assert all(type(number) is float for number in numbers)
        assert [str(number) for number in numbers] == [str(number) for number in trained(record)]


def test_null_is_nan_a_boolean_0_or_1_and_a_listed_value_its_index():
    row = default_row(manifest_of().features)
    values = (18, None, "far east", None, True, False, 5)
    record = dict(zip((it["name"] for it in FEATURES), values, strict=True))

    assert str(row(record)) == str([18.0, math.nan, 2.0, math.nan, 1.0, 0.0, 2.0])


def test_the_middle_record_is_an_allowed_one():
    manifest = manifest_of()

    batch = Schema(manifest).checked([("", middle_record(manifest))])

    assert batch.records == [middle_record(manifest)]
    assert middle_record(manifest)["age"] == 59
