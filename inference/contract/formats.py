"""
Read bodies into records, and write predictions into bodies, in every format of the contract.

JSON is one record or `{"instances": [record, ...]}`, JSON Lines one record a line, CSV one record a
row. All are UTF-8. A byte order mark is refused in JSON, as RFC 8259 lets a reader do, and skipped
in CSV, where spreadsheets write it.
"""

import csv
import io
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import lru_cache, partial
from typing import NamedTuple

import orjson
from pydantic_core import from_json

from inference.contract.cells import Sheet
from inference.contract.manifest import BATCH_KEY
from inference.contract.refusal import Problem, RefusedError
from inference.contract.schema import BATCH, LINES, ONE, Batch, Schema
from inference.scoring.prediction import Prediction

JSON = "application/json"
JSON_LINES = ("application/jsonlines", "application/x-ndjson", "application/x-jsonlines")
CSV = "text/csv"
MEDIA_TYPES = (JSON, *JSON_LINES, CSV)
CHARSETS = {"utf-8", "utf8"}

HEADERS = {"present", "absent"}
"""What a caller may say of the first row of CSV: RFC 4180 names this parameter."""
NOT_READ = Problem(
    "",
    f"the content type is not supported, allowed is {', '.join(MEDIA_TYPES)}, each in UTF-8; "
    "say which one the body has",
    "media_type",
)

MOST_RECORDS = 20_000
"""Of one request: the event loop waits while a body is parsed, and /ping has two seconds."""

Reader = Callable[[Schema, bytes], Batch]
_BATCH_MARK = f'"{BATCH_KEY}"'.encode()


def read(schema: Schema, media_type: bytes | None, body: bytes) -> Batch:
    """
    Read the records of a body; `media_type` is the Content-Type header as it came.

    Raises RefusedError: 415 for another format, 413 for too many records, 400 for a body that is
    not of its format, 422 for records that the feature table forbids.
    """
    reader = _reader(media_type)
    if not body or body.isspace():
        raise RefusedError(400, [Problem("", "the body is empty; send a record", "empty")])
    return reader(schema, body)


@lru_cache(maxsize=128)
def _reader(media_type: bytes | None) -> Reader:
    name, parameters = _parsed((media_type or b"").decode("latin-1"))
    is_known = name in MEDIA_TYPES and parameters.get("charset", "utf-8") in CHARSETS
    if not is_known or parameters.get("header", "absent") not in HEADERS:
        raise RefusedError(415, [NOT_READ])
    if name == JSON:
        return _read_json
    return _read_lines if name in JSON_LINES else partial(_read_csv, parameters.get("header"))


def _parsed(text: str) -> tuple[str, Mapping[str, str]]:
    """Take a media type apart: `Text/CSV; header=present`."""
    name, *rest = (part.strip().lower() for part in text.split(";"))
    pairs = (part.partition("=") for part in rest)
    return name, {key.strip(): value.strip().strip('"') for key, _, value in pairs}


def _check_count(body: bytes, mark: bytes) -> None:
    """Refuse a body before it is parsed when it has more of what each record has one of."""
    if len(body) > MOST_RECORDS and body.count(mark) > MOST_RECORDS + 1:
        problem = f"the body has too many records, allowed are {MOST_RECORDS}; send fewer at a time"
        raise RefusedError(413, [Problem("", problem, "too_long")])


def _read_json(schema: Schema, body: bytes) -> Batch:
    _check_count(body, b"{")
    # Only a guess, to be fast: what neither of the two takes is parsed and looked at.
    batch = schema.many(body) if _BATCH_MARK in body[:64] else schema.one(body)
    if batch is not None:
        return batch
    content = _from_json(body)
    if not isinstance(content, dict) or BATCH_KEY not in content:
        return schema.checked([(ONE, content)])
    return schema.checked(_instances(content))


def _instances(content: Mapping[str, object]) -> Iterator[tuple[str, object]]:
    """Give the records of a batch; whatever stands beside the list is a problem."""
    rows = content[BATCH_KEY]
    if len(content) > 1:
        sentence = f"the body has fields beside {BATCH_KEY!r}; put them into the records"
        yield "", Problem("", sentence, "unknown")
    if not isinstance(rows, list):
        yield "", Problem(BATCH_KEY, "is not a list, allowed is a list of records", "type")
        return
    for index, row in enumerate(rows):
        yield BATCH.format(index), row


