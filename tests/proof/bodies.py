"""Bodies as the world sends them: valid ones, and valid ones gone wrong in every way we know."""

import json
from collections.abc import Callable, Sequence
from random import Random
from typing import Any

from tests.records import Record, cell

JSON, LINES, CSV = "application/json", "application/jsonlines", "text/csv"
ODD: Sequence[Any] = (
    *(None, True, False, 0, 1, -1, 0.0, -0.0, 1.5, 2**31, 2**53 + 1, 2**64, -(2**64)),
    *(1e308, -1e308, 5e-324, 3.4e38, 3.5e38, float("nan"), float("inf"), float("-inf")),
    *("", " ", "0", "1.5", "true", "null", "NaN", "north", "🙂", "\x00", "\ud800", "x" * 5000),
    *([], [1], {}, {"a": {}}, [[[]]]),
)
SNIPPETS = (
    *(b"\x00", b"\xff", b"\xef\xbb\xbf", b"\xed\xa0\x80", b'"', b"\\", b"\\u12", b",", b",,", b":"),
    *(b"{", b"}", b"[", b"]", b"\n", b"\r\n", b"\r", b"NaN", b"Infinity", b"-", b"1e999"),
    b"9" * 400,
    *(b"0x1", b"1_000", b"+1", b"01", b".5", b"5.", b" ", b"\t", b"null", b"true", b"/*x*/", b"'"),
    *(b'{"instances":', b"[" * 300, b'{"a":' * 300, b'"instances"', b"inst\\u0061nces"),
)


def body(chance: Random, records: Sequence[Record]) -> tuple[str, bytes]:
    """Give a media type and a body, often valid, often no longer of its format."""
    rows = [dict(record) for record in chance.choices(records, k=chance.choice((1, 1, 1, 2, 5)))]
    if chance.random() < 0.6:
        for _ in range(chance.randint(1, 3)):
            _spoil(chance, chance.choice(rows))
    kind, text = chance.choice(FORMS)(chance, rows)
    if chance.random() < 0.3:
        for _ in range(chance.randint(1, 4)):
            text = _broken(chance, text)
    if chance.random() < 0.02:
        kind = chance.choice((JSON, LINES, CSV, "text/plain", "application/json; charset=utf-16"))
    return kind, text


def _spoil(chance: Random, record: Record) -> None:
    name = chance.choice([*record, "extra"])
    deed = chance.randrange(4)
    if deed == 0:
        record.pop(name, None)
    elif deed == 1:
        record[chance.choice(("extra", "instances", "", "copy", name.upper()))] = chance.choice(ODD)
    else:
        record[name] = chance.choice(ODD)


def _broken(chance: Random, text: bytes) -> bytes:
    place, end = sorted(chance.randrange(len(text) + 1) for _ in range(2))
    deed = chance.randrange(5)
    if deed == 0:
        return text[:place]
    if deed == 1:
        return text[:place] + text[min(end, place + 9) :]
    if deed == 2:
        return text[:place] + text[place : place + 30] + text[place:]
    if deed == 3:
        return text[:place] + bytes([chance.randrange(256)]) + text[place + 1 :]
    return text[:place] + chance.choice(SNIPPETS) + text[place:]


def _one(chance: Random, rows: Sequence[Record]) -> tuple[str, bytes]:
    text = _dumped(rows[0])
    if chance.random() < 0.1:  # a key that is there already
        name = chance.choice([*rows[0]] or ["extra"])
        text = text[:-1] + f", {json.dumps(name)}: {json.dumps(chance.choice(ODD))}}}".encode()
    return JSON, text


def _instances(chance: Random, rows: Sequence[Record]) -> tuple[str, bytes]:
    content: dict[str, Any] = {"instances": list(rows)}
    if chance.random() < 0.05:
        content["instances"] = chance.choice(ODD)
    if chance.random() < 0.05:
        content["extra"] = chance.choice(ODD)
    return JSON, _dumped(content)


def _lines(_: Random, rows: Sequence[Record]) -> tuple[str, bytes]:
    return LINES, b"\n".join(map(_dumped, rows))


def _table(chance: Random, rows: Sequence[Record]) -> tuple[str, bytes]:
    lines = [",".join(_cell(value) for value in row.values()) for row in rows]
    if chance.random() < 0.5:
        lines.insert(0, ",".join(rows[0]))
    kind = chance.choice((CSV, CSV, CSV, CSV + "; header=present", CSV + "; header=absent"))
    return kind, chance.choice(("\n", "\r\n")).join(lines).encode("utf-8", "surrogatepass")


def _cell(value: Any) -> str:
    return cell(value) if isinstance(value, str | int | float | None) else json.dumps(value)


def _dumped(content: Any) -> bytes:
    return json.dumps(content).encode()


Form = Callable[[Random, Sequence[Record]], tuple[str, bytes]]
FORMS: Sequence[Form] = (_one, _one, _instances, _lines, _table)
