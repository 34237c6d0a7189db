"""What a manifest's task asks of its labels, its score bins, the model's output and the metric."""

from collections.abc import Iterator

from steelyard.spec.feature import Value, finite, written
from steelyard.spec.manifest import Histogram, Manifest
from steelyard.spec.parse import given

# How a version may be measured on the held-out rows.
METRICS = {
    "binary": ("accuracy", "log_loss"),
    "multiclass": ("accuracy", "log_loss"),
    "regression": ("mean_absolute_error",),
}
_MOST_LISTED = 10


def task_problems(manifest: Manifest, name: str) -> Iterator[str]:
    """Yield a sentence for each field that does not fit the task; `name` is the file's."""
    labels = list(_label_problems(manifest))
    yield from (f"{name}: labels: {problem}" for problem in labels)
    if not labels:  # how wide the bins must be follows from the labels
        yield from (f"{name}: scores.{problem}" for problem in _score_problems(manifest))


def output_widths(manifest: Manifest) -> list[list[int]]:
    """Return the shapes that the model's output may have, without that of the batch."""
    if manifest.task == "regression":
        return [[1], []]
    return [[2 if manifest.task == "binary" else len(manifest.classes)]]


def read_label(manifest: Manifest, cell: str) -> Value:
    """
    Return the true answer that a cell of the held-out rows stands for.

    Raises ValueError, whose text says what is allowed instead.
    """
    if manifest.task == "regression":
        if (number := finite(cell)) is None:
            raise ValueError("a finite number")
        return number
    known = {written(label): label for label in manifest.classes}
    if cell not in known:
        listed = list(known)[:_MOST_LISTED]
        more = f" and {len(known) - len(listed)} more" if len(known) > len(listed) else ""
        raise ValueError(" or ".join(listed) + more)
    return known[cell]


def _label_problems(manifest: Manifest) -> Iterator[str]:
    labels, task = manifest.labels, manifest.task
    cure = "correct it, and train anew"
    if task == "multiclass" and labels is None:
        yield f"is missing, allowed is a list of 2 to 1000 labels for a multiclass model: {cure}"
    if task == "binary" and labels is not None and len(labels) != 2:
        yield f"given {len(labels)} labels, allowed is 2 for a binary model: {cure}"
    if task == "regression" and labels is not None:
        yield f"given {given(labels)}, allowed is none for a regression model: {cure}"


def _score_problems(manifest: Manifest) -> Iterator[str]:
    score, confidence = manifest.scores.score, manifest.scores.confidence
    task, count = manifest.task, len(manifest.classes)
    if task == "regression":
        if confidence is not None:
            yield "confidence: given a histogram, allowed is null for a regression model: write it"
        return
    yield from _narrow("score", score, 0, 1 if task == "binary" else count - 1)
    if confidence is None:
        yield f"confidence: is empty, allowed is a histogram for a {task} model: score anew"
    else:
        yield from _narrow("confidence", confidence, 1 / count, 1)


def _narrow(name: str, histogram: Histogram, least: float, most: float) -> Iterator[str]:
    """Yield a sentence if a prediction from `least` to `most` would be in no bin."""
    first, last = histogram.edges[0], histogram.edges[-1]
    if first > least or last < most:
        yield (
            f"{name}: given edges from {first:g} to {last:g}, allowed is from {least:g} to "
            f"{most:g}, so that every prediction falls into a bin: widen them, and score anew"
        )
