"""
Turn the cells of CSV into values of the feature table's types.

An empty cell is null, quoted or not, so the empty string cannot be sent in CSV. A cell that does
not look like its type stays text, and the check of the record says what is wrong with it.
"""

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import chain

from inference.contract.feature import Feature
from inference.contract.refusal import Problem, Reason, RefusedError
from inference.contract.schema import LINES, Record, Value

BOOLEANS = {"true": True, "false": False}
# What Python reads as a number, without blanks, underscores, words and other scripts' digits.
_FLOATS = re.compile(r"[0-9.eE+,-]+").fullmatch
_FLOAT = re.compile(r"[0-9.eE+-]+").fullmatch
_INTEGER = re.compile(r"[+-]?[0-9]+").fullmatch

Row = tuple[int, list[str]]
"""The line on which a row begins, and its cells."""
Convert = Callable[[list[str]], Record]


class Sheet:
    """Reads CSV with one column for each feature."""

    def __init__(self, features: Sequence[Feature]) -> None:
        self._features = {feature.name: feature for feature in features}
        self._convert = _converter(features)

    def read(self, body: bytes, header: str | None) -> Iterator[tuple[str, object]]:
        """
        Give each row as a place and a record, or a Problem where it has another number of cells.

        `header` is `present`, `absent`, or None: then a first row that holds exactly the features'
        names, in any order, is one. Raises RefusedError: 400 for no CSV, 422 for an unfit header.
        """
        rows = _rows(body)
        first = next(rows, None)
        if first is None:
            return
        if self._is_header(first[1], header):
            convert = _converter([self._features[name] for name in first[1]])
        else:
            convert, rows = self._convert, chain([first], rows)
        yield from self._items(convert, rows)

    def _is_header(self, cells: Sequence[str], header: str | None) -> bool:
        names = self._features.keys()
        is_one = len(cells) == len(names) and names == set(cells)
        if header != "present" or is_one:
            return is_one and header != "absent"
        missing = [name for name in names if name not in cells]
        problems = [Problem(name, "is missing in the header", "missing") for name in missing]
        # Others are not named: without a header in truth, they are a record's values.
        others = f"has {len(cells)} columns, allowed are the {len(names)} features, each once"
        raise RefusedError(422, problems or [Problem("line 1", others, "unknown")])

    def _items(self, convert: Convert, rows: Iterable[Row]) -> Iterator[tuple[str, object]]:
        width = len(self._features)
        for line, cells in rows:
            place = LINES.format(line)
            if len(cells) == width:
                yield place, convert(cells)
                continue
            reason: Reason = "missing" if len(cells) < width else "unknown"
            sentence = f"has {len(cells)} cells, allowed are {width}; write one for each feature"
            yield place, Problem(f"line {line}", sentence, reason)


def _rows(body: bytes) -> Iterator[Row]:
    try:
        text = body.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise RefusedError(400, [Problem("", "is not UTF-8; encode it so", "encoding")]) from error
    reader = csv.reader(io.StringIO(text.rstrip("\r\n"), newline=""), strict=True)
    line = 1
    try:
        for cells in reader:
            yield line, cells
            line = reader.line_num + 1
    except csv.Error as error:
        sentence = (
            "is not valid CSV, allowed is RFC 4180 with cells up to 128 KiB; check its quotes"
        )
        raise RefusedError(400, [Problem(f"line {line}", sentence, "syntax")]) from error


def _converter(columns: Sequence[Feature]) -> Convert:
    names = [column.name for column in columns]
    parsers = [_PARSERS[column.type] for column in columns]

    def by_cell(cells: list[str]) -> Record:
        triples = zip(names, parsers, cells, strict=True)
        return {name: parse(cell) if cell else None for name, parse, cell in triples}

    def by_row(cells: list[str]) -> Record:
        """Read a row of nothing but floats, in less than half the time."""
        if _FLOATS(",".join(cells)):
            with suppress(ValueError):  # an empty cell, or one that is no number after all
                return dict(zip(names, map(float, cells), strict=True))
        return by_cell(cells)

    return by_row if all(column.type == "float" for column in columns) else by_cell


def _float(cell: str) -> Value:
    try:
        return float(cell) if _FLOAT(cell) else cell
    except ValueError:  # `1e`
        return cell


def _integer(cell: str) -> Value:
    try:
        return int(cell) if _INTEGER(cell) else cell
    except ValueError:  # more digits than Python converts
        return cell


def _boolean(cell: str) -> Value:
    return BOOLEANS.get(cell, cell)


_PARSERS: dict[str, Callable[[str], Value]] = {
    "float": _float,
    "integer": _integer,
    "string": str,
    "boolean": _boolean,
}