def _read_lines(schema: Schema, body: bytes) -> Batch:
    _check_count(body, b"\n")
    lines = body.rstrip().split(b"\n")
    batches = map(schema.one, lines)
    records = []
    for batch in batches:
        if batch is None:
            return schema.checked(_parsed_lines(lines))
        records += batch.records
    return Batch(records)


def _parsed_lines(lines: Sequence[bytes]) -> Iterator[tuple[str, object]]:
    for number, line in enumerate(lines, 1):
        place = LINES.format(number)
        yield place, _from_json(line, place)


def _read_csv(header: str | None, schema: Schema, body: bytes) -> Batch:
    _check_count(body, b"\n")
    return schema.checked(_sheet(schema).read(body, header))


@lru_cache(maxsize=8)
def _sheet(schema: Schema) -> Sheet:
    return Sheet(schema.features)


def _from_json(text: bytes, place: str = ONE) -> object:
    try:
        return from_json(text, cache_strings=False)
    except ValueError as error:
        raise RefusedError(400, [_syntax_problem(text, place)]) from error


def _syntax_problem(text: bytes, place: str) -> Problem:
    field = place.rstrip(": ")
    try:
        text.decode()
    except UnicodeDecodeError:
        return Problem(field, "is not UTF-8; encode it so", "encoding")
    if text.startswith(b"\xef\xbb\xbf"):
        return Problem(field, "starts with a byte order mark; leave it out", "encoding")
    return Problem(field, "is not valid JSON, allowed is an object of feature values", "syntax")


class Writer(NamedTuple):
    """Writes predictions in one format; `media_type` is the Content-Type of the answer."""

    media_type: bytes
    write: Callable[[Sequence[Prediction], str], bytes]
    """Predictions and the model's version, as the bytes of a body."""


@lru_cache(maxsize=128)
def writer(accept: bytes | None, is_explained: bool = False) -> Writer:
    """
    Choose the format of the answer; `accept` is the Accept header as it came.

    Of formats that the caller likes equally JSON is chosen, then JSON Lines, then CSV. An
    explanation does not fit a row of CSV. Raises RefusedError 406 when nothing is left.
    """
    offers = [offer for offer in MEDIA_TYPES if offer != CSV or not is_explained]
    ranges = [
        _parsed(part) for part in (accept or b"").decode("latin-1").split(",") if part.strip()
    ]
    # Nothing asked for is anything; `max` takes the first of equals.
    best = max(offers, key=lambda offer: _quality(offer, ranges)) if ranges else JSON
    if ranges and _quality(best, ranges) <= 0:
        sentence = f"none of the accepted media types is available, allowed is {', '.join(offers)}"
        raise RefusedError(406, [Problem("", sentence, "accept")])
    return Writer(best.encode(), _WRITERS.get(best, _write_lines))


def _quality(offer: str, ranges: Sequence[tuple[str, Mapping[str, str]]]) -> float:
    """Give how much the caller wants this format, by the narrowest range that holds it."""
    for wanted in (offer, offer.partition("/")[0] + "/*", "*/*"):
        for name, parameters in ranges:
            if name == wanted:
                return _weight(parameters.get("q", "1"))
    return 0


def _weight(text: str) -> float:
    """Read a q-value; what is none counts as not wanted."""
    return float(text) if re.fullmatch(r"[01](\.[0-9]{0,3})?", text) else 0


def _write_json(predictions: Sequence[Prediction], model_version: str) -> bytes:
    return orjson.dumps({"predictions": predictions, "model_version": model_version})


def _write_lines(predictions: Sequence[Prediction], _: str) -> bytes:
    """Write one prediction a line; the version has no place here."""
    return b"".join(
        orjson.dumps(prediction, option=orjson.OPT_APPEND_NEWLINE) for prediction in predictions
    )


def _write_csv(predictions: Sequence[Prediction], _: str) -> bytes:
    """Write one prediction a row, without header: its fields in order, scores by label last."""
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows(map(_row, predictions))
    return text.getvalue().encode()


def _row(prediction: Prediction) -> Iterator[object]:
    for value in prediction.values():
        if isinstance(value, dict):
            yield from value.values()
        else:
            yield value


_WRITERS = {JSON: _write_json, CSV: _write_csv}


def write_problems(problems: Sequence[Problem]) -> bytes:
    """Write the body of a refusal, always in JSON."""
    errors = [{"field": each.field, "problem": each.problem} for each in problems]
    return orjson.dumps({"errors": errors})
