"""Work out how long a rollout may take, and what freeze windows its shortest way crosses."""

import math
from dataclasses import dataclass

from steelyard.planning.trial import TICK_SECONDS, WEIGHTS_SECONDS
from steelyard.rollout.conduct import LEASE_SECONDS, WATCHDOG_SECONDS
from steelyard.rollout.policy import Policy


@dataclass(frozen=True)
class Times:
    """
    Limits of a rollout's length, in seconds.

    shortest: to full promotion, least bakes and requests, gates opened at once; longest: until it
    ends or waits for a person; deadline: when it is aborted, whatever it waits for; forgotten: from
    a step's begin to the abort, where nobody answers its pause (None: undecided steps advance);
    told: from the end of the minute that convicts to all traffic at home, at most; leased: from the
    last renewal of the lease to all traffic at home, whoever has died; late: steps that lack
    requests for longer than the longest time.
    """

    shortest: int
    longest: int
    deadline: int
    forgotten: int | None
    told: int
    leased: int
    late: tuple[int, ...]


@dataclass(frozen=True)
class Crossing:
    """A freeze window that holds a step's weight back: from when to when, in epoch seconds."""

    step: int
    begun: int
    until: int


@dataclass(frozen=True)
class Schedule:
    """The shortest promotion from a start on, in epoch seconds, with what holds it back."""

    begun: int
    ended: int
    crossings: tuple[Crossing, ...]


def times(policy: Policy, requests_per_minute: float) -> Times:
    """Return the limits that policy, traffic and the assumed times of the platform set."""
    plan = policy.plan()
    least = [_least(policy, index, requests_per_minute) for index in range(len(plan))]
    deadline = policy.conduct.deadline_seconds
    pause = policy.longest_seconds + policy.pause_seconds + TICK_SECONDS + WEIGHTS_SECONDS
    return Times(
        shortest=sum(least) + len(plan) * WEIGHTS_SECONDS,
        longest=min(deadline, len(plan) * (policy.longest_seconds + WEIGHTS_SECONDS)),
        deadline=deadline,
        forgotten=pause if policy.undecided == "pause" else None,
        told=policy.settle_seconds + TICK_SECONDS + WEIGHTS_SECONDS,
        leased=LEASE_SECONDS + WATCHDOG_SECONDS + WEIGHTS_SECONDS,
        late=tuple(
            index for index, seconds in enumerate(least) if seconds > policy.longest_seconds
        ),
    )


def schedule(policy: Policy, requests_per_minute: float, start: int) -> Schedule:
    """
    Return the shortest promotion that begins at epoch second `start`.

    In a freeze window no weight is raised: neither a step's nor the soak's begins before its end.
    """
    now, crossings = start, list[Crossing]()
    for index in range(len(policy.plan())):
        free = _thawed(policy, now)
        if free > now:
            crossings.append(Crossing(index, now, free))
        now = free + WEIGHTS_SECONDS + _least(policy, index, requests_per_minute)
    return Schedule(start, now, tuple(crossings))


def _thawed(policy: Policy, now: int) -> int:
    """Return the first moment from `now` on that no window holds, or one after the deadline."""
    last = now + policy.conduct.deadline_seconds
    while now <= last and (until := policy.conduct.frozen_until(now)) is not None:
        now = math.ceil(until)
    return now


def _least(policy: Policy, index: int, requests_per_minute: float) -> int:
    """Return after how long a step may advance at the earliest, in whole ticks."""
    step = policy.plan()[index]
    ticks = math.ceil(step.bake_seconds / TICK_SECONDS)
    if index == len(policy.steps):
        return TICK_SECONDS * ticks
    minutes = math.ceil(policy.minimum_requests / (requests_per_minute * step.weight / 100))
    settling = math.ceil(policy.settle_seconds / TICK_SECONDS)
    return TICK_SECONDS * max(ticks, minutes + settling)
