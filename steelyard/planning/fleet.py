"""Say what instances a rollout needs, may have and costs, before it asks for any."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

from steelyard.rollout.capacity import above_maximum, needed, without_headroom
from steelyard.rollout.policy import Policy

DEPLOY_SECONDS = 600
"""How long a deployment is taken to run both fleets side by side; users report about so much."""


@dataclass(frozen=True)
class Scaling:
    """Between which counts a variant's instances scale, and at how many requests a minute each."""

    least: int
    most: int
    load: float


@dataclass(frozen=True)
class Fleet:
    """
    One variant's instances.

    `price_per_hour` is of one instance, None where it is not known; `scaling` None where the count
    stays.
    """

    variant: str
    instance_type: str
    count: int
    price_per_hour: float | None = None
    scaling: Scaling | None = None


@dataclass(frozen=True)
class Extra:
    """Instance-hours beyond the champion's own; `price` is None where one is not known."""

    why: str
    hours: float
    price: float | None


def refused(policy: Policy, champion: Fleet, challenger: Fleet, rate: float) -> list[str]:
    """
    Return a sentence for each thing for which the rollout will be refused at this traffic.

    The steps whose share of `rate` (requests a minute) the challenger's scaling cannot carry; the
    instances that Prepare asks for and the scaling forbids; the headroom that the champion lacks
    while its scaling is held.
    """
    scaling = challenger.scaling
    steps = [] if scaling is None else _overloaded(policy, challenger.variant, scaling, rate)
    counts = {champion.variant: champion.count, challenger.variant: challenger.count}
    wanted = needed(counts, champion.variant, challenger.variant, champion.count)
    most = None if scaling is None else scaling.most
    held = policy.conduct.champion_scale_out == "hold" and champion.scaling is not None
    target = champion.scaling.load if held and champion.scaling is not None else None
    return [
        *steps,
        *above_maximum(challenger.variant, wanted, most),
        *without_headroom(champion.variant, rate / champion.count, target, policy.conduct.headroom),
    ]


def _overloaded(policy: Policy, variant: str, scaling: Scaling, rate: float) -> list[str]:
    instances = {
        step.weight: math.ceil(rate * step.weight / 100 / scaling.load) for step in policy.plan()
    }
    return [
        f"{variant} needs {count} instances at weight {weight}, for {rate * weight / 100:g} "
        f"requests a minute at {scaling.load:g} each, its scaling allows {scaling.most}: raise "
        f"variants[].scaling.max to {count} or more"
        for weight, count in instances.items()
        if count > scaling.most
    ]


def room(champion: Fleet, rate: float) -> float | None:
    """Return which share of its load is free while the champion's scaling is held, None: none."""
    if champion.scaling is None:
        return None
    return 1 - rate / champion.count / champion.scaling.load


def warm(champion: Fleet) -> tuple[int, float | None]:
    """
    Return how many instances of a promoted challenger's predecessor stay, and what they carry.

    Once the rollout is over it scales again, and without traffic down to its least count; requests
    a minute, None where its scaling does not say.
    """
    if champion.scaling is None:
        return champion.count, None
    return champion.scaling.least, champion.scaling.least * champion.scaling.load


def extras(champion: Fleet, challenger: Fleet, rollout_seconds: float) -> tuple[Extra, ...]:
    """
    Return what runs beside the champion's instances because of one rollout.

    A deployment that adds the challenger replaces the whole fleet, the champion's instances too;
    so does the later one that takes the previous champion away. Until then it stays warm: a day.
    """
    return (
        _extra(
            "both fleets while UpdateEndpoint adds the challenger",
            [(champion, DEPLOY_SECONDS), (challenger, DEPLOY_SECONDS)],
        ),
        _extra("the challenger during the rollout", [(challenger, rollout_seconds)]),
        _extra("the previous champion kept warm, a day", [(champion, 86400)]),
        _extra(
            "the challenger twice while UpdateEndpoint removes the previous champion",
            [(challenger, DEPLOY_SECONDS)],
        ),
    )


def _extra(why: str, spent: Sequence[tuple[Fleet, float]]) -> Extra:
    hours = [(fleet.price_per_hour, fleet.count * seconds / 3600) for fleet, seconds in spent]
    prices = [price * hour for price, hour in hours if price is not None]
    price = sum(prices) if len(prices) == len(hours) else None
    return Extra(why, sum(hour for _, hour in hours), price)
