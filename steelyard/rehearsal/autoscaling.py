"""
Application auto scaling, by a simple rule: out at once, in after a quarter of an hour.

Each minute a variant whose target tracks invocations per instance is wanted with ceil(requests of
the last minute / target value) instances, within its limits. More is asked for at once, less when
every one of the last 15 minutes wanted less, and then the most that one of them wanted. A minute
without a request is no data, on which nothing is scaled in ("Target tracking scaling policies" in
the Application Auto Scaling user guide, whose alarms need three and fifteen minutes). Suspended
directions are left alone. Each change is a capacity call, which the endpoint refuses while it
changes, so that the next minute tries again. Other metrics than invocations are not played.
"""

import math
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

from botocore.exceptions import ClientError

from steelyard.rehearsal.local_aws import LocalAws
from steelyard.rehearsal.metrics import MetricStore
from steelyard.rehearsal.router import NAMESPACE

PATIENCE_MINUTES = 15
METRIC = "SageMakerVariantInvocationsPerInstance"
_SERVICE = "sagemaker"

Told = Callable[[str], None]


class Autoscaling:
    """The scalable targets of one endpoint; `told` is given a sentence for each change."""

    def __init__(self, aws: LocalAws, endpoint: str, store: MetricStore, told: Told) -> None:
        self._aws = aws
        self._endpoint = endpoint
        self._store = store
        self._told = told
        self._wanted: dict[str, deque[int]] = {}
        self.refresh()

    def refresh(self) -> None:
        """Read the scaling policies again, after a deployment."""
        self._policies = list(self._tracked())

    def minute(self) -> None:
        """Scale whatever is to be scaled at this full minute."""
        if not self._policies:
            return
        targets = {target["ResourceId"]: target for target in self._targets()}
        for resource, value in self._policies:
            target, variant = targets[resource], resource.rpartition("/")[2]
            history = self._wanted.setdefault(variant, deque(maxlen=PATIENCE_MINUTES))
            requests = self._requests(variant)
            if requests is None:
                history.clear()
                continue
            least, most = target["MinCapacity"], target["MaxCapacity"]
            history.append(min(max(math.ceil(requests / value), least), most))
            count = scaled(
                self._count(variant), history, target.get("SuspendedState", {}), PATIENCE_MINUTES
            )
            if count is not None:
                self._scale(variant, count, requests)

    def _targets(self) -> list[dict[str, Any]]:
        client = self._aws.client("application-autoscaling")
        found: list[dict[str, Any]] = client.describe_scalable_targets(ServiceNamespace=_SERVICE)[
            "ScalableTargets"
        ]
        return [one for one in found if one["ResourceId"].split("/")[1] == self._endpoint]

    def _tracked(self) -> Iterator[tuple[str, float]]:
        """Yield each target that tracks invocations, and the value that it tracks."""
        client = self._aws.client("application-autoscaling")
        for policy in client.describe_scaling_policies(ServiceNamespace=_SERVICE)[
            "ScalingPolicies"
        ]:
            tracking = policy.get("TargetTrackingScalingPolicyConfiguration", {})
            metric = tracking.get("PredefinedMetricSpecification", {}).get("PredefinedMetricType")
            if metric == METRIC and policy["ResourceId"].split("/")[1] == self._endpoint:
                yield policy["ResourceId"], float(tracking["TargetValue"])

    def _requests(self, variant: str) -> float | None:
        now = self._aws.clock.now
        dimensions = {"EndpointName": self._endpoint, "VariantName": variant}
        return self._store.statistic(NAMESPACE, "Invocations", dimensions, "Sum", now - 60, now)

    def _count(self, variant: str) -> int:
        variants = self._aws.endpoints.describe(self._endpoint)["ProductionVariants"]
        return next(
            int(one["DesiredInstanceCount"]) for one in variants if one["VariantName"] == variant
        )

    def _scale(self, variant: str, count: int, requests: float) -> None:
        try:
            self._aws.client("sagemaker").update_endpoint_weights_and_capacities(
                EndpointName=self._endpoint,
                DesiredWeightsAndCapacities=[
                    {"VariantName": variant, "DesiredInstanceCount": count}
                ],
            )
        except ClientError:
            return
        self._told(f"{variant} is scaled to {count} instances for {requests:g} requests a minute")


def scaled(count: int, wanted: deque[int], suspended: dict[str, bool], patience: int) -> int | None:
    """Return the count to ask for, given what each of the last minutes wanted; None for none."""
    if wanted[-1] > count:
        return None if suspended.get("DynamicScalingOutSuspended") else wanted[-1]
    if len(wanted) < patience or max(wanted) >= count:
        return None
    return None if suspended.get("DynamicScalingInSuspended") else max(wanted)
