"""
What serving needs of a model's manifest, and how the manifest's own faults are worded.

The rest of a manifest (data, metrics, owner) is for people and gates; it is neither read nor
checked here.
"""

import json
from collections.abc import Sequence
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, Field, ValidationError

from inference.metrics import Edges
from inference.schema import BATCH_KEY, Feature

FLOAT32_MAX = 3.4028234663852886e38


def _rising(edges: list[float]) -> list[float]:
    if not all(low < high for low, high in pairwise(edges)):
        raise ValueError("edges must rise; write each once, in order")
    return edges


def _limits(limits: tuple[float, float]) -> tuple[float, float]:
    if not -FLOAT32_MAX <= limits[0] < limits[1] <= FLOAT32_MAX:
        raise ValueError("a range must rise and fit float32; write the lower limit first")
    return limits


ElevenEdges = Annotated[
    list[Annotated[float, Field(allow_inf_nan=False)]],
    Field(min_length=11, max_length=11),
    AfterValidator(_rising),
]


class FeatureRow(BaseModel):
    """A row of the feature table; this container takes required numbers only."""

    name: Annotated[str, Field(min_length=1)]
    type: Literal["float"]
    range: Annotated[tuple[float, float], AfterValidator(_limits)]
    nullable: Literal[False]


def _distinct(rows: list[FeatureRow]) -> list[FeatureRow]:
    names = [row.name for row in rows]
    if len(set(names)) < len(names) or BATCH_KEY in names:
        raise ValueError(f"feature names must be distinct and none may be {BATCH_KEY!r}; rename")
    return rows


class ModelFile(BaseModel):
    """The ONNX file beside the manifest, and what its input and output are called."""

    file: Annotated[str, Field(pattern=r"^[^/]+$")]
    sha256: str
    input: str
    output: str


class Histogram(BaseModel):
    """Bin edges of a distribution."""

    edges: ElevenEdges


class Distributions(BaseModel):
    """Distributions of the predictions on the held-out rows."""

    score: Histogram
    confidence: Histogram


class Latency(BaseModel):
    """Inner bin edges of the time to answer, in seconds."""

    edges_seconds: ElevenEdges


class Manifest(BaseModel):
    """The part of a manifest that serving obeys."""

    schema_: Annotated[Literal[1], Field(alias="schema")]
    name: str
    version: Annotated[str, Field(pattern=r"^\d+\.\d+\.\d+$")]
    model: ModelFile
    rows: Annotated[
        list[FeatureRow], Field(alias="features", min_length=1), AfterValidator(_distinct)
    ]
    scores: Distributions
    latency: Latency

    @property
    def features(self) -> list[Feature]:
        """The feature table, in the order of the model's input."""
        return [Feature(row.name, *row.range) for row in self.rows]

    @property
    def edges(self) -> Edges:
        """The bins to count in."""
        return Edges(
            self.scores.score.edges, self.scores.confidence.edges, self.latency.edges_seconds
        )


def read_manifest(path: Path, problems: list[str]) -> Manifest | None:
    """Read a manifest; what is wrong with it is added to `problems`, and the answer is None."""
    content = read_json(path, problems)
    if content is None:
        return None
    try:
        return Manifest.model_validate(content)
    except ValidationError as error:
        problems.extend(
            f"{path.name}: {'.'.join(map(str, detail['loc']))}: {detail['msg']}"
            for detail in error.errors()
        )
        return None


def read_json(path: Path, problems: list[str]) -> dict[str, Any] | None:
    """Read a JSON object; what is wrong with it is added to `problems`, and the answer is None."""
    try:
        content = json.loads(path.read_bytes())
    except OSError as error:
        problems.append(f"{path.name} cannot be read: {error.strerror}; put it beside the model")
        return None
    except ValueError as error:
        problems.append(f"{path.name} is not JSON: {error}; write it anew")
        return None
    if not isinstance(content, dict):
        problems.append(f"{path.name} is not a JSON object; write it anew")
        return None
    return content


def schema_problems(content: dict[str, Any], features: Sequence[Feature]) -> list[str]:
    """
    Say where schema.json differs from the feature table.

    Callers read the one and this container obeys the other, so they must agree.
    """
    given = {
        name: (entry.get("minimum"), entry.get("maximum"))
        for name, entry in content.get("properties", {}).items()
    }
    asked = {feature.name: (feature.low, feature.high) for feature in features}
    differing = [name for name in asked | given if asked.get(name) != given.get(name)]
    problems = [
        f"schema.json and manifest.json differ in feature {name!r}: {given.get(name)} against "
        f"{asked.get(name)} (minimum, maximum); write both from one feature table"
        for name in differing
    ]
    if sorted(content.get("required", [])) != sorted(asked):
        problems.append("schema.json does not require exactly the features; require all of them")
    if content.get("additionalProperties") is not False:
        problems.append("schema.json allows additional properties; set it to false")
    return problems
