"""Find out which step of a policy each recorded minute belongs to."""

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby, pairwise

from steelyard.backtest.recording import Recording, Sample, Unreadable
from steelyard.rollout.policy import Policy
from steelyard.rollout.weights import WHOLE

_NEVER = 1e-6
"""The share of requests that may stray to a variant of weight 0."""


@dataclass(frozen=True)
class Part:
    """The recorded minutes of one step; `at` is when its weights were in force (epoch seconds)."""

    step: int
    at: float
    samples: tuple[Sample, ...]


def divide(policy: Policy, recording: Recording) -> tuple[tuple[Sample, ...], tuple[Part, ...]]:
    """
    Return the minutes before the rollout, and those in it, step by step.

    Where weights were not recorded, the shares of the requests tell them: weights rise from step
    to step, so the likeliest way to divide the minutes is known. What comes after the challenger's
    last minute, or after its weight fell to 0, is left out. Raises Unreadable for weights that
    fall to another one.
    """
    before, during = _rollout(recording.samples)
    if not during:
        return before, ()
    if all(sample.weight is not None for sample in during):
        _refuse_falling(during)
        steps = [_nearest(policy, sample.weight or 0) for sample in during]
    else:
        steps = _likeliest(policy, during)
    return before, tuple(_parts(recording, during, steps))


def _rollout(samples: Sequence[Sample]) -> tuple[tuple[Sample, ...], tuple[Sample, ...]]:
    taking_part = [index for index, sample in enumerate(samples) if _takes_part(sample)]
    if not taking_part:
        return tuple(samples), ()
    first, last = taking_part[0], taking_part[-1]
    return tuple(samples[:first]), tuple(samples[first : last + 1])


def _takes_part(sample: Sample) -> bool:
    if sample.weight is not None:
        return sample.weight > 0
    return sample.challenger is not None and sample.challenger.n > 0


def _refuse_falling(during: Sequence[Sample]) -> None:
    for before, sample in pairwise(during):
        if (sample.weight or 0) < (before.weight or 0):
            raise Unreadable(
                [
                    f"minute {sample.minute}: given weight {sample.weight} after {before.weight}, "
                    f"allowed is one rollout, in which weights rise: cut the recording there"
                ]
            )


def _parts(recording: Recording, during: Sequence[Sample], steps: Sequence[int]) -> Iterator[Part]:
    pairs = zip(steps, during, strict=True)
    for step, group in groupby(pairs, key=lambda pair: pair[0]):
        samples = tuple(sample for _, sample in group)
        first = 60.0 * samples[0].minute
        weight = samples[0].weight
        at = first if weight is None else recording.in_force.get(weight, first)
        yield Part(step, at, samples)


def _nearest(policy: Policy, weight: int) -> int:
    plan = policy.plan()
    return min(range(len(plan)), key=lambda index: abs(plan[index].weight - weight))


def _likeliest(policy: Policy, during: Sequence[Sample]) -> list[int]:
    """Return the rising steps under which the shares of the requests are likeliest (Viterbi)."""
    indices = range(len(policy.plan()))
    best = [0.0 for _ in indices]
    ways: list[list[int]] = []
    for sample in during:
        froms = [max(range(index + 1), key=lambda one: (best[one], one)) for index in indices]
        ways.append(froms)
        best = [
            best[froms[index]] + _log_likelihood(sample, policy.plan()[index].weight)
            for index in indices
        ]
    step = max(indices, key=lambda index: best[index])
    found = []
    for froms in reversed(ways):
        found.append(step)
        step = froms[step]
    return found[::-1]


def _log_likelihood(sample: Sample, weight: int) -> float:
    if sample.challenger is None:
        return 0.0  # the challenger may be dead: its share tells nothing of its weight
    share = min(1 - _NEVER, max(_NEVER, weight / WHOLE))
    others = 0 if sample.champion is None else sample.champion.n
    return sample.challenger.n * math.log(share) + others * math.log(1 - share)
