"""
What serving obeys of a model's manifest, and how the manifest's own faults are worded.

The rest of a manifest (data, metrics, owner) is for people and gates; it is kept unchecked in
`model_extra`.
"""

import hashlib
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ValidationError,
    ValidationInfo,
    field_validator,
)
from pydantic_core import ErrorDetails

from inference.contract.feature import STRICT, Count, ElevenEdges, Feature

BATCH_KEY = "instances"
ANNOTATIONS = {"$schema", "$id", "$comment", "title", "description", "examples", "deprecated"}
"""Keywords of JSON Schema that allow and forbid nothing."""
LONGEST_GIVEN = 80
SHA256 = r"^[0-9a-f]{64}$"

Label = str | int
FileName = Annotated[str, Field(pattern=r"^[^/]+$")]


class ModelFile(BaseModel):
    """The ONNX file beside the manifest, and what its input and output are called."""

    model_config = STRICT

    file: FileName
    sha256: Annotated[str, Field(pattern=SHA256)]
    input: str
    output: str


class PackedFile(BaseModel):
    """A file in the version folder that must be the one meant."""

    model_config = STRICT

    file: FileName
    sha256: Annotated[str, Field(pattern=SHA256)]


class Histogram(BaseModel):
    """A distribution over the held-out rows."""

    model_config = STRICT

    edges: ElevenEdges
    counts: Annotated[list[Count], Field(min_length=10, max_length=10)]


class Distributions(BaseModel):
    """What the held-out rows were predicted; a regression has no confidence."""

    model_config = STRICT

    score: Histogram
    confidence: Histogram | None


class Latency(BaseModel):
    """Inner bin edges of the time to answer, in seconds."""

    model_config = STRICT

    edges_seconds: ElevenEdges


class Manifest(BaseModel):
    """The part of a manifest that serving obeys."""

    model_config = ConfigDict(strict=True, frozen=True, extra="allow")

    schema_: Annotated[Literal[1], Field(alias="schema")]
    name: str
    version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
    task: Literal["binary", "multiclass", "regression"]
    labels: Annotated[
        list[Label] | None, Field(min_length=2, max_length=1000, validate_default=True)
    ] = None
    model: ModelFile
    features: Annotated[list[Feature], Field(min_length=1)]
    unknown_fields: Literal["refuse", "record"] = "refuse"
    feature_code: PackedFile | None = None
    explanation: PackedFile | None = None
    scores: Distributions
    latency: Latency

    @field_validator("labels")
    @classmethod
    def _labels_fit(cls, labels: list[Label] | None, info: ValidationInfo) -> list[Label] | None:
        task = info.data.get("task")
        if task == "regression" and labels is not None:
            raise ValueError("a regression has no labels; leave them out")
        if task == "multiclass" and labels is None:
            raise ValueError("a multiclass model needs labels, in the order of its output")
        if task == "binary" and labels is None:
            return [0, 1]
        if task == "binary" and labels is not None and len(labels) != 2:
            raise ValueError(f"a binary model has {len(labels)} labels, allowed are 2")
        # Distinct as text: they are keys of the answer.
        if labels is not None and len(set(map(str, labels))) < len(labels):
            raise ValueError("labels must be distinct as text; rename one")
        return labels

    @field_validator("features")
    @classmethod
    def _distinct(cls, rows: list[Feature]) -> list[Feature]:
        names = [row.name for row in rows]
        if len(set(names)) < len(names) or BATCH_KEY in names:
            raise ValueError(
                f"feature names must be distinct and none may be {BATCH_KEY!r}; rename"
            )
        return rows

    @field_validator("scores")
    @classmethod
    def _scores_fit(cls, scores: Distributions, info: ValidationInfo) -> Distributions:
        task = info.data.get("task")
        if task is not None and (task == "regression") != (scores.confidence is None):
            raise ValueError("confidence is null for a regression and a histogram otherwise")
        labels = info.data.get("labels")
        first, *_, last = scores.score.edges
        if labels is not None and not first <= 0 < len(labels) - 1 <= last:
            raise ValueError(
                f"the score is a probability or an index of {len(labels)} labels, allowed are "
                f"edges from 0 to {len(labels) - 1} or beyond"
            )
        return scores

    def record_schema(self) -> dict[str, Any]:
        """Give the JSON Schema (2020-12) of one record, properties in the order of the table."""
        return {
            "type": "object",
            "properties": {feature.name: feature.json_schema() for feature in self.features},
            "required": [feature.name for feature in self.features],
            "additionalProperties": self.unknown_fields == "record",
        }


