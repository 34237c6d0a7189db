"""What a manifest.json may say: what made a model version, and what it takes and gives."""

from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field

from steelyard.spec.feature import EDGES, Edges, Feature, Tally, distinct
from steelyard.spec.part import FileName, Part, Text

# The body's field for several records at once, in the serving container.
BATCH_KEY = "instances"


class NamedFile(Part):
    """A file beside the manifest: its name and its digest."""

    file: FileName
    sha256: Annotated[
        str,
        Field(
            pattern=r"^[0-9a-f]{64}$",
            description="the file's sha256 in 64 hexadecimal digits, lower-case",
            examples=["what sha256sum prints"],
        ),
    ]


class ModelFile(NamedFile):
    """The portable model, and the names of its input and output tensors."""

    input: Text
    output: Text


def _features(features: list[Feature]) -> list[Feature]:
    names = [feature.name for feature in features]
    twice = sorted({name for name in names if names.count(name) > 1} | ({BATCH_KEY} & {*names}))
    if twice:
        raise ValueError(
            f"given {', '.join(twice)}, allowed is each name once, and never {BATCH_KEY}, which "
            f"holds the records of a batch: rename in the feature table, and train anew"
        )
    return features


def _counted(counts: list[int]) -> list[int]:
    if sum(counts) == 0:
        raise ValueError(
            "given 0 in every bin, allowed is at least one held-out row: score the held-out rows "
            "with this version"
        )
    return counts


class Histogram(Part):
    """Counts of held-out rows between neighbouring edges; the last bin includes its upper edge."""

    edges: Edges
    counts: Annotated[
        list[Tally],
        Field(
            min_length=EDGES - 1,
            max_length=EDGES - 1,
            description=f"a list of {EDGES - 1} whole numbers, one to a bin",
            examples=["[12, 0, ..., 7]"],
        ),
        AfterValidator(_counted),
    ]


class Scores(Part):
    """
    How the version answered the held-out rows at its evaluation.

    `score`: the probability of label 1 (binary), the index of the label given (multiclass) or the
    value (regression). `confidence`: the probability of the label given, None for regression.
    """

    score: Histogram
    confidence: Histogram | None


class Latency(Part):
    """Inner edges of the latency bins, in seconds."""

    edges_seconds: Edges


def _pinned(image: str) -> str:
    if image.endswith(":latest"):
        raise ValueError(
            f"given {image!r}, which may change under us, allowed is a fixed tag: "
            f"name a version instead of latest"
        )
    return image


class Manifest(Part):
    """The whole manifest."""

    schema_: Annotated[Literal[1], Field(alias="schema")]
    name: Text
    version: Annotated[
        str,
        Field(
            pattern=r"^\d+\.\d+\.\d+$",
            description="three numbers with points between",
            examples=["1.2.0"],
        ),
    ]
    task: Literal["binary", "multiclass", "regression"]
    labels: Annotated[
        list[Any] | None,
        Field(
            min_length=2,
            max_length=1000,
            description="a list of 2 to 1000 labels, in the order of the model's output",
            examples=['["red", "green"]'],
        ),
        AfterValidator(lambda labels: labels if labels is None else distinct(labels)),
    ] = None
    model: ModelFile
    feature_code: NamedFile | None = None
    explanation: NamedFile | None = None
    image: Annotated[
        str,
        Field(
            pattern=r"^[a-z0-9._/-]+:[\w.-]+$",
            description="a repository's name and a tag, without a registry",
            examples=["steelyard-inference:0.1.0"],
        ),
        AfterValidator(_pinned),
    ]
    data: dict[str, Any]
    code_sha: str
    seed: int
    environment_digest: str
    trained_at: str
    metrics: dict[str, float]
    segments: dict[str, Any]
    features: Annotated[
        list[Feature],
        Field(min_length=1, description="a list of one feature or more", examples=["[{...}]"]),
        AfterValidator(_features),
    ]
    unknown_fields: Literal["refuse", "record"] = "refuse"
    scores: Scores
    latency: Latency
    owner: str
    licence: str
    intended_use: str
    limitations: str

    @property
    def classes(self) -> list[str | int]:
        """The labels in the order of the model's output; none for regression."""
        if self.task == "regression":
            return []
        return [0, 1] if self.labels is None else self.labels

    @property
    def edges(self) -> dict[str, list[float]]:
        """Every list of bin edges that the judge compares over, by its place in the manifest."""
        confidence = self.scores.confidence
        return {
            "scores.score.edges": self.scores.score.edges,
            "scores.confidence.edges": [] if confidence is None else confidence.edges,
            "latency.edges_seconds": self.latency.edges_seconds,
        }


def total_variation(one: Histogram, other: Histogram) -> float:
    """
    Return the total variation between two histograms over the same bins, from 0 to 1.

    Half the sum of the absolute differences of the bins' shares.
    """
    shares = zip(_shares(one), _shares(other), strict=True)
    return sum(abs(a - b) for a, b in shares) / 2


def _shares(histogram: Histogram) -> list[float]:
    total = sum(histogram.counts)
    return [count / total for count in histogram.counts]
