"""
Play a rollout in numbers: imagined minutes, judged by the judge itself as each tick would.

What a deployed tick does is repeated: it comes each minute, folds the minutes that have settled,
and asks for the verdict. Nobody answers a pause here: it ends the trial.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from steelyard.planning.traffic import HEALTHY, Fault, Traffic
from steelyard.rollout import channels, judge
from steelyard.rollout.counters import Measurement
from steelyard.rollout.judge import State
from steelyard.rollout.policy import Policy

TICK_SECONDS = 60
"""How often the judge is woken."""

WEIGHTS_SECONDS = 60
"""How long a change of weights is taken to need; the platform promises nothing."""

HISTORY_MINUTES = 30
"""For so long the champion is known before the first step, as it is while a rollout prepares."""

Ending = Literal["abort", "pause", "advance"]


@dataclass(frozen=True)
class Stretch:
    """
    One step of a trial.

    `step` is its index in the plan; `begun` when its weights were in force (epoch seconds, as
    imagined) and `seconds` how long it took from then on; `requests` how many of the challenger's
    were judged in it; `evidence` (nats) at each tick; `reasons` of the last verdict; `before` the
    judge's state as it began, `after` as it ended.
    """

    step: int
    ending: Ending
    begun: int
    seconds: int
    requests: int
    evidence: tuple[float, ...]
    reasons: tuple[str, ...]
    before: State
    after: State


def begin(policy: Policy, traffic: Traffic) -> State:
    """Return the judge's state before epoch second 0, when it has seen the champion for a while."""
    state = judge.start(policy)
    for minute in range(-HISTORY_MINUTES, 0):
        champion, _ = traffic.minute(0, HEALTHY)
        state = judge.fold(policy, state, Measurement(minute, -1, 0, champion, None))
    return state


def play(
    policy: Policy, state: State, begun: int, steps: range, traffic: Traffic, fault: Fault
) -> list[Stretch]:
    """
    Return what became of `steps` of the plan, up to the one that did not advance.

    `state` is as it was before the first of them, whose weights are in force at epoch second
    `begun`, a whole minute; the fault is there from that moment.
    """
    stretches: list[Stretch] = []
    for step in steps:
        stretch = _stretch(policy, state, begun, step, traffic, fault)
        stretches.append(stretch)
        if stretch.ending != "advance":
            break
        state, begun = stretch.after, begun + stretch.seconds + WEIGHTS_SECONDS
    return stretches


def _stretch(
    policy: Policy, before: State, begun: int, step: int, traffic: Traffic, fault: Fault
) -> Stretch:
    planned = policy.plan()[step]
    state = judge.enter(policy, before, step, begun)
    minute, requests, now, evidence = begun // 60, 0, begun, list[float]()
    while True:
        now += TICK_SECONDS
        while minute <= judge.settled(policy, now):
            champion, challenger = traffic.minute(planned.weight, fault)
            measured = Measurement(minute, step, planned.weight, champion, challenger)
            state = judge.fold(policy, state, measured)
            requests += challenger.n if challenger is not None else 0
            minute += 1
        evidence.append(channels.log_total(state))
        # Before the least bake a verdict can only be an abort or nothing: none is asked for.
        if now - begun < planned.bake_seconds and not state.convictions:
            continue
        verdict = judge.verdict(policy, state, now)
        if verdict.outcome != "continue":
            seen, why = tuple(evidence), verdict.reasons
            ending, took = verdict.outcome, now - begun
            return Stretch(step, ending, begun, took, requests, seen, why, before, state)


def seconds(stretches: Sequence[Stretch]) -> int:
    """Return how long a trial took, with a change of weights before each step."""
    return sum(WEIGHTS_SECONDS + stretch.seconds for stretch in stretches)
