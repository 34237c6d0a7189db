"""The held-out rows: read once, checked against the label and against every version's features."""

import csv
import io
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from steelyard.spec.document import read_text
from steelyard.spec.manifest import Manifest

# A record by feature, and its label, 0 or 1.
Row = tuple[dict[str, float], int]
# For each feature, its ranges, and the versions that have each.
Ranges = Mapping[str, Mapping[tuple[float, float], list[str]]]

MOST_PROBLEMS = 10
_CURE = "mend the row, or remove it"


def read_rows(
    folder: Path, file: str, label: str, manifests: Mapping[str, Manifest]
) -> tuple[tuple[Row, ...], list[str]]:
    """Return the rows, and a sentence for each of their problems, the first ten in full."""
    text, problems = read_text(
        folder / file, file, "write rows that no version was trained on, which the rehearsal sends"
    )
    if text is None:
        return (), problems
    reader = csv.DictReader(io.StringIO(text, newline=""))
    try:
        columns = list(reader.fieldnames or [])
        lines = [(reader.line_num, row) for row in reader]
    except csv.Error as error:
        return (), [f"{file}, line {reader.line_num}: is not CSV: {error}: write it anew"]
    ranges = _ranges(manifests)
    problems = [*_column_problems(file, columns, label, ranges)]
    found = [f"{file}, line {n}: {it}" for n, row in lines for it in _cells(row, label, ranges)]
    problems += found[:MOST_PROBLEMS]
    if len(found) > MOST_PROBLEMS:
        problems.append(f"{file}: and {len(found) - MOST_PROBLEMS} more problems of its cells")
    if not lines:
        problems.append(f"{file}: given no rows, allowed is one or more: write held-out rows")
    return ((), problems) if problems else (tuple(_row(row, label) for _, row in lines), [])


def _row(row: dict[str, str], label: str) -> Row:
    return {name: float(cell) for name, cell in row.items() if name != label}, int(row[label])


def _ranges(manifests: Mapping[str, Manifest]) -> Ranges:
    ranges: dict[str, dict[tuple[float, float], list[str]]] = defaultdict(dict)
    for version, manifest in manifests.items():
        for feature in manifest.features:
            ranges[feature.name].setdefault(feature.range, []).append(version)
    return ranges


def _column_problems(file: str, columns: list[str], label: str, ranges: Ranges) -> Iterator[str]:
    for name in sorted({name for name in columns if columns.count(name) > 1}):
        yield f"{file}, line 1: given column {name!r} more than once, allowed is once: keep one"
    if label not in columns:
        yield (
            f"{file}, line 1: given no column {label!r}, allowed is one, as endpoint.yaml says in "
            f"held_out.label: add it, or correct the name"
        )
    if not ranges:
        return
    for names, what in (
        ([name for name in ranges if name not in columns], "lacks the features"),
        ([name for name in columns if name not in ranges and name != label], "has the columns"),
    ):
        if names:
            yield (
                f"{file}, line 1: {what} {', '.join(map(repr, names))}, allowed are the features "
                f"in the manifests and {label}: write one column for each of these, and no other"
            )


def _cells(row: dict[str | Any, Any], label: str, ranges: Ranges) -> Iterator[str]:
    if None in row or None in row.values():
        cells = len(row) if None not in row else len(row) - 1 + len(row[None])
        cells -= sum(value is None for value in row.values())
        wanted = len(row) - (None in row)
        yield f"given {cells} cells, allowed is {wanted}, as in the header: {_CURE}"
        return
    for name, cell in row.items():
        if name == label:
            if cell not in ("0", "1"):
                yield f"{name}: given {cell!r}, allowed is 0 or 1: {_CURE}"
        elif (number := _number(cell)) is None:
            yield f"{name}: given {cell!r}, allowed is a finite number: {_CURE}"
        else:
            yield from _range_problems(name, number, ranges)


def _range_problems(name: str, number: float, ranges: Ranges) -> Iterator[str]:
    for (low, high), versions in ranges.get(name, {}).items():
        if not low <= number <= high:
            yield (
                f"{name}: given {number:g}, allowed is {low:g} to {high:g}, the range in the "
                f"manifest of {', '.join(versions)}, which answers 422 to others: check its unit; "
                f"{_CURE}"
            )


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if math.isfinite(number) else None
