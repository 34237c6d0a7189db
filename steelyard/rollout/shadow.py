"""What a shadow run is: one step without a client's traffic, and the pass that it earns."""

from collections.abc import Mapping
from typing import Any

from steelyard.rollout.live import live_weights, serves_alone

WEIGHT = 50
"""
The weight that the judge reckons with in a shadow run's one step; nobody asks for it.

Every request is copied, so both variants answer as many: as they would at this weight.
"""
STEP = 0
"""The only step of a shadow run's plan that is played; nothing serves, so nothing soaks."""


def evidence(champion: str, challenger: str, policy: str) -> str:
    """
    Return what the lock keeps of a shadow run that passed; `policy` is the digest of its policy.

    A pass under another policy, which may tolerate more, is another pass.
    """
    return f"{challenger} over {champion} by {policy}"


def hindrances(description: Mapping[str, Any], champion: str, shadow: str) -> list[str]:
    """Return, from DescribeEndpoint's answer, a sentence for each thing that is no shadow run's."""
    found = []
    if not serves_alone(live_weights(description), champion):
        found.append(f"the champion {champion} does not serve alone")
    variants = description.get("ShadowProductionVariants", ())
    names = [variant["VariantName"] for variant in variants]
    if names != [shadow]:
        found.append(f"its shadow variant is {', '.join(names) or 'none'}, not {shadow}")
    return found


def is_answering(description: Mapping[str, Any], shadow: str) -> bool:
    """Say whether the endpoint is in service and every instance of its shadow variant is there."""
    return description["EndpointStatus"] == "InService" and any(
        variant["VariantName"] == shadow
        and variant["CurrentInstanceCount"] == variant["DesiredInstanceCount"] > 0
        for variant in description.get("ShadowProductionVariants", ())
    )
