"""Say what harm a step's traffic can exclude in its longest time, whatever the rule."""

from dataclasses import dataclass

from steelyard.planning.bound import least_distance, least_excess, least_slowdown
from steelyard.planning.traffic import Expected
from steelyard.rollout.policy import Policy, Tolerance


@dataclass(frozen=True)
class Limits:
    """
    The least harm that can be excluded of a challenger that is like the champion.

    requests: of the challenger's, from which; errors, client_errors: shares of its requests;
    slower: factor of latency (None: not judged); predictions: total variation, the expected one in
    it; short: the channels in which not even the promotion margin can be excluded.
    """

    requests: float
    errors: float
    client_errors: float
    slower: float | None
    predictions: float
    short: tuple[str, ...]


def limits(policy: Policy, expected: Expected, step: int) -> Limits:
    """
    Return what can be excluded in a step at level `false_promotion` until it is undecided.

    No rule can exclude less; the judge, which must hold at every look, excludes somewhat more.
    """
    weight, alpha = policy.plan()[step].weight, policy.false_promotion
    minutes = max(0.0, policy.longest_seconds - policy.settle_seconds) / 60
    requests = expected.requests_per_minute * weight / 100 * minutes

    def rate(usual: float) -> float:
        return min(1.0, usual + least_excess(usual, requests, weight, 1.0, alpha))

    later = [expected.later(edge) for edge in expected.edges]
    slower = least_slowdown(later, expected.spread, requests, weight, alpha) if later else None
    apart = min(1.0, policy.expected.score + least_distance(requests, weight, alpha))
    margin, short = policy.promotion_margin, list[str]()
    if margin is not None:
        short += _failing(expected, margin, requests, weight, alpha)
        short += ["latency"] if slower is not None and slower > 1 + margin.latency else []
        short += ["predictions"] if apart > policy.expected.score + margin.predictions else []
    return Limits(
        requests,
        rate(expected.errors),
        rate(expected.client_errors),
        slower,
        apart,
        tuple(short),
    )


def _failing(
    expected: Expected, margin: Tolerance, requests: float, weight: int, alpha: float
) -> list[str]:
    """Return the channels of failures in which the margin is too narrow for so few requests."""
    rho = 1 + margin.errors_relative
    usual = {"errors": expected.errors, "client errors": expected.client_errors}
    return [
        channel
        for channel, rate in usual.items()
        if least_excess(rate, requests, weight, rho, alpha) > margin.errors_absolute
    ]
