"""Rows of records in CSV files: checked cell by cell against the features of every version."""

import csv
import io
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from steelyard.spec.document import read_text
from steelyard.spec.feature import Feature, Value
from steelyard.spec.manifest import Manifest
from steelyard.spec.task import read_label

# A value to each feature, as a request sends them.
Record = dict[str, Any]
# A record and its true answer: one of the versions' labels, or a number for regression.
Row = tuple[Record, Value]
# For each feature, the rows that the versions' tables have for it, and which versions have each.
Kinds = Mapping[str, Sequence[tuple[Feature, list[str]]]]

MOST_PROBLEMS = 10
_CURE = "mend the row, or remove it"


@dataclass(frozen=True)
class _Table:
    """A CSV file's header, and its rows with the line that each ends in."""

    columns: list[str]
    lines: list[tuple[int, dict[str | Any, Any]]]


def read_rows(
    folder: Path, file: str, label: str, manifests: Mapping[str, Manifest]
) -> tuple[tuple[Row, ...], list[str]]:
    """Return the held-out rows, and a sentence for each of their problems, the first ten whole."""
    cure = "write rows that no version was trained on, which the rehearsal sends"
    table, problems = _read(folder / file, file, cure)
    if table is None:
        return (), problems
    kinds = _kinds(manifests)
    problems = [*_column_problems(file, table.columns, label, kinds)]
    problems += _bounded(file, _row_problems(table, kinds, label, manifests))
    if not table.lines:
        problems.append(f"{file}: given no rows, allowed is one or more: write held-out rows")
    # Versions that differ in their labels are refused elsewhere.
    manifest = next(iter(manifests.values()), None)
    if problems or manifest is None:
        return (), problems
    return tuple(
        (_record(row, kinds), read_label(manifest, row[label])) for _, row in table.lines
    ), []


def background_problems(path: Path, file: str, version: str, manifest: Manifest) -> list[str]:
    """Return a sentence for each problem of the records that explanations are measured against."""
    cure = "write some training records, one column to a feature"
    table, problems = _read(path, file, cure)
    if table is None:
        return problems
    names = [feature.name for feature in manifest.features]
    if table.columns != names:
        return [
            f"{file}, line 1: given other columns than the features of manifest.json in their "
            f"order, allowed are these, {len(names)} in all: {cure}"
        ]
    if not table.lines:
        return [f"{file}: given no rows, allowed is one or more: {cure}"]
    return [*_bounded(file, _row_problems(table, _kinds({version: manifest}), None, {}))]


def _read(path: Path, file: str, cure: str) -> tuple[_Table | None, list[str]]:
    text, problems = read_text(path, file, cure)
    if text is None:
        return None, problems
    reader = csv.DictReader(io.StringIO(text, newline=""))
    try:
        columns = list(reader.fieldnames or [])
        return _Table(columns, [(reader.line_num, row) for row in reader]), []
    except csv.Error as error:
        return None, [f"{file}, line {reader.line_num}: is not CSV: {error}: write it anew"]


def _kinds(manifests: Mapping[str, Manifest]) -> Kinds:
    kinds: dict[str, list[tuple[Feature, list[str]]]] = defaultdict(list)
    for version, manifest in manifests.items():
        for feature in manifest.features:
            alike = (had for it, had in kinds[feature.name] if it.rule() == feature.rule())
            versions = next(alike, None)
            if versions is None:
                kinds[feature.name].append((feature, [version]))
            else:
                versions.append(version)
    return kinds


def _record(row: Mapping[str, str], kinds: Kinds) -> Record:
    """Return the values as every version takes them: a whole number is also any other."""
    return {
        name: min((it for it, _ in found), key=lambda it: it.type != "integer").read(row[name])
        for name, found in kinds.items()
    }


def _bounded(file: str, found: Iterator[tuple[int, str]]) -> Iterator[str]:
    problems = list(found)
    yield from (f"{file}, line {line}: {it}" for line, it in problems[:MOST_PROBLEMS])
    if len(problems) > MOST_PROBLEMS:
        yield f"{file}: and {len(problems) - MOST_PROBLEMS} more problems of its cells"


def _column_problems(file: str, columns: list[str], label: str, kinds: Kinds) -> Iterator[str]:
    for name in sorted({name for name in columns if columns.count(name) > 1}):
        yield f"{file}, line 1: given column {name!r} more than once, allowed is once: keep one"
    if label not in columns:
        yield (
            f"{file}, line 1: given no column {label!r}, allowed is one, as endpoint.yaml says in "
            f"held_out.label: add it, or correct the name"
        )
    if not kinds:
        return
    for names, what in (
        ([name for name in kinds if name not in columns], "lacks the features"),
        ([name for name in columns if name not in kinds and name != label], "has the columns"),
    ):
        if names:
            yield (
                f"{file}, line 1: {what} {', '.join(map(repr, names))}, allowed are the features "
                f"in the manifests and {label}: write one column for each of these, and no other"
            )


def _row_problems(
    table: _Table, kinds: Kinds, label: str | None, manifests: Mapping[str, Manifest]
) -> Iterator[tuple[int, str]]:
    """Yield line and problem; `label` is the column of the true answers, None where none is."""
    answers = next(iter(manifests.values()), None)
    for line, row in table.lines:
        if (problem := _length_problem(row)) is not None:
            yield line, problem
            continue
        for name, cell in row.items():
            if name != label:
                yield from ((line, it) for it in _cell_problems(name, cell, kinds.get(name, ())))
            elif answers is not None and (problem := _label_problem(answers, cell)) is not None:
                yield line, f"{name}: {problem}"


def _length_problem(row: Mapping[str | Any, Any]) -> str | None:
    if None not in row and None not in row.values():
        return None
    cells = len(row) if None not in row else len(row) - 1 + len(row[None])
    cells -= sum(value is None for value in row.values())
    wanted = len(row) - (None in row)
    return f"given {cells} cells, allowed is {wanted}, as in the header: {_CURE}"


def _label_problem(manifest: Manifest, cell: str) -> str | None:
    try:
        read_label(manifest, cell)
    except ValueError as error:
        return f"given {cell!r}, allowed is {error}: {_CURE}"
    return None


def _cell_problems(
    name: str, cell: str, kinds: Sequence[tuple[Feature, list[str]]]
) -> Iterator[str]:
    for feature, versions in kinds:
        try:
            value = feature.read(cell)
        except ValueError as error:
            yield f"{name}: given {cell!r}, allowed is {error}: {_CURE}"
            return
        if feature.range is None or not isinstance(value, int | float):
            continue
        low, high = feature.range
        if not low <= value <= high:
            yield (
                f"{name}: given {value:g}, allowed is {low:g} to {high:g}, the range in the "
                f"manifest of {', '.join(versions)}, which answers 422 to others: check its unit; "
                f"{_CURE}"
            )
