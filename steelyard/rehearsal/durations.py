"""What a container's answers took by the seeded latency model, told as its own counters would."""

import json
from bisect import bisect_right
from collections.abc import Mapping, Sequence
from pathlib import Path

BINS = "steelyard_request_duration_bin_total"
OVER_SLO = "steelyard_request_over_slo_total"


class Durations:
    """
    One container's counters of time, by the edges of its manifest and the limit of its settings.

    They stand in for the container's own, which hold how busy this machine is. `edges` are the
    inner ones, in seconds: a time that equals one is in the bin above it. What took longer than
    `slo_seconds` counts as slow.
    """

    def __init__(self, edges: Sequence[float], slo_seconds: float) -> None:
        self._edges = edges
        self._slo_seconds = slo_seconds
        self._bins = [0] * (len(edges) + 1)
        self._slow = 0

    @classmethod
    def of(cls, model: Path, environment: Mapping[str, str]) -> "Durations":
        """Begin at zero, for the model in a folder and a container's environment."""
        manifest = json.loads((model / "manifest.json").read_text("utf-8"))
        edges: list[float] = manifest["latency"]["edges_seconds"]
        return cls(edges, float(environment.get("STEELYARD_SLO_SECONDS") or edges[-1]))

    def note(self, seconds: float) -> None:
        """Count one request that the container answered."""
        self._bins[bisect_right(self._edges, seconds)] += 1
        self._slow += seconds > self._slo_seconds

    def told(self, name: str, labels: Mapping[str, str], own: float) -> float:
        """Return what a counter of the container tells: `own` unless it counts time."""
        if name == BINS:
            return float(self._bins[int(labels["bin"])])
        return float(self._slow) if name == OVER_SLO else own
