"""What serving keeps of the training rows: a histogram of each feature, and some records whole."""

import csv
import io
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import numpy as np
import numpy.typing as npt

BINS = 10
SIGNIFICANT_DIGITS = 4
BACKGROUND_ROWS = 20


def histograms(names: Sequence[str], rows: npt.NDArray[np.float64]) -> list[dict[str, Any]]:
    """
    Count each feature of rows (n, features) between its deciles.

    The outermost edges are the least and the greatest value. Raises ValueError for a feature that
    has too few values to tell its deciles apart.
    """
    return [_histogram(name, column) for name, column in zip(names, rows.T, strict=True)]


def _histogram(name: str, column: npt.NDArray[np.float64]) -> dict[str, Any]:
    low, *inner, high = np.quantile(column, np.linspace(0, 1, BINS + 1)).tolist()
    edges = [low, *(float(f"{edge:.{SIGNIFICANT_DIGITS}g}") for edge in inner), high]
    if any(one >= other for one, other in pairwise(edges)):
        raise ValueError(f"the deciles of {name} are {edges}, allowed are rising ones; set edges")
    counts = np.histogram(column, edges)[0].tolist()
    return {"edges": edges, "counts": counts, "low": 0, "high": 0, "missing": 0}


def background(
    names: Sequence[str], rows: npt.NDArray[np.float64], scores: npt.NDArray[np.float64]
) -> str:
    """Give rows from the lowest score to the highest, evenly spread, as CSV with a header."""
    places = np.linspace(0, len(rows) - 1, BACKGROUND_ROWS).round().astype(int)
    chosen = rows[np.argsort(scores, kind="stable")[places]]
    text = io.StringIO()
    csv.writer(text, lineterminator="\n").writerows([names, *chosen.tolist()])
    return text.getvalue()
