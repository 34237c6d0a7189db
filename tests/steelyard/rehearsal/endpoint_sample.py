"""An endpoint to try the life cycle on, and words to ask it with."""

from typing import Any

import pytest

from steelyard.rehearsal.endpoint_model import Durations, EndpointModel
from steelyard.rehearsal.endpoint_request import Refused

TOOK = Durations(
    create_seconds=300,
    weights_seconds=10,
    capacity_seconds=240,
    update_seconds=480,
    roll_back_seconds=120,
    delete_seconds=30,
)
LIVE = 1000.0
"""A time at which the endpoint of `endpoint()` is in service."""


def config(**weights: float | None) -> list[dict[str, Any]]:
    """Variants of an endpoint config with two instances each; None leaves the weight out."""
    return [
        {"VariantName": name, "InitialInstanceCount": 2}
        | ({} if weight is None else {"InitialVariantWeight": weight})
        for name, weight in weights.items()
    ]


def endpoint(**weights: float | None) -> EndpointModel:
    variants = config(**(weights or {"v1": 1, "v2": 0}))
    return EndpointModel.create("e", "config-1", variants, 0, durations=TOOK)


def want(name: str, weight: float | None = None, count: int | None = None) -> dict[str, Any]:
    fields = {"DesiredWeight": weight, "DesiredInstanceCount": count}
    return {"VariantName": name} | {key: v for key, v in fields.items() if v is not None}


def column(model: EndpointModel, field: str, at: float) -> dict[str, Any]:
    variants = model.describe(at)["ProductionVariants"]
    return {variant["VariantName"]: variant[field] for variant in variants}


def statuses(model: EndpointModel, *times: float) -> list[str]:
    return [model.status(at) for at in times]


def refused(code: str, message: str) -> Any:
    return pytest.raises(Refused, match=f"^{code}: {message}")
