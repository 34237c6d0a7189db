"""
Play the documented life cycle of one SageMaker endpoint, as a value: no clock, no AWS, no effect.

An `EndpointModel` is immutable: a call returns the endpoint as it goes on from there, or raises
`Refused`. What it looks like at a time follows from its timeline of phases. So one class serves the
rehearsal, which keeps the newest value, and a search over interleavings.

Sources, by the mark at each rule (botocore = the service model's own text):
[status] botocore, EndpointStatus: what each status means and allows.
[weights] botocore, UpdateEndpointWeightsAndCapacities: "variant weight of one or more variants", or
    "capacity of one variant"; Updating, then InService.
[summary] botocore, ProductionVariantSummary: while Updating, desired and current values differ.
[update] botocore, UpdateEndpoint: a new fleet from a new endpoint config, then the old one goes.
[retain] botocore, RetainAllVariantProperties and VariantPropertyType.
[share] botocore, ProductionVariant: share is weight / sum of weights, the initial weight is 1 by
    default; weights and counts are at least 0, initial counts at least 1.
[shadow] botocore, ShadowProductionVariants: one beside one production variant, and nothing else;
    DescribeEndpoint lists it apart, and no request of a client's goes to it.
[sentence] refusals that public code matches on: the AWS controllers for Kubernetes for the
    endpoint's, moto for variant names.
[silent] a failed update ends InService on the old config: terraform-provider-aws 39099, 46663.
[house] not documented: a rule of this project, on the strict side.
How long a change takes is documented nowhere: `Durations` are assumptions.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from steelyard.rehearsal.endpoint_request import Refused, check_change, invalid
from steelyard.rehearsal.endpoint_variants import (
    Variant,
    asked_for,
    initial,
    retained,
    settled,
    shadowed,
    summary,
    with_traffic,
)

SERVING = ("InService", "Updating", "SystemUpdating", "RollingBack")
RETAINED = ("DesiredInstanceCount", "DesiredWeight")
_GONE = "gone"


@dataclass(frozen=True)
class Durations:
    """How long each change takes, in seconds: assumptions, "seconds" and "minutes" in reports."""

    create_seconds: float = 300.0
    weights_seconds: float = 10.0
    capacity_seconds: float = 240.0
    update_seconds: float = 480.0
    roll_back_seconds: float = 120.0
    delete_seconds: float = 30.0


USUAL = Durations()


@dataclass(frozen=True)
class Phase:
    """What the endpoint is from `since` (epoch seconds) until the next phase; `fleet` counts."""

    since: float
    status: str
    config_name: str
    variants: tuple[Variant, ...]
    fleet: int = 1
    failure_reason: str | None = None
    shadows: tuple[Variant, ...] = ()


@dataclass(frozen=True)
class EndpointModel:
    """
    One endpoint from its creation on; every time is in epoch seconds.

    `maintenance` holds (start, end) of each system update; the two flags arm a fault for the next
    accepted call.
    """

    name: str
    arn: str
    durations: Durations
    timeline: tuple[Phase, ...]
    maintenance: tuple[tuple[float, float], ...] = ()
    rolls_back_next: bool = False
    fails_next_update: bool = False

    @classmethod
    def create(
        cls,
        name: str,
        config_name: str,
        variants: Sequence[Mapping[str, Any]],
        at: float,
        *,
        durations: Durations = USUAL,
        arn: str | None = None,
        failure_reason: str | None = None,
        shadows: Sequence[Mapping[str, Any]] = (),
    ) -> EndpointModel:
        """
        Return the endpoint that CreateEndpoint starts; `variants` and `shadows` are the config's.

        It is Creating, then InService, or Failed where a failure reason is given [status].
        """
        wanted = with_traffic(initial(variants))
        copied = shadowed(variants, shadows)
        first = Phase(at, "Creating", config_name, wanted, shadows=copied)
        done = replace(first, since=at + durations.create_seconds, status="InService")
        if failure_reason is None:
            done = replace(done, variants=settled(wanted), shadows=settled(copied))
        else:
            done = replace(done, status="Failed", failure_reason=failure_reason)
        usual = f"arn:aws:sagemaker:us-east-1:123456789012:endpoint/{name}"
        return cls(name, usual if arn is None else arn, durations, (first, done))

    def update_weights_and_capacities(
        self, desired: Sequence[Mapping[str, Any]], at: float
    ) -> EndpointModel:
        """
        Return the endpoint after UpdateEndpointWeightsAndCapacities [weights].

        A field that is not sent keeps its value, and so does a variant that is not listed. Raises
        Refused, among others unless InService.
        """
        now = self._open(at)
        check_change(desired, [variant.name for variant in now.variants], now.config_name)
        asked = {request["VariantName"]: request for request in desired}
        wanted = with_traffic(asked_for(live, asked.get(live.name, {})) for live in now.variants)
        scales = any("DesiredInstanceCount" in request for request in desired)
        seconds = self.durations.capacity_seconds if scales else self.durations.weights_seconds
        updating = replace(now, since=at, status="Updating", variants=wanted)  # [summary]
        if not self.rolls_back_next:
            done = replace(now, since=at + seconds, variants=settled(wanted))
            return self._on(updating, done)
        # [status] RollingBack returns to InService with what was in force before the call.
        back = replace(now, since=at + seconds, status="RollingBack")
        done = replace(now, since=back.since + self.durations.roll_back_seconds)
        return replace(self._on(updating, back, done), rolls_back_next=False)

    def update_endpoint(
        self,
        config_name: str,
        variants: Sequence[Mapping[str, Any]],
        at: float,
        retain_all_variant_properties: bool = False,
        exclude: Collection[str] = (),
        shadows: Sequence[Mapping[str, Any]] = (),
    ) -> EndpointModel:
        """
        Return the endpoint after UpdateEndpoint: all instances are replaced [update].

        Retained properties are those of same-named variants, less `exclude`; a new variant starts
        with its initial values [retain]. Raises Refused.
        """
        now = self._open(at)
        if config_name == now.config_name:  # [update] "you must create a new EndpointConfig"
            raise invalid(f'Endpoint config "{config_name}" is in use already: name a new one.')
        if unknown := set(exclude) - set(RETAINED):  # [retain] DataCaptureConfig is not supported
            raise invalid(f"Cannot exclude {sorted(unknown)}, allowed are {list(RETAINED)}.")
        live = {variant.name: variant for variant in now.variants}
        kept = set(RETAINED) - set(exclude) if retain_all_variant_properties else set()
        new = initial(variants)
        wanted = settled(with_traffic(retained(v, live.get(v.name), kept) for v in new))
        copied = settled(shadowed(variants, shadows))
        updating = replace(now, since=at, status="Updating")
        done = replace(now, since=at + self.durations.update_seconds)
        if self.fails_next_update:  # [silent] no status and no reason tells
            return replace(self._on(updating, done), fails_next_update=False)
        done = replace(done, config_name=config_name, variants=wanted, fleet=now.fleet + 1)
        done = replace(done, shadows=copied)
        return self._on(updating, done)

    def delete(self, at: float) -> EndpointModel:
        """Return the endpoint after DeleteEndpoint, all that a failed one allows [status]."""
        if self.status(at) != "Failed":
            self._open(at)
        now = self._phase(at)
        gone = replace(now, since=at + self.durations.delete_seconds, status=_GONE)
        return self._on(replace(now, since=at, status="Deleting"), gone)

    def system_update(self, start: float, seconds: float) -> EndpointModel:
        """Return the endpoint with maintenance from `start` on: it can then not be changed."""
        return replace(self, maintenance=(*self.maintenance, (start, start + seconds)))

    def roll_back_next(self) -> EndpointModel:
        """Return the endpoint whose next change of weights or capacities is rolled back."""
        return replace(self, rolls_back_next=True)

    def fail_next_update(self) -> EndpointModel:
        """Return the endpoint whose next UpdateEndpoint fails without a word."""
        return replace(self, fails_next_update=True)

    def status(self, at: float) -> str:
        """Return the EndpointStatus; maintenance shows wherever it would be InService [status]."""
        status = self._phase(at).status
        busy = any(start <= at < end for start, end in self.maintenance)
        return "SystemUpdating" if status == "InService" and busy else status

    def fleet(self, at: float) -> int:
        """Return how many fleets were launched until now: a new number is all new instances."""
        return self._phase(at).fleet

    def settles_at(self) -> float:
        """Return when the last accepted change has ended, maintenance aside."""
        return self.timeline[-1].since

    def shares(self, at: float) -> dict[str, float]:
        """Return each variant's share of the traffic, by current weights [share]; they sum to 1."""
        if (status := self.status(at)) not in SERVING:
            raise Refused("ValidationError", f"Endpoint {self.name} takes no request: {status}.")
        variants = self._phase(at).variants
        total = math.fsum(variant.current_weight for variant in variants)
        return {variant.name: variant.current_weight / total for variant in variants}

    def copies(self, at: float) -> tuple[str, ...]:
        """Return the shadow variants that get a copy of each request now [shadow]."""
        if self.status(at) not in SERVING:
            return ()
        return tuple(it.name for it in self._phase(at).shadows if it.current_count > 0)

    def describe(self, at: float) -> dict[str, Any]:
        """Return DescribeEndpoint's answer, times in epoch seconds."""
        phase = self._phase(at)
        reason = {} if phase.failure_reason is None else {"FailureReason": phase.failure_reason}
        shadows = [summary(variant) for variant in phase.shadows]
        return {
            "EndpointName": self.name,
            "EndpointArn": self.arn,
            "EndpointConfigName": phase.config_name,
            "EndpointStatus": self.status(at),
            "CreationTime": self.timeline[0].since,
            "LastModifiedTime": phase.since,
            "ProductionVariants": [summary(variant) for variant in phase.variants],
            **({"ShadowProductionVariants": shadows} if shadows else {}),
            **reason,
        }

    def _phase(self, at: float) -> Phase:
        found = [phase for phase in self.timeline if phase.since <= at]
        if not found or found[-1].status == _GONE:
            raise invalid(f'Could not find endpoint "{self.arn}".')  # [sentence]
        return found[-1]

    def _open(self, at: float) -> Phase:
        """Return the phase at `at` if a change may begin then."""
        if self.status(at) != "InService":
            raise invalid(f'Cannot update in-progress endpoint "{self.arn}".')  # [sentence]
        if at < self.settles_at():
            raise ValueError(
                f"call at {at}, but one was accepted that ends at {self.settles_at()}: "
                "make calls in the order of time"
            )
        return self._phase(at)

    def _on(self, *phases: Phase) -> EndpointModel:
        return replace(self, timeline=(*self.timeline, *phases))
