"""A row of the feature table: what one field of a record may hold, and what training saw of it."""

import math
import re
from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, model_validator

from steelyard.spec.parse import given
from steelyard.spec.part import Part, Text

Value = float | int | bool | str | None

# The container counts in ten bins, and labels them so.
EDGES = 11
TABLE = "correct the feature table, and train anew"
_WHOLE = re.compile(r"-?[0-9]{1,40}")
_FLOAT32_MAX = 3.4028234663852886e38
_JSON_TYPES = {"float": "number", "integer": "integer", "string": "string", "boolean": "boolean"}
_LIMITS = {
    "float": ("a range",),
    "integer": ("a range", "values"),
    "string": ("values",),
    "boolean": ("neither range nor values",),
}


def rising(edges: list[float]) -> list[float]:
    """Return the edges; raises ValueError, in words, unless each is above the one before it."""
    fallen = next((pair for pair in pairwise(edges) if pair[0] >= pair[1]), None)
    if fallen is not None:
        raise ValueError(
            f"given {fallen[1]:g} after {fallen[0]:g}, allowed is rising edges: put them in order"
        )
    return edges


def distinct(choices: list[Any]) -> list[Any]:
    """Return the choices; raises ValueError unless all are text or whole numbers, each once."""
    odd = [it for it in choices if isinstance(it, bool) or not isinstance(it, str | int)]
    # As text, since a CSV cell does not tell 1 from "1", nor null from empty text.
    said = [str(it) for it in choices]
    twice = [it for it in choices if said.count(str(it)) > 1]
    if odd or twice or "" in said:
        raise ValueError(
            f"given {given(next(iter(odd + twice), ''))}, allowed is text that is not empty and "
            f"whole numbers, each once: {TABLE}"
        )
    return choices


def _range(limits: tuple[float, float]) -> tuple[float, float]:
    if not -_FLOAT32_MAX <= limits[0] < limits[1] <= _FLOAT32_MAX:
        raise ValueError(
            f"given {list(limits)}, allowed is a lower limit below the upper one, both within "
            f"float32: write for example [0.0, 1.0]"
        )
    return limits


Edges = Annotated[
    list[float],
    Field(
        min_length=EDGES,
        max_length=EDGES,
        description=f"a list of {EDGES} rising numbers, the edges of ten bins",
        examples=["[0.0, 0.1, ..., 1.0]"],
    ),
    AfterValidator(rising),
]
Tally = Annotated[int, Field(ge=0, description="a whole number of 0 or more")]


class Distribution(Part):
    """
    How a feature's values were distributed over the training rows.

    With a range: counts between neighbouring edges, and how many lay below the first (`low`) and
    above the last (`high`). Without: one count to each value, or to false and true. `missing`
    counts the nulls.
    """

    edges: Edges | None = None
    counts: list[Tally]
    low: Tally | None = None
    high: Tally | None = None
    missing: Tally

    @property
    def rows(self) -> int:
        """How many training rows there were."""
        return sum(self.counts) + self.missing + (self.low or 0) + (self.high or 0)


