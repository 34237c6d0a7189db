"""
Say which counters one model version has: their names, their bins, and where those end.

numpy is not imported: the process that forks the workers sizes their shared memory from this, and
must have no threads by then.
"""

import hashlib
import json
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Literal

from inference.contract.feature import Feature
from inference.contract.manifest import Manifest
from inference.contract.refusal import REASONS

Outcome = Literal["ok", "client_error", "model_error", "overloaded"]
OUTCOMES: tuple[Outcome, ...] = ("ok", "client_error", "model_error", "overloaded")

REQUESTS = "steelyard_requests_total"
DURATION = "steelyard_request_duration_bin_total"
OVER_SLO = "steelyard_request_over_slo_total"
SCORE = "steelyard_score_bin_total"
CONFIDENCE = "steelyard_confidence_bin_total"
FEATURE = "steelyard_feature_bin_total"
REJECTIONS = "steelyard_rejections_total"
SCRAPES = "steelyard_scrapes_total"

PROBABILITY_BINS = 10
"""Of score and of confidence; a regression's confidence has them too, at zero for ever."""


@dataclass(frozen=True)
class Ranged:
    """A numeric feature; bin i covers [edge i, edge i+1), and the last one its upper edge too."""

    name: str
    edges: tuple[float, ...]

    @property
    def bins(self) -> tuple[str, ...]:
        """Names of the bins, in the order of the edges; `missing` counts null."""
        return ("low", *_numbered(len(self.edges) - 1), "high", "missing")


@dataclass(frozen=True)
class Listed:
    """A feature with a closed list of values, one bin each; those of a boolean: false, true."""

    name: str
    values: tuple[int | bool | str, ...]

    @property
    def bins(self) -> tuple[str, ...]:
        """Names of the bins, in the order of the values; `missing` counts null."""
        return (*_numbered(len(self.values)), "missing")


@dataclass(frozen=True)
class Family:
    """Counters of one name; `labels` has one element a series, empty for a series without any."""

    name: str
    labels: tuple[str, ...]


@dataclass(frozen=True)
class Layout:
    """
    The bins of one model version, and the place of each counter in a block of `size` counters.

    score, confidence: 11 rising edges, confidence None where the model has none (regression);
    seconds: inner edges of the time to answer; features: in the order of the table.
    """

    score: tuple[float, ...]
    confidence: tuple[float, ...] | None
    seconds: tuple[float, ...]
    features: tuple[Ranged | Listed, ...]

    @classmethod
    def of(cls, manifest: Manifest) -> "Layout":
        """Take the bins from a manifest."""
        confidence = manifest.scores.confidence
        return cls(
            score=_floats(manifest.scores.score.edges),
            confidence=_floats(confidence.edges) if confidence is not None else None,
            seconds=_floats(manifest.latency.edges_seconds),
            features=tuple(_bins_of(feature) for feature in manifest.features),
        )

    @cached_property
    def families(self) -> tuple[Family, ...]:
        """All counters, in the order of the block."""
        probability = _labels("bin", (*_numbered(PROBABILITY_BINS), "nan"))
        return (
            Family(REQUESTS, _labels("outcome", OUTCOMES)),
            Family(DURATION, _labels("bin", _numbered(len(self.seconds) + 1))),
            Family(OVER_SLO, ("",)),
            Family(SCORE, probability),
            Family(CONFIDENCE, probability),
            Family(FEATURE, tuple(self._feature_labels())),
            Family(REJECTIONS, _labels("reason", REASONS)),
            Family(SCRAPES, ("",)),
        )

    @cached_property
    def size(self) -> int:
        """How many counters there are."""
        return sum(len(family.labels) for family in self.families)

    def place(self, name: str) -> slice:
        """Where in the block a family's counters lie."""
        start = 0
        for family in self.families:
            if family.name == name:
                return slice(start, start + len(family.labels))
            start += len(family.labels)
        raise KeyError(name)

    def feature_places(self) -> list[slice]:
        """Where in the block each feature's counters lie, in the order of the table."""
        places = []
        start = self.place(FEATURE).start
        for feature in self.features:
            places.append(slice(start, start + len(feature.bins)))
            start = places[-1].stop
        return places

    @property
    def bins_digest(self) -> str:
        """Equal for equal edges of score, confidence and latency: else counts do not compare."""
        return _digest(
            {"score": self.score, "confidence": self.confidence, "seconds": self.seconds}
        )

    @property
    def feature_bins_digest(self) -> str:
        """
        Equal for an equal table: a series says f00, so its name is part of what is compared.

        Apart from `bins_digest`, since a retrained version may well have other deciles.
        """
        return _digest([asdict(feature) for feature in self.features])

    def _feature_labels(self) -> Iterator[str]:
        # Opaque names: labels are billed by the byte, and may hold nothing of the callers'.
        for index, feature in enumerate(self.features):
            for name in feature.bins:
                yield f'feature="f{index:02d}",bin="{name}"'


def _bins_of(feature: Feature) -> Ranged | Listed:
    if feature.histogram.edges is not None:
        return Ranged(feature.name, _floats(feature.histogram.edges))
    return Listed(feature.name, tuple(feature.values or (False, True)))


def _floats(edges: Sequence[float]) -> tuple[float, ...]:
    return tuple(map(float, edges))


def _numbered(count: int) -> list[str]:
    return [f"{index:02d}" for index in range(count)]


def _labels(label: str, values: Sequence[str]) -> tuple[str, ...]:
    return tuple(f'{label}="{value}"' for value in values)


def _digest(content: Any) -> str:
    return hashlib.sha256(json.dumps(content).encode()).hexdigest()[:12]