def read_manifest(path: Path, problems: list[str]) -> Manifest | None:
    """Read a manifest; what is wrong with it is added to `problems`, and the answer is None."""
    content = read_json(path, problems)
    if content is None:
        return None
    try:
        return Manifest.model_validate(content)
    except ValidationError as error:
        problems.extend(_sentence(path.name, detail) for detail in error.errors())
        return None


def _sentence(file: str, detail: ErrorDetails) -> str:
    place = f"{file}: {'.'.join(map(str, detail['loc']))}"
    if detail["type"] == "missing":
        return f"{place} is missing; add it"
    said = detail["msg"].removeprefix("Value error, ")
    given = "an object" if isinstance(detail["input"], dict) else repr(detail["input"])
    return f"{place}: {said} (given {given[:LONGEST_GIVEN]})"


def read_json(path: Path, problems: list[str]) -> dict[str, Any] | None:
    """Read a JSON object; what is wrong with it is added to `problems`, and the answer is None."""
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        problems.append(f"{path.name} cannot be read: {error.strerror}; put it beside the model")
        return None
    except (ValueError, RecursionError) as error:
        problems.append(f"{path.name} is not JSON: {error}; write it anew")
        return None
    if not isinstance(content, dict):
        problems.append(f"{path.name} is not a JSON object; write it anew")
        return None
    return content


def read_file(folder: Path, name: str, sha256: str, problems: list[str]) -> bytes | None:
    """Read a file that the manifest names; if that fails, `problems` says how."""
    try:
        content = (folder / name).read_bytes()
    except OSError as error:
        problems.append(f"{name} cannot be read: {error.strerror}; put it beside the manifest")
        return None
    digest = hashlib.sha256(content).hexdigest()
    if digest != sha256:
        problems.append(
            f"{name} has sha256 {digest}, allowed is {sha256} as the manifest says; "
            "ship the two that were written together"
        )
        return None
    return content


def schema_problems(content: Mapping[str, Any], manifest: Manifest) -> list[str]:
    """
    Say where schema.json differs from the feature table.

    Callers read the one and this container obeys the other, so they must agree. Words for people
    (title, description and the like) may be anything.
    """
    asked = manifest.record_schema()
    given = {key: value for key, value in content.items() if key not in ANNOTATIONS}
    problems = _property_problems(given.pop("properties", None), asked.pop("properties"))
    for rules in (given, asked):
        rules["required"] = sorted(map(str, rules.get("required", [])))
    problems += [
        f"schema.json: {key} is {given.get(key)}, allowed is {asked.get(key)} as the manifest's "
        "features and unknown_fields say; write both from one feature table"
        for key in asked | given
        if given.get(key) != asked.get(key)
    ]
    return problems


def _property_problems(given: Any, asked: Mapping[str, Any]) -> list[str]:
    if not isinstance(given, dict):
        return ["schema.json has no properties; write it from the feature table"]
    rules = {name: _rules(entry) for name, entry in given.items()}
    wanted = {name: _rules(entry) for name, entry in asked.items()}
    return [
        f"schema.json and manifest.json differ in feature {name!r}: {rules.get(name)} against "
        f"{wanted.get(name)}; write both from one feature table"
        for name in wanted | rules
        if wanted.get(name) != rules.get(name)
    ]


def _rules(entry: Any) -> Any:
    """Drop the words for people, and the order of what has none."""
    if not isinstance(entry, dict):
        return entry
    rules = {key: value for key, value in entry.items() if key not in ANNOTATIONS}
    for key in ("type", "enum"):
        if isinstance(rules.get(key), list):
            rules[key] = sorted(rules[key], key=repr)
    return rules