class Feature(Part):
    """One field of a record, as it is served; `range` is inclusive, `values` is a closed list."""

    name: Text
    type: Literal["float", "integer", "string", "boolean"]
    range: Annotated[tuple[float, float], AfterValidator(_range)] | None = None
    values: Annotated[
        list[Any] | None,
        Field(
            min_length=2,
            max_length=100,
            description="a list of 2 to 100 values",
            examples=['["red", "green"]'],
        ),
        AfterValidator(lambda values: values if values is None else distinct(values)),
    ] = None
    unit: str
    nullable: Annotated[bool, Field(strict=True)]
    pii: Annotated[bool, Field(strict=True)]
    histogram: Distribution

    @model_validator(mode="after")
    def _fits_together(self) -> "Feature":
        problems = [*_limit_problems(self), *_whole_problems(self), *_value_problems(self)]
        problems = problems or _histogram_problems(self)
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @property
    def choices(self) -> list[Value] | None:
        """The closed list of values, also of a boolean; None where there is a range."""
        return [False, True] if self.type == "boolean" else self.values

    def rule(self) -> dict[str, Any]:
        """Return what the JSON Schema of a record says of this field."""
        kind, null = _JSON_TYPES[self.type], [None] if self.nullable else []
        rule: dict[str, Any] = {"type": [kind, "null"] if self.nullable else kind}
        if self.range is not None:
            rule["minimum"], rule["maximum"] = self.range
        if self.values is not None:
            rule["enum"] = [*self.values, *null]
        return rule

    def read(self, cell: str) -> Value:
        """
        Return the value that a cell of a CSV file stands for; null is an empty cell.

        Raises ValueError, whose text says what is allowed instead. A range is not held against it.
        """
        if cell == "" and self.nullable:
            return None
        found = self._found(cell)
        if found is None:
            raise ValueError(self._allowed() + (", or nothing for null" if self.nullable else ""))
        return found

    def _found(self, cell: str) -> Value:
        if self.choices is not None:
            return {written(choice): choice for choice in self.choices}.get(cell)
        if self.type == "integer":
            return int(cell) if _WHOLE.fullmatch(cell) else None
        return finite(cell)

    def _allowed(self) -> str:
        if self.choices is not None:
            return f"one of {', '.join(map(written, self.choices))}"
        return "a finite number" if self.type == "float" else "a whole number"


def written(value: Value) -> str:
    """Return a value as a cell of a CSV file has it: booleans are true and false."""
    return str(value).lower() if isinstance(value, bool) else str(value)


def finite(cell: str) -> float | None:
    """Return the finite number that a cell holds, None where it holds none."""
    try:
        number = float(cell)
    except ValueError:
        return None
    return number if math.isfinite(number) else None


def _limit_problems(feature: Feature) -> list[str]:
    said = [
        name
        for name, it in (("a range", feature.range), ("values", feature.values))
        if it is not None
    ]
    found = " and ".join(said) or "neither range nor values"
    allowed = _LIMITS[feature.type]
    if found in allowed:
        return []
    return [
        f"given {found} for the type {feature.type}, allowed is {' or '.join(allowed)}: {TABLE}"
    ]


def _whole_problems(feature: Feature) -> list[str]:
    limits = feature.range or ()
    if feature.type != "integer" or all(limit.is_integer() for limit in limits):
        return []
    return [f"given {list(limits)} for the type integer, allowed is whole limits: {TABLE}"]


def _value_problems(feature: Feature) -> list[str]:
    wanted = str if feature.type == "string" else int
    odd = [value for value in feature.values or () if not isinstance(value, wanted)]
    if not odd:
        return []
    allowed = "text" if wanted is str else "whole numbers"
    return [
        f"given {given(odd[0])} in values for the type {feature.type}, allowed is {allowed}: "
        f"{TABLE}"
    ]


def _histogram_problems(feature: Feature) -> list[str]:
    histogram, choices = feature.histogram, feature.choices
    bins = EDGES - 1 if choices is None else len(choices)
    outer = [histogram.edges, histogram.low, histogram.high]
    cure = "count the training rows anew"
    problems = []
    if choices is None and None in outer:
        problems.append(
            "given a histogram without edges, low or high, allowed is one with all three, since "
            f"the feature has a range: {cure}"
        )
    if choices is not None and outer != [None] * 3:
        problems.append(
            "given a histogram with edges, low or high, allowed is counts and missing alone, "
            f"since the feature has no range: {cure}"
        )
    if len(histogram.counts) != bins:
        problems.append(
            f"given {len(histogram.counts)} counts in its histogram, allowed is {bins}: {cure}"
        )
    if histogram.rows == 0:
        problems.append(f"given a histogram of no rows, allowed is one or more: {cure}")
    return problems
