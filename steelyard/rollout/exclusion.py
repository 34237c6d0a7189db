"""
Exclude that a challenger is worse than the promotion margin: promotion is a test of its own.

Each test asks one thing, "is the challenger worse than the margin here?", and has for each step
that was entered an e-process against "worse from that step on". A step is left on evidence when all
of them have reached 1 / `false_promotion`. docs/judge.md has the proofs: exponential
supermartingales (Howard, Ramdas, McAuliffe and Sekhon 2020), mixtures (Robbins 1970).
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from steelyard.rollout.alternatives import slowed
from steelyard.rollout.counters import Point
from steelyard.rollout.distribution import past_quantile
from steelyard.rollout.evidence import MICRO, Trials, log_sum
from steelyard.rollout.policy import Policy
from steelyard.rollout.state import State

FEWER = (0.1, 0.25, 0.4, 0.55, 0.7, 0.82, 0.92)
"""How many times as many bad answers as the margin allows a good challenger may have."""

CLOSE = 0.3
"""How near (nats) an alternative lies to another, so that a stake on it is not wasted."""

GAPS = (0.02, 0.05, 0.1, 0.2, 0.4)
"""How far within the margin of total variation a good challenger may lie."""

QUANTILES = {"latency_p50": 0.5, "latency_p90": 0.9, "latency_p99": 0.99}
"""At which of the champion's quantiles latency is compared."""

NOISE = 3.0
"""By how many standard errors the champion may fail more than usual, and it still counts."""

HALVINGS = 40

Sums = tuple[int, ...]
"""
What one test keeps of the minutes since a step was entered.

Rates: the challenger's requests, then millionths of a nat for each of `FEWER`. Histograms: weight
of the minutes, then of each bin the weighted excess of the challenger's share, in millionths.
"""


def exclude(policy: Policy, state: State, step: int, points: tuple[Point, Point]) -> State:
    """
    Return the state after a compared minute of `step`: what it excludes, for each step so far.

    `points` are the champion's and the challenger's, the latter without latencies while it is cold.
    Without a promotion margin nothing changes.
    """
    if policy.promotion_margin is None:
        return state
    kept = dict(state.excluding)
    for test, weigh in TESTS.items():
        before = kept.get(test, ())
        grown = weigh(policy, state, test, points)
        if grown is not None:
            begun = [*before, *((),) * (step + 1 - len(before))]
            kept[test] = tuple(grown(it) if at <= step else it for at, it in enumerate(begun))
    return replace(state, excluding=kept)


def asked(policy: Policy, state: State) -> tuple[str, ...]:
    """Return which tests a challenger must pass: in all that is known of the champion."""
    known = {
        "latency": policy.latency_edges and sum(state.champion.latency.seen),
        "score": sum(state.champion.score.seen),
        "confidence": sum(state.champion.confidence.seen),
    }
    return tuple(test for test in TESTS if known.get(test.partition("_")[0], True))


def log_excluded(policy: Policy, state: State, test: str) -> float:
    """Return a test's evidence (log, nats) that the margin is kept, from the step with least."""
    kept = state.excluding.get(test, ())
    if state.step is None or len(kept) <= state.step or not all(kept):
        return -math.inf
    return min(log_against(policy, test, sums) for sums in kept)


def log_against(policy: Policy, test: str, sums: Sums) -> float:
    """Return the log e-value (nats) of `sums` against "worse than the promotion margin"."""
    if test in HISTOGRAMS:
        return log_distance(sums, margin(policy, test))
    return log_rates_below(sums, margin(policy, test))


def margin(policy: Policy, test: str) -> float:
    """
    Return the margin that a test excludes; raises ValueError where the policy has none.

    Errors: share of requests beyond (1 + errors_relative) times the champion's; latency: share of
    answers later than a quantile of the champion's, beyond the slowed champion's (0); predictions:
    total variation.
    """
    allowed = policy.promotion_margin
    if allowed is None:
        raise ValueError("promotion_margin is None: a policy without one excludes nothing")
    if test in HISTOGRAMS:
        expected: float = getattr(policy.expected, test)
        return min(1.0, expected + allowed.predictions)
    return 0.0 if test in QUANTILES else allowed.errors_absolute


def bound(policy: Policy, test: str, sums: Sums) -> float:
    """
    Return the least margin that `sums` exclude, at most 1: the end of a confidence sequence.

    With probability 1 - `false_promotion` the challenger's true excess, on average over the
    minutes so far, lies below it at every look.
    """
    log_e = log_distance if test in HISTOGRAMS else log_rates_below
    needed = -math.log(policy.false_promotion)
    low, high = -1.0, 1.0
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (low, middle) if log_e(sums, middle) >= needed else (middle, high)
    return high


# --- rates


def log_rates_below(sums: Sums, delta: float) -> float:
    """Return the log e-value (nats) against "at least `delta` above rho times the champion's"."""
    requests, *logs = sums
    return log_sum(
        [
            log / MICRO + (1 - fewer) * requests * delta
            for fewer, log in zip(FEWER, logs, strict=True)
        ]
    )


