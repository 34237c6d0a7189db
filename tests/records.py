"""A feature table with a feature of every type, and records, rows and CSV text for it."""

import json
import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np

Record = dict[str, Any]
Feature = dict[str, Any]


def feature(
    name: str, kind: str, nullable: bool = False, pii: bool = False, **rest: Any
) -> Feature:
    """Give a row of a feature table, without its histogram."""
    return {"name": name, "type": kind, **rest, "unit": "1", "nullable": nullable, "pii": pii}


FEATURES = (
    feature("age", "integer", range=[18, 100], pii=True),
    feature("income", "float", range=[0.0, 250000.0], nullable=True),
    feature("region", "string", values=["north", "south", "far east"]),
    feature("illness", "string", values=["cough", "fever"], nullable=True, pii=True),
    feature("member", "boolean"),
    feature("consent", "boolean", nullable=True),
    feature("doors", "integer", values=[2, 3, 5], nullable=True),
)
"""A feature of every type, with each property at least once."""

FEATURE_CODE = '''"""A row with another number of columns than features, and in another order."""

from math import log1p


def row(record):
    """Return region one-hot, then age in decades, the logarithm of income, and member."""
    income = record["income"]
    return [
        *(float(record["region"] == name) for name in ("north", "south", "far east")),
        record["age"] / 10,
        log1p(0.0 if income is None else income),
        float(record["member"]),
    ]
'''
"""The text of a features.py for FEATURES; its row has 6 columns."""


def records(count: int, features: Sequence[Feature] = FEATURES, seed: int = 0) -> list[Record]:
    """Give valid records; a nullable feature is null in about one of five."""
    chance = np.random.default_rng(seed)

    def value(it: Feature) -> Any:
        if it["nullable"] and chance.random() < 0.2:
            return None
        if (choices := choices_of(it)) is not None:
            return choices[chance.integers(len(choices))]
        drawn = chance.uniform(*it["range"])
        return round(drawn, 4) if it["type"] == "float" else round(drawn)

    return [{it["name"]: value(it) for it in features} for _ in range(count)]


def choices_of(it: Feature) -> list[Any] | None:
    """Give the closed list of a feature's values; None where it has a range."""
    return [False, True] if it["type"] == "boolean" else it.get("values")


def row_of(
    features: Sequence[Feature], code: str | None = None
) -> Callable[[Mapping[str, Any]], list[float]]:
    """Give the function `row` of a features.py's text, or the default row of a feature table."""
    names: dict[str, Any] = {}
    if code is not None:
        exec(code, names)
        return names["row"]

    def column(it: Feature, value: Any) -> float:
        choices = choices_of(it)
        if value is None:
            return math.nan
        return float(value if choices is None else choices.index(value))

    return lambda record: [column(it, record[it["name"]]) for it in features]


def table(found: Sequence[Record]) -> bytes:
    """Give records as CSV with a header: null is an empty cell, booleans are true and false."""
    lines = [",".join(found[0])]
    lines += [",".join(map(cell, record.values())) for record in found]
    return ("\n".join(lines) + "\n").encode()


def cell(value: Any) -> str:
    """Give a value as a cell of a CSV file; no value of ours needs quotes."""
    return "" if value is None else value if isinstance(value, str) else json.dumps(value)
