"""
Check what callers send, against the feature table of the model.

Everything that is wrong with a body is found in one pass and worded for its sender. No value that
was sent is ever repeated: an input may be personal data, and an answer may be logged.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model
from pydantic_core import ErrorDetails

BATCH_KEY = "instances"
LONGEST_LIST = 100
LONGEST_FIELD = 80
STRICT = ConfigDict(strict=True, extra="forbid")


@dataclass(frozen=True)
class Feature:
    """A number of the record, with its inclusive range."""

    name: str
    low: float
    high: float


@dataclass(frozen=True)
class Problem:
    """What is wrong with one field; the empty field is the body as a whole."""

    field: str
    problem: str


class RefusedError(Exception):
    """The request cannot be scored; `status` is the HTTP status of the answer."""

    def __init__(self, status: int, problems: Sequence[Problem]) -> None:
        super().__init__(status, problems)
        self.status = status
        self.problems = problems


class Schema:
    """The input check made from a feature table; fields come back in the order of the table."""

    def __init__(self, features: Sequence[Feature]) -> None:
        fields: dict[str, Any] = {
            # Own names inside: a feature may be called `copy` or `model_dump`.
            f"f{index}": (
                float,
                Field(alias=feature.name, ge=feature.low, le=feature.high, allow_inf_nan=False),
            )
            for index, feature in enumerate(features)
        }
        record: type[BaseModel] = create_model("Record", __config__=STRICT, **fields)
        self._record = record
        rows: Any = (list[record], Field(alias=BATCH_KEY, min_length=1))  # type: ignore[valid-type]
        self._batch: type[BaseModel] = create_model("Batch", __config__=STRICT, rows=rows)
        self._ranges = {feature.name: (feature.low, feature.high) for feature in features}

    def rows(self, body: bytes) -> list[list[float]]:
        """
        Read one record, or `{"instances": [record, ...]}`, as rows in feature order.

        Raises RefusedError: 400 when the body is not JSON, 422 when the table forbids it.
        """
        try:
            return [_values(self._record.model_validate_json(body))]
        except ValidationError as error:
            details = _details(error)
        if any(detail["loc"] == (BATCH_KEY,) for detail in details):
            return self._batch_rows(body)
        raise self._refusal(details)

    def _batch_rows(self, body: bytes) -> list[list[float]]:
        try:
            batch: Any = self._batch.model_validate_json(body)
        except ValidationError as error:
            raise self._refusal(_details(error)) from None
        return [_values(record) for record in batch.rows]

    def _refusal(self, details: Sequence[ErrorDetails]) -> RefusedError:
        is_json = details[0]["type"] != "json_invalid"
        problems = [self._problem(detail) for detail in details[:LONGEST_LIST]]
        if len(details) > LONGEST_LIST:
            problems.append(Problem("", f"and {len(details) - LONGEST_LIST} more problems"))
        return RefusedError(422 if is_json else 400, problems)

    def _problem(self, detail: ErrorDetails) -> Problem:
        return Problem(_path(detail["loc"])[:LONGEST_FIELD], self._sentence(detail))

    def _sentence(self, detail: ErrorDetails) -> str:
        """Word one problem; the sentences are ours, since pydantic's may hold what was sent."""
        kind = detail["type"]
        if kind in ("greater_than_equal", "less_than_equal"):
            low, high = self._ranges[str(detail["loc"][-1])]
            return f"is out of range, allowed is {low:g} to {high:g}; check its unit"
        return SENTENCES.get(kind, f"is not allowed ({kind}); see the schema of the record")


SENTENCES = {
    "json_invalid": "the body is not valid JSON, allowed is an object of feature values",
    "missing": "is missing, allowed is a number; send it",
    "extra_forbidden": "is not a feature of this model; leave it out",
    "float_type": "is not a number, allowed is a JSON number without quotes",
    "finite_number": "is not a finite number, allowed is a finite one",
    "model_type": "is not an object, allowed is an object of feature values",
    "list_type": "is not a list, allowed is a list of records",
    "too_short": "is empty, allowed is one record or more",
}


def _details(error: ValidationError) -> list[ErrorDetails]:
    return error.errors(include_url=False, include_context=False, include_input=False)


def _values(record: BaseModel) -> list[float]:
    return list(record.__dict__.values())


def _path(location: Sequence[str | int]) -> str:
    """Write a location as `instances[3].mean_radius`."""
    parts = (f"[{part}]" if isinstance(part, int) else f".{part}" for part in location)
    return "".join(parts).removeprefix(".")