def rates_after(sums: Sums, challenger: Trials, champion: Trials, rho: float) -> Sums:
    """Return the sums of a test of rates after a minute in which both variants had requests."""
    requests, *logs = sums
    ratio = rho * challenger.n / champion.n
    gains = [
        challenger.x * math.log(fewer) + champion.x * math.log1p(ratio * (1 - fewer))
        for fewer in FEWER
    ]
    # Down: what is kept is at most the true evidence.
    return requests + challenger.n, *(
        math.floor(log + MICRO * gain) for log, gain in zip(logs, gains, strict=True)
    )


def rates_start(usual: float, rho: float, delta: float) -> Sums:
    """Return the sums before any minute, most being staked on a challenger like the champion."""
    likely = math.log(min(FEWER[-1], max(FEWER[0], usual / max(1e-9, rho * usual + delta))))
    weights = [1 / (1 + ((math.log(fewer) - likely) / CLOSE) ** 2) for fewer in FEWER]
    return 0, *(math.floor(MICRO * math.log(weight / sum(weights))) for weight in weights)


def steadied(champion: Trials, challenger: Trials, usual: float) -> Trials:
    """
    Return the champion's minute without what hit it alone.

    Its bad answers count up to its usual rate, or to the challenger's: a burst of the champion's
    shows nothing good of the challenger. Fewer of them are always less evidence.
    """
    noise = NOISE * math.sqrt(usual / champion.n)
    rate = max(usual + noise, challenger.x / challenger.n)
    return Trials(champion.n, min(champion.x, champion.n * rate))


Grow = Callable[[Sums], Sums]
Weigh = Callable[[Policy, State, str, tuple[Point, Point]], Grow | None]


def _rates(count: Callable[[Point], int]) -> Weigh:
    def weigh(policy: Policy, state: State, test: str, points: tuple[Point, Point]) -> Grow:
        champion, challenger = (Trials(point.n, count(point)) for point in points)
        rho = 1 + (policy.promotion_margin.errors_relative if policy.promotion_margin else 0.0)
        bad, of = state.usual.get(test, (0, 0))
        usual = (bad + 0.5) / (of + 100)
        fresh = rates_start(usual, rho, margin(policy, test))
        return _growing(fresh, challenger, steadied(champion, challenger, usual), rho)

    return weigh


def _latency(policy: Policy, state: State, test: str, points: tuple[Point, Point]) -> Grow | None:
    champion, challenger = (point.lat for point in points)
    used, allowed = state.champion.latency.used, policy.promotion_margin
    if allowed is None or not policy.latency_edges or not all(map(sum, (used, *_lats(points)))):
        return None
    cut = past_quantile(used, QUANTILES[test])
    late = [
        sum(share for index, share in spread if index >= cut)
        for spread in slowed(policy.latency_edges, 1 + allowed.latency)
    ]
    ours = Trials(sum(challenger), sum(challenger[cut:]))
    theirs = Trials(sum(champion), _dot(champion, late))
    usual, slowest = (it / sum(used) for it in (sum(used[cut:]), _dot(used, late)))
    fresh = rates_start(usual, 1.0, slowest - usual)
    return _growing(fresh, ours, steadied(theirs, ours, slowest), 1.0)


def _lats(points: tuple[Point, Point]) -> tuple[tuple[int, ...], ...]:
    return tuple(point.lat for point in points)


def _dot(counts: Sequence[int], parts: Sequence[float]) -> float:
    return math.fsum(count * part for count, part in zip(counts, parts, strict=True))


def _growing(fresh: Sums, challenger: Trials, champion: Trials, rho: float) -> Grow:
    return lambda sums: rates_after(sums or fresh, challenger, champion, rho)


# --- histograms


def log_distance(sums: Sums, distance: float) -> float:
    """Return the log e-value (nats) against a total variation of at least `distance`."""
    weight, *bins = (it / MICRO for it in sums)
    # Of all sets of bins, those that have more make up the one that is worst.
    lead = distance * weight - sum(max(0.0, it) for it in bins)
    staked = math.log(len(GAPS))
    return log_sum([4 * gap * lead - 2 * gap * gap * weight - staked for gap in GAPS])


def shares_after(sums: Sums, challenger: Sequence[int], champion: Sequence[int]) -> Sums:
    """Return the sums of a test of histograms after a minute; neither histogram is empty."""
    n_c, n_0 = sum(challenger), sum(champion)
    weight = MICRO * n_c * n_0 // (n_c + n_0)
    excess = (x / n_c - y / n_0 for x, y in zip(challenger, champion, strict=True))
    total, *bins = sums or (0,) * (len(challenger) + 1)
    # Up: what is kept is at least the true excess.
    return total + weight, *(
        it + math.ceil(weight * more) for it, more in zip(bins, excess, strict=True)
    )


def _shares(histogram: Callable[[Point], tuple[int, ...]]) -> Weigh:
    def weigh(
        _policy: Policy, _state: State, _test: str, points: tuple[Point, Point]
    ) -> Grow | None:
        champion, challenger = map(histogram, points)
        if not (sum(champion) and sum(challenger)):
            return None
        return lambda sums: shares_after(sums, challenger, champion)

    return weigh


HISTOGRAMS = ("score", "confidence")
TESTS: Mapping[str, Weigh] = {
    "errors": _rates(lambda point: point.em),
    "client_errors": _rates(lambda point: point.e4),
    **dict.fromkeys(QUANTILES, _latency),
    "score": _shares(lambda point: point.score),
    "confidence": _shares(lambda point: point.conf),
}
