"""
Count what the container answered, as plain counters in Prometheus text format 0.0.4.

Bins are disjoint counters with a `bin` label, never the histogram type: CloudWatch re-estimates the
buckets of those when it takes them in (CloudWatch user guide, OpenTelemetry histograms). Every
series exists at zero from the start, since a first value that is not zero is lost to `increase`.
"""

import hashlib
import json
import math
import time
from bisect import bisect_right
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Literal

Outcome = Literal["ok", "client_error", "model_error"]
OUTCOMES: tuple[Outcome, ...] = ("ok", "client_error", "model_error")
NOT_A_PROBABILITY = "nan"


@dataclass(frozen=True)
class Edges:
    """Bin edges that ship with the model: 11 of score, 11 of confidence, 11 inner of seconds."""

    score: Sequence[float]
    confidence: Sequence[float]
    seconds: Sequence[float]

    @property
    def digest(self) -> str:
        """Equal for equal edges: histograms of different digests must not be compared."""
        return hashlib.sha256(json.dumps(asdict(self)).encode()).hexdigest()[:12]


class Metrics:
    """All counters of one process; one event loop writes them, so nothing is locked."""

    def __init__(self, edges: Edges, model_version: str) -> None:
        self._edges = edges
        self._build = f'model_version="{model_version}",bins="{edges.digest}"'
        self._started = time.time()
        self._scrapes = 0
        self._requests: dict[str, int] = dict.fromkeys(OUTCOMES, 0)
        self._durations = dict.fromkeys(_bins(len(edges.seconds) + 1), 0)
        self._scores = dict.fromkeys((*_bins(len(edges.score) - 1), NOT_A_PROBABILITY), 0)
        self._confidences = dict.fromkeys((*_bins(len(edges.confidence) - 1), NOT_A_PROBABILITY), 0)

    def answered(self, outcome: Outcome, seconds: float) -> None:
        """Count one answered request of any outcome, with the seconds it took in here."""
        self._requests[outcome] += 1
        self._durations[f"{bisect_right(self._edges.seconds, seconds):02d}"] += 1

    def predicted(self, score: float, confidence: float) -> None:
        """Count one prediction; a value outside its edges counts as bin `nan`."""
        self._scores[bin_of(self._edges.score, score)] += 1
        self._confidences[bin_of(self._edges.confidence, confidence)] += 1

    def render(self) -> str:
        """Give the exposition text; each call counts as a scrape, from the next one on."""
        text = "\n".join(self._lines()) + "\n"
        self._scrapes += 1
        return text

    def _lines(self) -> Iterator[str]:
        yield from _family("steelyard_requests_total", "outcome", self._requests)
        yield from _family("steelyard_request_duration_bin_total", "bin", self._durations)
        yield from _family("steelyard_score_bin_total", "bin", self._scores)
        yield from _family("steelyard_confidence_bin_total", "bin", self._confidences)
        yield "# TYPE steelyard_build_info gauge"
        yield f"steelyard_build_info{{{self._build}}} 1"
        yield "# TYPE steelyard_scrapes_total counter"
        yield f"steelyard_scrapes_total {self._scrapes}"
        yield "# TYPE process_start_time_seconds gauge"
        yield f"process_start_time_seconds {self._started:.3f}"


def bin_of(edges: Sequence[float], value: float) -> str:
    """
    Name the bin of a value: bin i covers [edge i, edge i+1), and the last one its upper edge too.

    A value that is not finite, or lies outside the edges, belongs to the bin `nan`.
    """
    if not (math.isfinite(value) and edges[0] <= value <= edges[-1]):
        return NOT_A_PROBABILITY
    return f"{min(bisect_right(edges, value), len(edges) - 1) - 1:02d}"


def _bins(count: int) -> list[str]:
    return [f"{index:02d}" for index in range(count)]


def _family(name: str, label: str, counts: Mapping[str, int]) -> Iterator[str]:
    yield f"# TYPE {name} counter"
    for value, count in counts.items():
        yield f'{name}{{{label}="{value}"}} {count}'
