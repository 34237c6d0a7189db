"""
Count what the container answered, as plain counters in Prometheus text format 0.0.4.

Bins are disjoint counters with a `bin` label, never the histogram type: CloudWatch re-estimates the
buckets of those when it takes them in (CloudWatch user guide, OpenTelemetry histograms). Every
series exists at zero from the start, since a first value that is not zero is lost to `increase`.

A request only appends to lists; `flush` counts many at once. One event loop calls all of it.
"""

from collections.abc import Iterable, Iterator

import numpy as np

from inference.contract.refusal import Reason
from inference.contract.schema import Record
from inference.counting.layout import OUTCOMES, SCRAPES, Layout, Outcome
from inference.counting.registry import Registry
from inference.counting.tally import Tally

CHUNK = 512
"""Predictions, or requests of one outcome, counted at once."""
CHUNK_VALUES = 16384
"""Values of features counted at once: half a millisecond of work, so no answer waits for long."""


class Metrics:
    """
    The counters of one worker, in its slot of the registry, and the text of all workers' counters.

    slo_seconds: the time to answer that is promised; without one, the last latency edge.
    Raises ValueError when the registry was made for another layout.
    """

    def __init__(
        self,
        layout: Layout,
        registry: Registry,
        slot: int,
        model_version: str,
        slo_seconds: float | None = None,
    ) -> None:
        if registry.size != layout.size:
            raise ValueError(
                f"the registry has {registry.size} counters a worker, this model {layout.size}; "
                "make it from the layout of the same manifest"
            )
        registry.claim(slot)
        self._registry = registry
        self._shared = np.frombuffer(registry.counters, np.int64).reshape(registry.slots, -1)
        self._mine = self._shared[slot]
        self._tally = Tally(layout, slo_seconds)
        self._scrapes = layout.place(SCRAPES)
        self._text = _template(layout, registry.started, model_version)
        self._seconds: dict[Outcome, list[float]] = {outcome: [] for outcome in OUTCOMES}
        self._chunk = min(CHUNK, CHUNK_VALUES // len(layout.features))
        self._predictions: list[tuple[Record, float, float | None]] = []

    @property
    def started(self) -> float:
        """When the first worker began, in epoch seconds."""
        return self._registry.started

    def answered(self, outcome: Outcome, seconds: float) -> None:
        """Count one answered request with the seconds it took; call it after its predictions."""
        pending = self._seconds[outcome]
        pending.append(seconds)
        if len(pending) >= CHUNK:
            self.flush()

    def predicted(self, record: Record, score: float, confidence: float | None) -> None:
        """
        Count one prediction: the record, in the order of the table, and the binned score.

        `record` is kept until the next flush and must not be changed.
        """
        self._predictions.append((record, score, confidence))
        if len(self._predictions) >= self._chunk:
            self._count_predictions()

    def rejected(self, reasons: Iterable[Reason]) -> None:
        """Count one refused request under each of its reasons once."""
        self._tally.rejected(reasons)

    def flush(self) -> None:
        """
        Add everything pending to the shared counters; call it some times a second.

        Requests and predictions are added together, so that a worker's sums agree but for the
        requests in progress.
        """
        self._count_predictions()
        for outcome, seconds in self._seconds.items():
            if seconds:
                self._tally.answered(outcome, seconds)
                seconds.clear()
        self._mine += self._tally.take()

    def render(self) -> str:
        """
        Give the exposition text; each call counts as a scrape, from the next one on.

        What is pending in other workers shows once they flush.
        """
        self.flush()
        counts = self._shared.sum(axis=0).tolist()
        self._mine[self._scrapes] += 1
        return self._text % (*counts, self._registry.resident_bytes())

    def _count_predictions(self) -> None:
        # Only into the tally: the request they belong to is not answered yet.
        if self._predictions:
            records, scores, confidences = zip(*self._predictions, strict=True)
            rows = [list(record.values()) for record in records]
            self._tally.predicted(rows, scores, confidences)
            self._predictions.clear()


def _template(layout: Layout, started: float, model_version: str) -> str:
    """Write the exposition with %d for each counter in the layout's order, then for the memory."""
    build = (
        f'model_version="{model_version}",bins="{layout.bins_digest}",'
        f'feature_bins="{layout.feature_bins_digest}"'
    )
    lines = [
        *_counter_lines(layout),
        "# TYPE steelyard_build_info gauge",
        f"steelyard_build_info{{{build}}} 1",
        "# TYPE process_start_time_seconds gauge",
        f"process_start_time_seconds {started:.3f}",
        "# TYPE process_resident_memory_bytes gauge",
        "process_resident_memory_bytes %d",
    ]
    return "\n".join(lines) + "\n"


def _counter_lines(layout: Layout) -> Iterator[str]:
    for family in layout.families:
        yield f"# TYPE {family.name} counter"
        for labels in family.labels:
            yield f"{family.name}{{{labels}}} %d" if labels else f"{family.name} %d"
