"""Application Auto Scaling: the scalable targets of an endpoint's variants."""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from lambdas.aws.clients import client

# SageMaker's only scalable dimension, and what the policy on requests per instance watches:
# https://docs.aws.amazon.com/sagemaker/latest/dg/endpoint-auto-scaling-prerequisites.html
_VARIANT: dict[str, Any] = {
    "ServiceNamespace": "sagemaker",
    "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
}
_PER_INSTANCE = "SageMakerVariantInvocationsPerInstance"
_IN, _OUT, _SCHEDULED = (
    "DynamicScalingInSuspended",
    "DynamicScalingOutSuspended",
    "ScheduledScalingSuspended",
)
WHOLE = frozenset({_IN, _OUT, _SCHEDULED})
"""Everything that scales a variant."""
SCALE_IN = frozenset({_IN})
"""What takes instances away by load; a schedule may still do so."""


@dataclass(frozen=True)
class Target:
    """How far a variant scales, in instances, and what of its scaling is suspended."""

    minimum: int
    maximum: int
    suspended: frozenset[str]


class Scaling:
    """The scaling of an endpoint's variants; a variant may have none."""

    def __init__(self, endpoint: str) -> None:
        self._endpoint = endpoint
        self._scaling = client("application-autoscaling")

    def targets(self, variants: Collection[str]) -> dict[str, Target]:
        """Return the scalable targets of these variants, by variant; one without has no entry."""
        names = {self._resource(variant): variant for variant in variants}
        pages = self._scaling.get_paginator("describe_scalable_targets").paginate(
            **_VARIANT, ResourceIds=sorted(names)
        )
        return {
            names[found["ResourceId"]]: Target(
                found["MinCapacity"],
                found["MaxCapacity"],
                frozenset(name for name, on in found.get("SuspendedState", {}).items() if on),
            )
            for page in pages
            for found in page["ScalableTargets"]
        }

    def hold(self, variant: str, what: Collection[str] = WHOLE) -> None:
        """Suspend this much of a variant's scaling; limits and policies stay as they are."""
        self._suspend(variant, {name: name in what for name in WHOLE})

    def resume(self, variant: str) -> None:
        """Let a variant scale again; one that has no scalable target any more is left alone."""
        # Registering would make a new target out of one that a deployment took away.
        if self.targets([variant]):
            self._suspend(variant, dict.fromkeys(WHOLE, False))

    def requests_per_instance(self, variant: str) -> float | None:
        """Return the requests a minute per instance that a variant's tracking aims at, if any."""
        pages = self._scaling.get_paginator("describe_scaling_policies").paginate(
            **_VARIANT, ResourceId=self._resource(variant)
        )
        tracking = [
            policy.get("TargetTrackingScalingPolicyConfiguration", {})
            for page in pages
            for policy in page["ScalingPolicies"]
        ]
        aims = [
            float(one["TargetValue"])
            for one in tracking
            if one.get("PredefinedMetricSpecification", {}).get("PredefinedMetricType")
            == _PER_INSTANCE
        ]
        return min(aims, default=None)

    def _suspend(self, variant: str, state: dict[str, bool]) -> None:
        self._scaling.register_scalable_target(
            **_VARIANT, ResourceId=self._resource(variant), SuspendedState=state
        )

    def _resource(self, variant: str) -> str:
        return f"endpoint/{self._endpoint}/variant/{variant}"
