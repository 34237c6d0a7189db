"""What a manifest.json may say: what made a model version, and what it takes and gives."""

from itertools import pairwise
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field

from steelyard.spec.endpoint import FileName, Text

# The container counts in ten bins, and labels them so.
EDGES = 11
# The body's field for several records at once, in the serving container.
BATCH_KEY = "instances"
_FLOAT32_MAX = 3.4028234663852886e38


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)


class ModelFile(_Part):
    """The portable model: file name, digest, and the names of its input and output tensors."""

    file: FileName
    sha256: Annotated[
        str,
        Field(
            pattern=r"^[0-9a-f]{64}$",
            description="the file's sha256 in 64 hexadecimal digits, lower-case",
            examples=["what sha256sum prints"],
        ),
    ]
    input: Text
    output: Text


def _range(limits: tuple[float, float]) -> tuple[float, float]:
    if not -_FLOAT32_MAX <= limits[0] < limits[1] <= _FLOAT32_MAX:
        raise ValueError(
            f"given {list(limits)}, allowed is a lower limit below the upper one, both within "
            f"float32: write for example [0.0, 1.0]"
        )
    return limits


class Feature(_Part):
    """One input of the model, as it is served."""

    name: Text
    type: Literal["float"]
    range: Annotated[tuple[float, float], AfterValidator(_range)]
    unit: str
    nullable: Annotated[
        Literal[False],
        Field(description="false, since a record has every feature", examples=["false"]),
    ]
    pii: bool


def _features(features: list[Feature]) -> list[Feature]:
    names = [feature.name for feature in features]
    twice = sorted({name for name in names if names.count(name) > 1} | ({BATCH_KEY} & {*names}))
    if twice:
        raise ValueError(
            f"given {', '.join(twice)}, allowed is each name once, and never {BATCH_KEY}, which "
            f"holds the records of a batch: rename in the feature table, and train anew"
        )
    return features


def _rising(edges: list[float]) -> list[float]:
    fallen = next((pair for pair in pairwise(edges) if pair[0] >= pair[1]), None)
    if fallen is not None:
        raise ValueError(
            f"given {fallen[1]:g} after {fallen[0]:g}, allowed is rising edges: put them in order"
        )
    return edges


_ELEVEN = Field(
    min_length=EDGES,
    max_length=EDGES,
    description=f"a list of {EDGES} rising numbers, the edges of ten bins",
    examples=["[0.0, 0.1, ..., 1.0]"],
)
Edges = Annotated[list[float], _ELEVEN, AfterValidator(_rising)]


def _counted(counts: list[int]) -> list[int]:
    if sum(counts) == 0:
        raise ValueError(
            "given 0 in every bin, allowed is at least one held-out row: score the held-out rows "
            "with this version"
        )
    return counts


class Histogram(_Part):
    """Counts of held-out rows between neighbouring edges; the last bin includes its upper edge."""

    edges: Edges
    counts: Annotated[
        list[Annotated[int, Field(ge=0, description="a whole number of 0 or more")]],
        Field(
            min_length=EDGES - 1,
            max_length=EDGES - 1,
            description=f"a list of {EDGES - 1} whole numbers, one to a bin",
            examples=["[12, 0, ..., 7]"],
        ),
        AfterValidator(_counted),
    ]


def _from(least: float) -> AfterValidator:
    """Refuse edges that leave out a value from `least` to 1: it would be in no bin."""

    def enclose(histogram: Histogram) -> Histogram:
        first, last = histogram.edges[0], histogram.edges[-1]
        if first > least or last < 1:
            raise ValueError(
                f"given edges from {first:g} to {last:g}, allowed is from {least:g} to 1, so that "
                f"every prediction falls into a bin: widen them, and score anew"
            )
        return histogram

    return AfterValidator(enclose)


class Scores(_Part):
    """How the version answered the held-out rows at its evaluation."""

    score: Annotated[Histogram, _from(0.0)]
    confidence: Annotated[Histogram, _from(0.5)]


class Latency(_Part):
    """Inner edges of the latency bins, in seconds."""

    edges_seconds: Edges


def _pinned(image: str) -> str:
    if image.endswith(":latest"):
        raise ValueError(
            f"given {image!r}, which may change under us, allowed is a fixed tag: "
            f"name a version instead of latest"
        )
    return image


class Manifest(_Part):
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
    task: Literal["binary"]
    model: ModelFile
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
    scores: Scores
    latency: Latency
    owner: str
    licence: str
    intended_use: str
    limitations: str

    @property
    def edges(self) -> dict[str, list[float]]:
        """Every list of bin edges, by its place in the manifest."""
        return {
            "scores.score.edges": self.scores.score.edges,
            "scores.confidence.edges": self.scores.confidence.edges,
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
