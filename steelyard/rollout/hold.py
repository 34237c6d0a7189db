"""Say what still holds a challenger back in its step: times, data, and what evidence lacks."""

import math

from steelyard.rollout import blame, channels
from steelyard.rollout.policy import Policy
from steelyard.rollout.reasons import not_excluded, summary
from steelyard.rollout.state import State, Tally

FRESH_SECONDS = 60
"""Beyond settle_seconds, how old a variant's newest minute may be when the challenger advances."""

COMPARED_MINUTES = 2
"""How many minutes of a step must have been compared before the challenger leaves it."""

TELLING_MINUTE = 500
"""How many requests of the challenger make one minute enough."""

SUSPICIOUS = 1.0
"""From this evidence on, in all or of the last minutes in a channel, no step is left."""

EXCLUDED = 0.6
"""
Below this recent evidence in every channel an excess is excluded that would show by now, and below
this part of the stake on each effect that shows within minutes.
"""

LAST_EXCLUDED = 0.2
"""The part of that stake before all traffic follows: what is missed then, hurts everybody."""

CALM_MINUTES = 4
"""How many compared minutes must have passed since one that was alarming: faults come and go."""

TELLING_REQUESTS, WAITED_MINUTES = 20, 2
"""
How many requests of the challenger are worth a further minute until an excess is excluded, and how
many minutes more than the bake it waits at most.
"""


def missing(policy: Policy, state: State, index: int, now: float) -> tuple[str, ...]:
    """Return which times and data step `index`, the current one, still lacks at `now`."""
    step = policy.plan()[index]
    is_soak = index == len(policy.steps)
    waited = now - state.entered_at
    reasons = []
    if waited < step.bake_seconds:
        word = "soak" if is_soak else "bake"
        reasons.append(f"{word} {waited:,.0f} s of {step.bake_seconds:,} s")
    reasons += stale(policy, "challenger", state.challenger, now)
    if not is_soak:
        reasons += stale(policy, "champion", state.champion, now)
        needed = 1 if state.challenger.step_requests >= TELLING_MINUTE else COMPARED_MINUTES
        if not reasons and state.step_compared < needed:
            reasons.append(f"{state.step_compared} of {needed} minutes compared in this step")
    return tuple(reasons)


def stale(policy: Policy, role: str, tally: Tally, now: float) -> list[str]:
    """Return what is wrong with the age of a variant's data, nothing if it is fresh."""
    allowed = policy.settle_seconds + FRESH_SECONDS
    if tally.newest is None:
        return [f"{role} has no judged minute in this step, needed one in the last {allowed} s"]
    age = now - 60 * (tally.newest + 1)
    if age > allowed:
        return [f"{role} data is {age:,.0f} s old, allowed {allowed} s"]
    return []


def late(policy: Policy, state: State, now: float) -> tuple[str, ...]:
    """Return the variants whose data is overdue; the champion owes none during the soak."""
    owing = {"challenger": state.challenger}
    if state.step != len(policy.steps):
        owing["champion"] = state.champion
    # A step's first minute begins up to a minute after its bake, and lasts one.
    is_young = now - state.entered_at <= 120 + policy.settle_seconds + FRESH_SECONDS
    return tuple(
        role
        for role, tally in owing.items()
        if stale(policy, role, tally, now) and not (tally.newest is None and is_young)
    )


def undecided(policy: Policy, state: State, index: int, waited: float) -> tuple[str, ...]:
    """Return what the evidence still lacks in step `index`, the current one since `waited` s."""
    if index == len(policy.steps):
        return ()
    requests = state.challenger.step_requests
    reasons = []
    if requests < policy.minimum_requests:
        reasons.append(
            f"challenger {requests:,} of {policy.minimum_requests:,} requests in this step"
        )
    is_patient = waited < _patience(policy, state)
    reasons += _unheard(state) if is_patient else []
    suspicion = suspicious(policy, state)
    if suspicion is not None:
        reasons.append(suspicion)
    elif policy.promotion_margin is not None:
        reasons += not_excluded(policy, state)
    elif is_patient and _is_doubtful(policy, state, index):
        reasons.append(f"no excess excluded yet: {summary(policy, state)}")
    reasons += blame.misrouted(policy, state)
    return tuple(reasons)


def _unheard(state: State) -> list[str]:
    """Return that the challenger lacks the newest minute in which the champion answered."""
    ours, theirs = state.challenger.newest, state.champion.newest
    if ours is None or theirs is None or ours >= theirs:
        return []
    return ["challenger has no data of the newest minute in which the champion has"]


def suspicious(policy: Policy, state: State) -> str | None:
    """Return what looks like harm, though it does not convict, now or a few minutes ago."""
    if max(channels.log_recent(state), channels.log_total(state)) > math.log(SUSPICIOUS):
        return f"suspicious: {summary(policy, state)}"
    if state.alarmed is not None and state.compared - state.alarmed <= CALM_MINUTES:
        return f"alarming in the last {CALM_MINUTES} minutes: {summary(policy, state)}"
    return None


def _is_doubtful(policy: Policy, state: State, index: int) -> bool:
    part = LAST_EXCLUDED if index == len(policy.steps) - 1 else EXCLUDED
    recent, doubt = channels.log_recent(state), channels.log_doubt(state)
    return recent > math.log(EXCLUDED) or doubt > math.log(part)


def _patience(policy: Policy, state: State) -> float:
    """Return for how long (s) in a step an excess that is not excluded holds the challenger."""
    minutes = min(WAITED_MINUTES, state.challenger.step_requests / TELLING_REQUESTS)
    return policy.plan()[state.step or 0].bake_seconds + 60 * minutes
