"""
Check records against the feature table of the model.

pydantic-core decides, strictly: no "1.5" and no true for a number, an integer for a float but not
3.0 for an integer, no NaN and no infinity. A key that is sent twice counts with its last value, as
in most readers of JSON. Everything wrong is found in one pass, and no value is ever repeated.
"""

import math
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice
from typing import Any, NamedTuple

from pydantic_core import CoreSchema, SchemaValidator, ValidationError, core_schema

from inference.contract.feature import Feature
from inference.contract.manifest import BATCH_KEY, Manifest
from inference.contract.refusal import Problem, Reason, RefusedError

LONGEST_LIST = 100
"""Problems in an answer, and unknown fields in a record of the log."""
LONGEST_FIELD = 80
"""Characters of a name that the caller chose."""

Value = float | int | bool | str | None
Record = dict[str, Value]
"""Exactly the features, in the order of the table."""

ONE, BATCH, LINES = "", f"{BATCH_KEY}[{{}}].", "line {}: "
"""How the place of a record is written before its field's name."""
TAIL = ".: "


class Batch(NamedTuple):
    """The records of one request, and the names of its fields that are no features."""

    records: list[Record]
    unknown: tuple[str, ...] = ()


class Schema:
    """The input check made from the feature table of a manifest."""

    def __init__(self, manifest: Manifest) -> None:
        self.features = manifest.features
        self._table = {feature.name: feature for feature in manifest.features}
        self._refuses_unknown = manifest.unknown_fields == "refuse"
        # The fields alone, without a class around them: any name is possible, `copy` and `a b` too,
        # the record is a dict at once, and what is no field comes apart.
        record = _fields({name: _value(feature) for name, feature in self._table.items()})
        self._check = SchemaValidator(record)
        self._check_json = self._check.validate_json
        # Stops at the first bad record: a list of a million would cost gigabytes of problems.
        batch = core_schema.list_schema(record, strict=True, min_length=1, fail_fast=True)
        self._check_batch = SchemaValidator(_fields({BATCH_KEY: batch})).validate_json

    def one(self, text: bytes) -> Batch | None:
        """Read one record of JSON in the fastest way; None when there is anything to say of it."""
        try:
            record, unknown, _ = self._check_json(text)
        except ValidationError:
            return None
        return None if unknown else Batch([record])

    def many(self, text: bytes) -> Batch | None:
        """Read `{"instances": [record, ...]}`; None when there is anything to say of it."""
        try:
            fields, unknown, _ = self._check_batch(text)
        except ValidationError:
            return None
        rows = fields[BATCH_KEY]
        if unknown or any(extra for _, extra, _ in rows):
            return None
        return Batch([record for record, _, _ in rows])

    def checked(self, items: Iterable[tuple[str, object]]) -> Batch:
        """
        Check parsed records, each with its place, or a Problem instead of a record.

        Raises RefusedError 422 with up to 100 problems, counting the others.
        """
        records: list[Record] = []
        unknown: dict[str, None] = {}
        findings = Findings()
        place = ONE
        for place, item in items:
            if isinstance(item, Problem):
                findings.add([item])
            elif (found := self._find(place, item, findings)) is not None:
                records.append(found[0])
                if len(unknown) < LONGEST_LIST:
                    unknown.update(dict.fromkeys(_shortened(found[1])))
            if findings.is_full:
                break
        findings.refuse(place)
        if not records:
            raise RefusedError(422, [EMPTY])
        return Batch(records, tuple(unknown)[:LONGEST_LIST])

    def _find(
        self, place: str, item: object, findings: "Findings"
    ) -> tuple[Record, Mapping[str, Any]] | None:
        """Give the record and its unknown fields, or add what is wrong with it."""
        try:
            record, unknown, _ = self._check.validate_python(item, strict=True)
        except ValidationError as error:
            findings.add(self._explained(place, item, error))
            unknown, record = _others(item, self._table), None
        if unknown and self._refuses_unknown:
            names = (Problem(place + name, *UNKNOWN) for name in _shortened(unknown))
            findings.add(names, len(unknown))
            return None
        return None if record is None else (record, unknown)

    def _explained(self, place: str, item: object, error: ValidationError) -> Iterator[Problem]:
        if not isinstance(item, dict):
            yield Problem(place.rstrip(TAIL), *NO_OBJECT)
            return
        for detail in error.errors(include_url=False, include_context=False, include_input=False):
            name = str(detail["loc"][0])
            yield Problem(place + name, *_why(self._table[name], item))


