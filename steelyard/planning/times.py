"""Work out how long a rollout may take, and what runs beside the usual fleet meanwhile."""

import math
from collections.abc import Mapping
from dataclasses import dataclass

from steelyard.planning.trial import TICK_SECONDS, WEIGHTS_SECONDS
from steelyard.rollout.policy import Policy

HEARTBEAT_SECONDS = 300
"""After so long without a judge the bake fails; stands in the state machine, too."""

DEPLOY_SECONDS = 600
"""How long a deployment is taken to run both fleets side by side; users report about so much."""


@dataclass(frozen=True)
class Times:
    """
    Limits of a rollout's length, in seconds.

    shortest: to full promotion, least bakes and requests; longest: until it ends or waits for a
    person; forgotten: from a step's begin to the abort, where nobody answers its pause; told: from
    the end of the minute that convicts to all traffic at home, at most; dead_judge: from the
    judge's last word to all traffic at home, at most.
    """

    shortest: int
    longest: int
    forgotten: int
    told: int
    dead_judge: int
    late: tuple[int, ...]


@dataclass(frozen=True)
class Fleet:
    """One variant's instances; `price_per_hour` is of one instance, None where it is not known."""

    variant: str
    instance_type: str
    count: int
    price_per_hour: float | None = None


@dataclass(frozen=True)
class Extra:
    """Instance-hours beyond the champion's own; `price` is None where one is not known."""

    why: str
    hours: float
    price: float | None


def times(policy: Policy, requests_per_minute: float) -> Times:
    """Return the limits that policy, traffic and the assumed times of the platform set."""
    plan = policy.plan()
    least = [_least(policy, index, requests_per_minute) for index in range(len(plan))]
    return Times(
        shortest=sum(least) + len(plan) * WEIGHTS_SECONDS,
        longest=len(plan) * (policy.longest_seconds + WEIGHTS_SECONDS),
        forgotten=policy.longest_seconds + policy.pause_seconds + TICK_SECONDS + WEIGHTS_SECONDS,
        told=policy.settle_seconds + TICK_SECONDS + WEIGHTS_SECONDS,
        dead_judge=HEARTBEAT_SECONDS + WEIGHTS_SECONDS,
        late=tuple(
            index for index, seconds in enumerate(least) if seconds > policy.longest_seconds
        ),
    )


def _least(policy: Policy, index: int, requests_per_minute: float) -> int:
    """Return after how long a step may advance at the earliest, in whole ticks."""
    step = policy.plan()[index]
    ticks = math.ceil(step.bake_seconds / TICK_SECONDS)
    if index == len(policy.steps):
        return TICK_SECONDS * ticks
    minutes = math.ceil(policy.minimum_requests / (requests_per_minute * step.weight / 100))
    settling = math.ceil(policy.settle_seconds / TICK_SECONDS)
    return TICK_SECONDS * max(ticks, minutes + settling)


def extras(champion: Fleet, challenger: Fleet, rollout_seconds: float) -> tuple[Extra, ...]:
    """
    Return what runs beside the champion's instances because of one rollout.

    A deployment that adds the challenger replaces the whole fleet, the champion's instances too.
    After the promotion the previous champion stays warm until a later deployment: a day of it.
    """
    return (
        _extra(
            "both fleets during the deployment",
            {champion: DEPLOY_SECONDS, challenger: DEPLOY_SECONDS},
        ),
        _extra("the challenger during the rollout", {challenger: rollout_seconds}),
        _extra("the previous champion kept warm, a day", {champion: 86400}),
    )


def _extra(why: str, spent: Mapping[Fleet, float]) -> Extra:
    hours = {fleet: fleet.count * seconds / 3600 for fleet, seconds in spent.items()}
    prices = [
        fleet.price_per_hour * hour
        for fleet, hour in hours.items()
        if fleet.price_per_hour is not None
    ]
    return Extra(why, sum(hours.values()), sum(prices) if len(prices) == len(hours) else None)
