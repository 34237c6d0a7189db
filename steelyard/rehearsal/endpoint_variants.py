"""
The production variants of an endpoint: weights and counts, as they are and as they were asked for.

The marks in brackets are explained in `endpoint_model`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from steelyard.rehearsal.endpoint_request import check_config, check_shadows, invalid


@dataclass(frozen=True)
class Variant:
    """Weight and instance count of one variant, as they are and as they were asked for."""

    name: str
    current_weight: float
    desired_weight: float
    current_count: int
    desired_count: int


def settled(variants: Iterable[Variant]) -> tuple[Variant, ...]:
    """Return the variants with everything that was asked for done."""
    return tuple(
        replace(variant, current_weight=variant.desired_weight, current_count=variant.desired_count)
        for variant in variants
    )


def with_traffic(variants: Iterable[Variant]) -> tuple[Variant, ...]:
    """Return the variants, of which one must have a desired weight; raises Refused."""
    wanted = tuple(variants)
    if not any(variant.desired_weight > 0 for variant in wanted):
        # [house] what an endpoint does when all weights are 0 is not documented.
        raise invalid("All weights are 0: keep at least one above 0.")
    return wanted


def initial(variants: Sequence[Mapping[str, Any]]) -> tuple[Variant, ...]:
    """Return the variants of an endpoint config, without instances yet [share]; raises Refused."""
    unset = {"InitialVariantWeight": 1.0, "InitialInstanceCount": None}
    entries = [{**unset, **entry} for entry in variants]
    check_config(entries)
    weights = [float(entry["InitialVariantWeight"]) for entry in entries]
    return tuple(
        Variant(entry["VariantName"], weight, weight, 0, entry["InitialInstanceCount"])
        for entry, weight in zip(entries, weights, strict=True)
    )


def shadowed(
    variants: Sequence[Mapping[str, Any]], shadows: Sequence[Mapping[str, Any]]
) -> tuple[Variant, ...]:
    """Return the shadow variants of a config with these production variants; raises Refused."""
    check_shadows(variants, shadows)
    return initial(shadows) if shadows else ()


def retained(new: Variant, live: Variant | None, kept: Collection[str]) -> Variant:
    """Return a new variant with the kept properties of the live one of its name [retain]."""
    if live is None:
        return new
    weight = (live if "DesiredWeight" in kept else new).desired_weight
    count = (live if "DesiredInstanceCount" in kept else new).desired_count
    return replace(new, desired_weight=weight, desired_count=count)


def asked_for(variant: Variant, request: Mapping[str, Any]) -> Variant:
    """Return a variant of which a request asks something; what it leaves out stays."""
    return replace(
        variant,
        desired_weight=float(request.get("DesiredWeight", variant.desired_weight)),
        desired_count=request.get("DesiredInstanceCount", variant.desired_count),
    )


def summary(variant: Variant) -> dict[str, Any]:
    """Return a variant as DescribeEndpoint says it."""
    return {
        "VariantName": variant.name,
        "CurrentWeight": variant.current_weight,
        "DesiredWeight": variant.desired_weight,
        "CurrentInstanceCount": variant.current_count,
        "DesiredInstanceCount": variant.desired_count,
    }
