"""A row of the feature table: what a feature may be, and what of it may not be."""

import json
from collections.abc import Sequence
from itertools import pairwise
from typing import Annotated, Any, Literal, Self

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

FLOAT32_MAX = 3.4028234663852886e38
STRICT = ConfigDict(strict=True, frozen=True)

Number = Annotated[float, Field(allow_inf_nan=False)]
Count = Annotated[int, Field(ge=0)]


def _rising(edges: list[float]) -> list[float]:
    if not all(low < high for low, high in pairwise(edges)):
        raise ValueError("edges must rise; write each once, in order")
    return edges


ElevenEdges = Annotated[list[Number], Field(min_length=11, max_length=11), AfterValidator(_rising)]


class FeatureHistogram(BaseModel):
    """
    A feature over the training rows.

    With edges: ten counts between them, `low` below and `high` above. Without: one count a value,
    or false and true. `missing` counts nulls.
    """

    model_config = STRICT

    edges: ElevenEdges | None = None
    counts: list[Count]
    low: Count = 0
    high: Count = 0
    missing: Count = 0


class Feature(BaseModel):
    """A row of the feature table; `range` is inclusive, `values` is a closed list instead of it."""

    model_config = STRICT

    name: Annotated[str, Field(min_length=1)]
    type: Literal["float", "integer", "string", "boolean"]
    range: Annotated[list[Number], Field(min_length=2, max_length=2)] | None = None
    values: Annotated[list[str | int], Field(min_length=2, max_length=100)] | None = None
    unit: str | None = None
    nullable: bool
    pii: bool
    histogram: FeatureHistogram

    @model_validator(mode="after")
    def _fits(self) -> Self:
        problems = [*_domain_problems(self), *_histogram_problems(self)]
        if problems:
            raise ValueError("; ".join(problems))
        return self

    @property
    def domain(self) -> Sequence[Any]:
        """What is allowed besides null: both ends of the range, or every value of the list."""
        if self.range is None:
            return self.values or (False, True)
        return self.range if self.type == "float" else [int(limit) for limit in self.range]

    @property
    def listed(self) -> str:
        """The closed list, as a sentence shows it."""
        return ", ".join(json.dumps(value, ensure_ascii=False) for value in self.values or ())

    @property
    def limits(self) -> str:
        """The range, as a sentence shows it."""
        low, high = self.range or (0, 0)
        return f"{low:.15g} to {high:.15g}"

    def json_schema(self) -> dict[str, Any]:
        """Give what JSON Schema (2020-12) says of the values allowed, without its annotations."""
        name = "number" if self.type == "float" else self.type
        schema: dict[str, Any] = {"type": [name, "null"] if self.nullable else name}
        if self.range is not None:
            schema |= {"minimum": self.range[0], "maximum": self.range[1]}
        if self.values is not None:
            schema["enum"] = [*self.values, None] if self.nullable else list(self.values)
        return schema


def _domain_problems(feature: Feature) -> list[str]:
    allowed = {"float": ["range"], "integer": ["range", "values"], "string": ["values"]}
    given = [word for word in ("range", "values") if getattr(feature, word) is not None]
    words = allowed.get(feature.type, [])
    if (len(given) != 1 or given[0] not in words) if words else given:
        wanted = " or ".join(words) or "neither range nor values"
        return [f"type {feature.type} has {' and '.join(given) or 'neither'}, allowed is {wanted}"]
    return _range_problems(feature) + _values_problems(feature)


def _range_problems(feature: Feature) -> list[str]:
    if feature.range is None:
        return []
    low, high = feature.range
    problems = []
    if not -FLOAT32_MAX <= low < high <= FLOAT32_MAX:
        problems.append("a range must rise and fit float32; write the lower limit first")
    if feature.type == "integer" and not (low.is_integer() and high.is_integer()):
        problems.append("the limits of an integer must be whole; round them")
    return problems


def _values_problems(feature: Feature) -> list[str]:
    if feature.values is None:
        return []
    kind = str if feature.type == "string" else int
    problems = []
    if not all(type(value) is kind for value in feature.values):
        problems.append(f"values of type {feature.type} must be of it; write them so")
    if len(set(feature.values)) < len(feature.values) or "" in feature.values:
        problems.append("values must be distinct, none of them empty; write each once")
    return problems


def _histogram_problems(feature: Feature) -> list[str]:
    histogram = feature.histogram
    bins = 10 if feature.range is not None else len(feature.values or (False, True))
    problems = []
    if (histogram.edges is not None) != (feature.range is not None):
        problems.append("a histogram has edges exactly when the feature has a range; write it so")
    if len(histogram.counts) != bins:
        problems.append(f"the histogram has {len(histogram.counts)} counts, allowed are {bins}")
    return problems
