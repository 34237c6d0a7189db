"""
Turn what was answered and predicted into counts, many at once.

All comparisons are of 64-bit floats, so a value that equals an edge is in the bin above it.
"""

import math
from collections import Counter
from collections.abc import Iterable, Sequence

import numpy as np
from numpy.typing import NDArray

from inference.contract.refusal import REASONS, Reason
from inference.contract.schema import Value
from inference.counting.layout import (
    CONFIDENCE,
    DURATION,
    OUTCOMES,
    OVER_SLO,
    REJECTIONS,
    REQUESTS,
    SCORE,
    Layout,
    Listed,
    Outcome,
    Ranged,
)

Counts = NDArray[np.int64]


class Tally:
    """
    The counts of one worker that are not in its slot of the registry yet.

    slo_seconds: the time to answer that is promised; without one, the last latency edge.
    """

    def __init__(self, layout: Layout, slo_seconds: float | None) -> None:
        self._counts = np.zeros(layout.size, np.int64)
        self._requests = self._counts[layout.place(REQUESTS)]
        self._durations = self._counts[layout.place(DURATION)]
        self._over_slo = self._counts[layout.place(OVER_SLO)]
        self._scores = self._counts[layout.place(SCORE)]
        self._confidences = self._counts[layout.place(CONFIDENCE)]
        self._rejections = self._counts[layout.place(REJECTIONS)]
        self._features = _Features(layout, self._counts)
        self._seconds = np.array(layout.seconds)
        self._slo_seconds = layout.seconds[-1] if slo_seconds is None else slo_seconds
        self._score = Edges([layout.score])
        self._confidence = Edges([layout.confidence]) if layout.confidence is not None else None

    def answered(self, outcome: Outcome, seconds: Sequence[float]) -> None:
        """Count requests of one outcome, with the seconds that each took."""
        taken = np.array(seconds)
        self._requests[OUTCOMES.index(outcome)] += len(taken)
        bins = self._seconds.searchsorted(taken, "right")
        self._durations += np.bincount(bins, minlength=len(self._durations))
        self._over_slo += np.count_nonzero(taken > self._slo_seconds)

    def predicted(
        self,
        rows: Sequence[Sequence[Value]],
        scores: Sequence[float],
        confidences: Sequence[float | None],
    ) -> None:
        """Count predictions: rows of values in table order, and one score and confidence a row."""
        self._scores += _probabilities(self._score, scores)
        if self._confidence is not None:
            self._confidences += _probabilities(self._confidence, confidences)
        self._features.count(rows)

    def rejected(self, reasons: Iterable[Reason]) -> None:
        """Count one refused request under each of the reasons once."""
        for reason in set(reasons):
            self._rejections[REASONS.index(reason)] += 1

    def take(self) -> Counts:
        """Return the counts, and begin again at zero."""
        counts = self._counts.copy()
        self._counts.fill(0)
        return counts


class Edges:
    """Bin edges of columns, equally many each (fewer than 127)."""

    def __init__(self, columns: Sequence[Sequence[float]]) -> None:
        # The last bin holds its upper edge: the next float is the first one above it.
        closed = [(*edges[:-1], math.nextafter(edges[-1], math.inf)) for edges in columns]
        self._edges = [np.array(edges)[:, None] for edges in zip(*closed, strict=True)]
        self._width = len(self._edges) + 2
        self._first = np.arange(len(columns))[:, None] * self._width

    def count(self, values: NDArray[np.float64]) -> Counts:
        """Count values (columns, rows) as (columns, bins): low, each bin, high, missing (NaN)."""
        values = np.ascontiguousarray(values)
        bins = np.zeros(values.shape, np.int8)
        # Half the time of a binary search a value, whose branches no processor can foresee.
        for edges in self._edges:
            bins += values >= edges
        bins[np.isnan(values)] = self._width - 1
        counts = np.bincount((bins + self._first).ravel(), minlength=self._width * len(values))
        return counts.reshape(-1, self._width)


class _Features:
    """Counts the values of records in their bins; adds to `counts`, a block of the layout."""

    def __init__(self, layout: Layout, counts: Counts) -> None:
        table = list(enumerate(zip(layout.features, layout.feature_places(), strict=True)))
        ranged = [(index, one, place) for index, (one, place) in table if isinstance(one, Ranged)]
        self._counts = counts
        self._ranged = [index for index, _, _ in ranged]
        cells = [cell for *_, place in ranged for cell in range(place.start, place.stop)]
        self._cells = np.array(cells, np.intp)
        self._edges = Edges([feature.edges for _, feature, _ in ranged])
        self._listed = [
            (index, (*feature.values, None), counts[place])
            for index, (feature, place) in table
            if isinstance(feature, Listed)
        ]

    def count(self, rows: Sequence[Sequence[Value]]) -> None:
        """Count the values of records, each in table order; None is missing."""
        if not self._listed:
            self._count_ranged(np.array(rows, np.float64).T)
            return
        columns = list(zip(*rows, strict=True))
        self._count_ranged(np.array([columns[index] for index in self._ranged], np.float64))
        for index, values, counts in self._listed:
            seen = Counter(columns[index])
            counts += [seen[value] for value in values]

    def _count_ranged(self, numbers: NDArray[np.float64]) -> None:
        self._counts[self._cells] += self._edges.count(numbers).ravel()


def _probabilities(edges: Edges, values: Sequence[float | None]) -> Counts:
    """Count in the bins between the edges, and what lies in none of them last."""
    low, *inside, high, missing = edges.count(np.array([values], np.float64))[0]
    return np.array([*inside, low + high + missing])