class Findings:
    """Problems of one request: the first hundred are kept, the others counted."""

    def __init__(self) -> None:
        self._kept: list[Problem] = []
        self._count = 0

    def add(self, problems: Iterable[Problem], count: int | None = None) -> None:
        """Take problems; `count` when they are more than are given here."""
        found = list(problems)
        self._kept += found[: LONGEST_LIST - len(self._kept)]
        self._count += len(found) if count is None else count

    @property
    def is_full(self) -> bool:
        """Whether nothing more needs to be looked for."""
        return self._count > LONGEST_LIST

    def refuse(self, place: str) -> None:
        """Raise RefusedError 422 if there is anything; `place` is where the search ended."""
        if self.is_full:
            up_to = f" up to {place.rstrip(TAIL)}" if place else ""
            more = f"and {self._count - LONGEST_LIST} more problems{up_to}"
            self._kept.append(Problem("", more, self._kept[-1].reason))
        if self._kept:
            raise RefusedError(422, self._kept)


EMPTY = Problem("", "holds no record, allowed is one or more; send one", "empty")
UNKNOWN: tuple[str, Reason] = ("is not a feature of this model; leave it out", "unknown")
NO_OBJECT: tuple[str, Reason] = (
    "is not an object, allowed is an object of feature values",
    "type",
)
_TYPES: dict[str, tuple[tuple[type, ...], str]] = {
    "float": ((float, int), "is not a number, allowed is a number without quotes"),
    "integer": ((int,), "is not an integer, allowed is a number without fraction or quotes"),
    "string": ((str,), "is not a string, allowed is one of the values of the schema"),
    "boolean": ((bool,), "is not a boolean, allowed are true and false"),
}


def _why(feature: Feature, item: Mapping[str, Any]) -> tuple[str, Reason]:
    """Say why the check refused this feature: the sentences are ours, pydantic's repeat values."""
    types, sentence = _TYPES[feature.type]
    if feature.name not in item:
        return "is missing; send it" + (", or null" if feature.nullable else ""), "missing"
    value = item[feature.name]
    if value is None:
        return "is null, which this feature does not allow; send a value", "null"
    if isinstance(value, float) and not math.isfinite(value):
        return "is not a finite number, allowed is a finite one", "not_finite"
    if not isinstance(value, types) or (isinstance(value, bool) and bool not in types):
        return sentence, "type"
    if feature.values is not None:
        return f"is not in the list, allowed is one of {feature.listed}", "value"
    return f"is out of range, allowed is {feature.limits}; check its unit", "range"


def _value(feature: Feature) -> CoreSchema:
    schema = _required_value(feature)
    return core_schema.nullable_schema(schema) if feature.nullable else schema


def _required_value(feature: Feature) -> CoreSchema:
    if feature.type == "boolean":
        return core_schema.bool_schema(strict=True)
    if feature.values is not None:
        listed = core_schema.literal_schema(list(feature.values))
        if feature.type == "string":
            return listed
        # A literal alone takes true and 1.0 for 1.
        return core_schema.chain_schema([core_schema.int_schema(strict=True), listed])
    assert feature.range is not None  # the manifest was checked
    low, high = feature.range
    if feature.type == "integer":
        return core_schema.int_schema(strict=True, ge=int(low), le=int(high))
    return core_schema.float_schema(strict=True, ge=low, le=high, allow_inf_nan=False)


def _fields(fields: Mapping[str, CoreSchema]) -> CoreSchema:
    wrapped = {name: core_schema.model_field(schema) for name, schema in fields.items()}
    return core_schema.model_fields_schema(wrapped, extra_behavior="allow")


def _others(item: object, table: Mapping[str, Feature]) -> Mapping[str, Any]:
    if not isinstance(item, dict):
        return {}
    return {name: None for name in item if name not in table}


def _shortened(names: Iterable[str]) -> list[str]:
    return [name[:LONGEST_FIELD] for name in islice(names, LONGEST_LIST)]
