"""Compute how many instances a challenger needs, and whether the champion has room to be held."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Counts:
    """Instances by variant: those in service, and those asked for."""

    current: Mapping[str, int]
    desired: Mapping[str, int]

    @classmethod
    def from_description(cls, description: Mapping[str, Any]) -> "Counts":
        """Return what DescribeEndpoint's answer says; a variant that never served has none."""
        variants = description.get("ProductionVariants", ())
        return cls(
            {it["VariantName"]: it.get("CurrentInstanceCount", 0) for it in variants},
            {it["VariantName"]: it.get("DesiredInstanceCount", 0) for it in variants},
        )


def needed(instances: Mapping[str, int], champion: str, challenger: str, live: int) -> int:
    """
    Return how many instances the challenger must have before it takes the champion's traffic.

    `instances` are the counts of the endpoint file, `live` is how many the champion has now: where
    it has grown by load, the challenger grows in the file's proportion, and never below its own
    count.
    """
    own, per_champion = instances[challenger], instances[champion]
    # In integers: a quotient of floats may lie just above a whole number.
    return max(own, -(-live * own // per_champion))


def above_maximum(challenger: str, count: int, maximum: int | None) -> list[str]:
    """Return the sentence for a challenger that may not have that many; None is no limit."""
    if maximum is None or count <= maximum:
        return []
    return [
        f"{challenger} needs {count} instances to carry all traffic, its scaling allows {maximum}: "
        f"raise its maximum in the endpoint file to {count} or more"
    ]


def without_headroom(
    champion: str, highest: float, target: float | None, headroom: float
) -> list[str]:
    """
    Return the sentence for a champion that may not be held at its present count.

    `highest` is the most requests that one instance had in a minute, `target` what its scaling aims
    at (None: it does not scale by requests), `headroom` the share of it that must be free.
    """
    if target is None:
        return []
    allowed = (1 - headroom) * target
    if highest <= allowed:
        return []
    return [
        f"{champion} had {highest:g} requests a minute per instance in the last hour, at most "
        f"{allowed:g} leave {headroom:.0%} of its scaling's {target:g} free: give it more "
        f"instances, start when traffic is lower, or set rollout.champion_scale_out to allow"
    ]
