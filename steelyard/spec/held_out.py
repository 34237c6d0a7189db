"""Versions measured on the held-out rows as they are served: no preparation, no excuse."""

import math
from collections.abc import Sequence

from steelyard.spec.folder import Endpoint, SpecError
from steelyard.spec.version import TRAIN


def is_worse(endpoint: Endpoint) -> bool:
    """Say whether the challenger is worse than the champion by more than the file's margin."""
    held_out = endpoint.file.held_out
    champion = measure(endpoint, endpoint.champion.version)
    challenger = measure(endpoint, endpoint.challenger.version)
    gain = challenger - champion if held_out.metric == "accuracy" else champion - challenger
    return gain < -held_out.margin


def measure(endpoint: Endpoint, version: str) -> float:
    """
    Return a version's metric on the held-out rows, as the file names it.

    Raises SpecError when the version fails on them, or answers what is no probability.
    """
    labels = [label for _, label in endpoint.rows]
    scores = score(endpoint, version, [record for record, _ in endpoint.rows])
    if endpoint.file.held_out.metric == "accuracy":
        hits = sum((s >= 0.5) == bool(label) for s, label in zip(scores, labels, strict=True))
        return hits / len(labels)
    return log_loss(scores, labels)


def score(endpoint: Endpoint, version: str, records: Sequence[dict[str, float]]) -> list[float]:
    """
    Return the probability of the positive class for each record.

    Raises SpecError when the model fails on them, or answers what is no probability.
    """
    import numpy as np
    import onnxruntime  # both cost a tenth of a second, which most uses of this package need not

    manifest = endpoint.manifests[version]
    path = endpoint.folder / version / manifest.model.file
    session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
    names = [feature.name for feature in manifest.features]
    tensor = np.array([[record[name] for name in names] for record in records], np.float32)
    try:
        (answer,) = session.run([manifest.model.output], {manifest.model.input: tensor})
    except Exception as error:  # a model may raise anything
        raise _unusable(endpoint, version, f"fails on the held-out rows ({error})") from None
    scores = [float(row[-1]) for row in answer]
    odd = [score for score in scores if not 0 <= score <= 1]
    if odd:
        said = f"gives {odd[0]} and the like for {len(odd)} of {len(scores)} held-out rows"
        raise _unusable(endpoint, version, f"{said}, allowed is a probability from 0 to 1")
    return scores


def _unusable(endpoint: Endpoint, version: str, what: str) -> SpecError:
    name = f"{version}/{endpoint.manifests[version].model.file}"
    return SpecError(endpoint.folder, [f"{name}: {what}: {TRAIN}"])


def log_loss(scores: Sequence[float], labels: Sequence[int]) -> float:
    """Return the mean negative log-likelihood in nats; scores are kept 1e-15 away from 0 and 1."""
    kept = [min(max(score, 1e-15), 1 - 1e-15) for score in scores]
    losses = [
        -math.log(score if label else 1 - score) for score, label in zip(kept, labels, strict=True)
    ]
    return sum(losses) / len(losses)
