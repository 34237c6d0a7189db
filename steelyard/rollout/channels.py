"""
Weigh the channels in which a challenger can harm: errors, score, confidence.

Each has a fixed share of the accepted error rate, its evidence and its limit.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

from steelyard.rollout import distribution, evidence
from steelyard.rollout.counters import Point
from steelyard.rollout.evidence import MICRO, Trials
from steelyard.rollout.policy import Policy
from steelyard.rollout.state import State, add

SHARES = {"errors": 0.5, "score": 0.25, "confidence": 0.25}
"""How false_rollback is split; a union bound, so the channels may depend on each other."""

EVIDENCE_CAP = 1e9
"""Evidence is shown up to here; it is compared as a logarithm, without a cap."""


def compare(policy: Policy, state: State, champion: Point, challenger: Point) -> State:
    """Weigh a minute in which both variants reported."""
    wealth, informative = state.wealth, state.informative
    if champion.n > 0 and challenger.n > 0:
        wealth = evidence.update(
            wealth,
            informative,
            Trials(challenger.n, challenger.em),
            Trials(champion.n, champion.em),
            1 + policy.tolerance.errors_relative,
            policy.tolerance.errors_absolute,
        )
        informative += 1
    seen, trial = add(state.champion, champion), add(state.challenger, challenger)
    return replace(
        state,
        wealth=wealth,
        informative=informative,
        champion=seen,
        challenger=trial,
        score_shift=_shift(policy, trial.score, seen.score, "score"),
        confidence_shift=_shift(policy, trial.confidence, seen.confidence, "confidence"),
    )


def _shift(policy: Policy, challenger: Sequence[int], champion: Sequence[int], channel: str) -> int:
    # Histograms start anew at each step, so each step has its own share of the channel's error
    # rate. Rounded down: the bound stays one.
    alpha = _alpha(policy, channel) / len(policy.steps)
    return math.floor(MICRO * distribution.shift(challenger, champion, alpha))


def _alpha(policy: Policy, channel: str) -> float:
    return policy.false_rollback * SHARES[channel]


def convict(policy: Policy, state: State) -> State:
    """Remember the first minute that convicts, with every channel that does so in it."""
    if state.convictions:
        return state
    reasons = []
    if evidence.log_total(state.wealth) >= -math.log(_alpha(policy, "errors")):
        reasons.append(_errors_reason(policy, state, ">="))
    for channel, bound in _shifts(state).items():
        if bound > _limit(policy, channel):
            reasons.append(_shift_reason(policy, channel, bound))
    return replace(state, convictions=tuple(reasons))


def _shifts(state: State) -> dict[str, float]:
    return {
        "score": state.score_shift / MICRO,
        "confidence": state.confidence_shift / MICRO,
    }


def _limit(policy: Policy, channel: str) -> float:
    expected = {"score": policy.expected.score, "confidence": policy.expected.confidence}
    return expected[channel] + policy.tolerance.predictions


def against(policy: Policy, state: State) -> dict[str, float]:
    """Return each channel's evidence and limit, rounded down to six digits."""
    log = evidence.log_total(state.wealth)
    errors = math.exp(min(log, math.log(EVIDENCE_CAP)))
    return {
        "errors": math.floor(errors * MICRO) / MICRO,
        "errors_limit": round(1 / _alpha(policy, "errors"), 6),
        **_shifts(state),
        **{f"{channel}_limit": round(_limit(policy, channel), 6) for channel in _shifts(state)},
    }


def summary(policy: Policy, state: State) -> str:
    """Return one sentence of evidence that did not convict, every channel with its limit."""
    shifts = [
        f"{channel} shift at least {bound:.3f} <= {_limit(policy, channel):.3f}"
        for channel, bound in _shifts(state).items()
    ]
    return "; ".join([_errors_reason(policy, state, "<"), *shifts])


def _errors_reason(policy: Policy, state: State, relation: str) -> str:
    evidence_now = against(policy, state)
    challenger, champion = state.challenger, state.champion
    return (
        f"challenger {challenger.errors:,} errors of {challenger.requests:,}, "
        f"champion {champion.errors:,} of {champion.requests:,}: "
        f"evidence {evidence_now['errors']:,.4g} {relation} {evidence_now['errors_limit']:,.4g}"
    )


def _shift_reason(policy: Policy, channel: str, bound: float) -> str:
    limit = _limit(policy, channel)
    return (
        f"challenger's {channel} distribution is at least {bound:.3f} from the champion's > "
        f"{limit:.3f} (expected {limit - policy.tolerance.predictions:.3f} + tolerance "
        f"{policy.tolerance.predictions:.3f})"
    )
