"""Versions measured on the held-out rows as they are served: no preparation, no excuse."""

import math
from collections.abc import Sequence
from typing import Any

from steelyard.spec.feature_code import row_maker
from steelyard.spec.folder import Endpoint, SpecError
from steelyard.spec.rows import Record
from steelyard.spec.version import TRAIN

# The container rounds alike: digits beyond depend on how many rows are scored together.
DIGITS = 6


def is_worse(endpoint: Endpoint) -> bool:
    """Say whether the challenger is worse than the champion by more than the file's margin."""
    held_out = endpoint.file.held_out
    champion = measure(endpoint, endpoint.champion.version)
    challenger = measure(endpoint, endpoint.challenger.version)
    if held_out.metric == "mean_absolute_error":  # in the label's unit, so its margin is a share
        return challenger > champion * (1 + held_out.margin)
    gain = challenger - champion if held_out.metric == "accuracy" else champion - challenger
    return gain < -held_out.margin


def measure(endpoint: Endpoint, version: str) -> float:
    """
    Return a version's metric on the held-out rows, as the file names it.

    Raises SpecError when the version fails on them, or answers what its task does not allow.
    """
    metric = endpoint.file.held_out.metric
    truths: list[Any] = [truth for _, truth in endpoint.rows]
    found = answers(endpoint, version, [record for record, _ in endpoint.rows])
    if metric == "mean_absolute_error":
        pairs = zip(found, truths, strict=True)
        return math.fsum(abs(answer[0] - truth) for answer, truth in pairs) / len(found)
    classes = endpoint.manifests[version].classes
    places = [classes.index(truth) for truth in truths]
    if metric == "accuracy":
        return sum(map(_is_hit, found, places)) / len(found)
    return log_loss([answer[place] for answer, place in zip(found, places, strict=True)])


def answers(endpoint: Endpoint, version: str, records: Sequence[Record]) -> list[list[float]]:
    """
    Return what the model answers to each record: a probability to each class, or one value.

    Raises SpecError when the version fails on them, or answers what its task does not allow.
    """
    try:
        found = _run(endpoint, version, records)
    except Exception as error:  # a model, and a version's own code, may raise anything
        raise _unusable(endpoint, version, f"fails on the held-out rows ({error})") from None
    task = endpoint.manifests[version].task
    sound = [[_is_allowed(task, value) for value in row] for row in found]
    odd = [row[it.index(False)] for row, it in zip(found, sound, strict=True) if not all(it)]
    if odd:
        said = f"gives {odd[0]} and the like for {len(odd)} of {len(found)} held-out rows"
        allowed = "a finite number" if task == "regression" else "a probability from 0 to 1"
        raise _unusable(endpoint, version, f"{said}, allowed is {allowed}")
    return found


def _run(endpoint: Endpoint, version: str, records: Sequence[Record]) -> list[list[float]]:
    import numpy as np
    import onnxruntime  # both cost a tenth of a second, which most uses of this package need not

    home, manifest = endpoint.folder / version, endpoint.manifests[version]
    row, model = row_maker(home, manifest), manifest.model
    session = onnxruntime.InferenceSession(home / model.file, providers=["CPUExecutionProvider"])
    tensor = np.array([row(record) for record in records], np.float32)
    (answer,) = session.run([model.output], {model.input: tensor})
    found: list[list[float]] = answer.reshape(len(records), -1).tolist()
    return found


def _is_allowed(task: str, value: float) -> bool:
    # Rounded as the container rounds, since probabilities may sum to a little more than 1.
    return math.isfinite(value) and (task == "regression" or 0 <= round(value, DIGITS) <= 1)


def _is_hit(answer: Sequence[float], place: int) -> bool:
    """Say whether the label given, as the container gives it, is the one at this place."""
    if len(answer) == 2:
        return (round(answer[1], DIGITS) >= 0.5) == bool(place)
    return answer.index(max(answer)) == place


def _unusable(endpoint: Endpoint, version: str, what: str) -> SpecError:
    name = f"{version}/{endpoint.manifests[version].model.file}"
    return SpecError(endpoint.folder, [f"{name}: {what}: {TRAIN}"])


def log_loss(likely: Sequence[float]) -> float:
    """Return the mean negative logarithm, in nats, of what the true labels were given."""
    kept = [min(max(chance, 1e-15), 1.0) for chance in likely]
    return -math.fsum(map(math.log, kept)) / len(kept)
