"""Say in words and numbers what the evidence is, channel by channel."""

import math

from steelyard.rollout import channels, exclusion
from steelyard.rollout.bursts import LATE, VERY_LATE
from steelyard.rollout.channels import SHARES, allowed
from steelyard.rollout.distribution import lower, past_quantile, shift, upper
from steelyard.rollout.policy import Policy
from steelyard.rollout.state import State, Tally

EVIDENCE_CAP = 1e9
"""Evidence is shown up to here; it is compared as a logarithm, without a cap."""

WORTH_SAYING = 0.1
"""The share of all evidence from which on a channel is named when the challenger is convicted."""


def weighed(policy: Policy, state: State) -> dict[str, float]:
    """Return each channel's evidence, and that of all together, with the limit of their sum."""
    logs = channels.logs(state)
    found = {channel: logs.get(channel, -math.inf) for channel in SHARES}
    found["together"] = channels.log_total(state)
    limit = round(1 / policy.false_rollback, 6)
    shown = {channel: _shown(log) for channel, log in found.items()}
    return {**shown, **{f"{channel}_limit": limit for channel in shown}}


def _shown(log: float) -> float:
    return math.floor(1e6 * math.exp(min(log, math.log(EVIDENCE_CAP)))) / 1e6


def accuse(policy: Policy, state: State) -> tuple[str, ...]:
    """Return why the challenger is convicted, the strongest channel first."""
    logs, total = channels.logs(state), channels.log_total(state)
    worst = sorted(logs, key=lambda channel: -logs[channel])
    named = [channel for channel in worst if logs[channel] >= total + math.log(WORTH_SAYING)]
    evidence = f"evidence {_shown(total):,.4g} >= {1 / policy.false_rollback:,.4g}"
    first, *others = (_said(policy, state, channel) for channel in named)
    estimates = (_estimate(policy, state, channel) for channel in named)
    return (f"{first}: {evidence}", *others, *filter(None, estimates))


def summary(policy: Policy, state: State) -> str:
    """Return one sentence on evidence that did not convict, in its strongest channel."""
    logs = channels.logs(state)
    evidence = f"evidence {_shown(channels.log_total(state)):,.4g}"
    strongest = max(logs, key=lambda channel: logs[channel], default="errors")
    said = _said(policy, state, strongest)
    return f"{said}: {evidence} < {1 / policy.false_rollback:,.4g}"


def bounds(policy: Policy, state: State) -> tuple[str, ...]:
    """Return for each promotion test how much worse the challenger is at most, over all steps."""
    kept = ((test, state.excluding.get(test, ())) for test in exclusion.asked(policy, state))
    return tuple(_at_most(policy, state, test, sums[0]) for test, sums in kept if sums and sums[0])


def not_excluded(policy: Policy, state: State) -> tuple[str, ...]:
    """Return each promotion test that is not passed, with its bound in the step that has least."""
    needed = -math.log(policy.false_promotion)
    return tuple(
        f"not excluded yet: {_weakest(policy, state, test)}"
        for test in exclusion.asked(policy, state)
        if exclusion.log_excluded(policy, state, test) < needed
    )


def _weakest(policy: Policy, state: State, test: str) -> str:
    kept = state.excluding.get(test, ())
    if state.step is None or len(kept) <= state.step or not all(kept):
        return f"{test.replace('_', ' ')}, nothing was compared in this step"
    step = min(range(len(kept)), key=lambda at: exclusion.log_against(policy, test, kept[at]))
    since = f", since step {step}" if step else ""
    return _at_most(policy, state, test, kept[step]) + since


def _at_most(policy: Policy, state: State, test: str, sums: exclusion.Sums) -> str:
    """Return one sentence on how much worse the challenger is at most, and the margin."""
    sure, limit = 1 - policy.false_promotion, exclusion.margin(policy, test)
    most = exclusion.bound(policy, test, sums)
    if test in exclusion.HISTOGRAMS:
        return f"{test} distributions at most {most:.3f} apart ({sure:.4g}), margin {limit:.3f}"
    margin = policy.promotion_margin
    relative = margin.errors_relative if margin is not None else 0.0
    if test in exclusion.QUANTILES:
        slower = 1 + (margin.latency if margin is not None else 0.0)
        later = f"later than the champion's {test.removeprefix('latency_')}"
        return (
            f"at most {100 * most:+.2f} points more answers {later} than of the champion, were it "
            f"{slower:g} times as slow ({sure:.4g}), margin 0"
        )
    base = f"above {1 + relative:g} times the champion's" if relative else "worse"
    said = f"{_said(policy, state, test)}: " if sums is state.excluding[test][0] else f"{test}: "
    return f"{said}at most {100 * most:.2f} points {base} ({sure:.4g}), margin {100 * limit:.2f}"


def _said(policy: Policy, state: State, channel: str) -> str:
    champion, challenger = state.champion, state.challenger
    if channel in ("errors", "client_errors"):
        word = channel.replace("_", " ")
        bad, usual = getattr(challenger, channel), getattr(champion, channel)
        return (
            f"challenger {bad:,} {word} of {challenger.requests:,}, "
            f"champion {usual:,} of {champion.requests:,}"
        )
    if channel in ("latency", "stall"):
        return _slower(champion, challenger, "slow" if channel == "latency" else "very slow")
    if channel == "silence":
        return f"challenger answered in {state.compared:,} minutes, not in others with traffic"
    distance = _distance(getattr(challenger, channel).seen, getattr(champion, channel).seen)
    limit, tolerance = allowed(policy, channel), policy.tolerance.predictions
    return (
        f"challenger's {channel} distribution is {distance:.3f} from the champion's, allowed "
        f"{limit:.3f} (expected {limit - tolerance:.3f} + tolerance {tolerance:.3f})"
    )


def _estimate(policy: Policy, state: State, channel: str) -> str | None:
    """Return how large the harm is, as intervals that hold at every look together."""
    alpha, champion, challenger = policy.false_rollback, state.champion, state.challenger
    sure = f"at every look with {1 - alpha:.4g} certainty"
    if channel in ("errors", "client_errors"):
        ours, theirs = (
            f"{lower(bad, of, alpha / 2):.2%} to {upper(bad, of, alpha / 2):.2%}"
            for bad, of in (
                (getattr(challenger, channel), challenger.requests),
                (getattr(champion, channel), champion.requests),
            )
        )
        word = channel.replace("_", " ")
        return f"{word} of the challenger are {ours}, of the champion {theirs}, {sure}"
    if channel in ("score", "confidence"):
        least = shift(getattr(challenger, channel).seen, getattr(champion, channel).seen, alpha)
        return f"{channel} distributions are at least {least:.3f} apart, {sure}"
    return None


def _slower(champion: Tally, challenger: Tally, word: str) -> str:
    ours, theirs = challenger.latency.seen, champion.latency.seen
    cut = past_quantile(theirs, LATE if word == "slow" else VERY_LATE)
    late, usual = (sum(seen[cut:]) / max(1, sum(seen)) for seen in (ours, theirs))
    return f"challenger {late:.1%} {word} answers, champion {usual:.1%}"


def _distance(ours: tuple[int, ...], theirs: tuple[int, ...]) -> float:
    n, m = max(1, sum(ours)), max(1, sum(theirs))
    return sum(abs(a / n - b / m) for a, b in zip(ours, theirs, strict=False)) / 2
