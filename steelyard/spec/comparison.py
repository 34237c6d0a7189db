"""Versions held against each other: whether the judge could compare and ever convict them."""

from collections.abc import Iterator, Mapping

from steelyard.spec.document import Document
from steelyard.spec.endpoint import HeldOut
from steelyard.spec.manifest import Manifest, total_variation
from steelyard.spec.parse import given, usable
from steelyard.spec.quantities import percent
from steelyard.spec.relations import section
from steelyard.spec.rollout import Tolerance
from steelyard.spec.task import METRICS


def task_differences(champion: str, manifests: Mapping[str, Manifest]) -> list[str]:
    """Return a sentence for each version that answers something else than the champion."""
    return [
        f"{version}/manifest.json: {name}: given {given(found)}, allowed is what {champion} has, "
        f"{given(wanted)}, since the judge compares their answers: give it an endpoint of its own"
        for version, manifest in manifests.items()
        for name, found, wanted in (
            ("task", manifest.task, manifests[champion].task),
            ("labels", manifest.classes, manifests[champion].classes),
        )
        if found != wanted
    ]


def metric_problems(document: Document, task: str) -> Iterator[str]:
    """Yield a sentence if the file's metric cannot measure such a model."""
    metric = usable(HeldOut, section(document.content, "held_out"), "metric")
    if metric is not None and metric not in METRICS[task]:
        yield (
            f"{document.at('held_out', 'metric')}: given {metric}, allowed is "
            f"{', '.join(METRICS[task])} for a {task} model: write one of these"
        )


def edge_problems(champion: str, manifests: Mapping[str, Manifest]) -> list[str]:
    """Return a sentence for each list of bin edges that is not the champion's."""
    return [
        f"{version}/manifest.json: {name}: given {edges}, allowed are the edges of {champion}, "
        f"{manifests[champion].edges[name]}, since the judge compares bin by bin: score the "
        f"held-out rows of {version} again with these"
        for version, manifest in manifests.items()
        for name, edges in manifest.edges.items()
        if edges != manifests[champion].edges[name]
    ]


def difference(one: Manifest, other: Manifest) -> dict[str, float]:
    """Return the total variation between two versions on the held-out rows, from 0 to 1."""
    pairs = {
        "score": (one.scores.score, other.scores.score),
        "confidence": (one.scores.confidence, other.scores.confidence),
    }
    return {
        # Regression has no confidence, and so no difference in it.
        name: 0.0 if a is None or b is None else round(total_variation(a, b), 6)
        for name, (a, b) in pairs.items()
    }


def tolerance_problems(
    document: Document, champion: str, manifests: Mapping[str, Manifest]
) -> Iterator[str]:
    """
    Yield a sentence for each version whose predictions the judge could never find too different.

    Two histograms differ by at most 1, and the judge allows the expected difference and the
    tolerance together.
    """
    tolerance = section(section(document.content, "rollout"), "tolerance")
    allowed = usable(Tolerance, {} if tolerance is None else tolerance, "predictions")
    for version, manifest in manifests.items():
        found = difference(manifests[champion], manifest)
        if allowed is None or version == champion or max(found.values()) + allowed < 1:
            continue
        name = max(found, key=lambda name: found[name])
        room = 1 - found[name]
        cure = f"write less than {percent(room)}" if room > 0 else "leave this version out"
        yield (
            f"{document.at('rollout', 'tolerance', 'predictions')}: given {percent(allowed)}, "
            f"allowed is less than {percent(room)}, since {version} differs from {champion} by "
            f"{percent(found[name])} in {name} on the held-out rows and nothing differs by more "
            f"than 100%, so the judge could never abort: {cure}"
        )
