"""Challengers a little worse than a promotion margin, each in one channel: the hardest to see."""

import math
from collections.abc import Callable
from statistics import NormalDist

from benchmarks.judge import faults
from benchmarks.judge.faults import Broken, Change
from benchmarks.judge.profiles import widened
from benchmarks.judge.setting import Plot, Scenario, Setting

BEYOND = 1.02
"""How many times the margin the challenger is worse."""
SLOW = 6.0
"""How many times as slow the requests of a tail are."""

Worse = Callable[[Setting, dict[str, float]], Change]


def errors(at: Setting, margin: dict[str, float]) -> Change:
    """Answer with 5xx a little more often than the margin allows."""
    return faults.failing(_extra(at, at.base.e5, margin))


def client_errors(at: Setting, margin: dict[str, float]) -> Change:
    """Answer with 4xx a little more often than the margin allows."""
    return faults.refusing(_extra(at, at.base.e4, margin))


def _extra(at: Setting, rate: float, margin: dict[str, float]) -> float:
    """Return the share of further requests that must fail."""
    excess = margin["margin_err_rel"] * rate + margin["margin_err_abs"]
    return BEYOND * excess / (1 - at.base.e4 - at.base.e5)


def latency(at: Setting, margin: dict[str, float]) -> Change:
    """Answer everything a little more slowly than the margin allows."""
    return faults.slow(1 + BEYOND * margin["margin_latency_rel"])


def tail(part: float) -> Worse:
    """
    Return what makes `part` more requests too slow than the margin's 99th percentile allows.

    All other percentiles of the latency are within it.
    """

    def change(at: Setting, margin: dict[str, float]) -> Change:
        normal = NormalDist()
        _, _, sigma = at.base.latency[0]
        limit = normal.inv_cdf(0.99) + math.log(1 + margin["margin_latency_rel"]) / sigma
        usual = 1 - normal.cdf(limit)
        slow = 1 - normal.cdf(limit - math.log(SLOW) / sigma)
        return faults.some_slow(((1 + part) * 0.01 - usual) / (slow - usual), SLOW)

    return change


def predictions(at: Setting, margin: dict[str, float]) -> Change:
    """Score otherwise, a little further than the margin allows, in a random direction."""
    return faults.scoring(at.moved(BEYOND * margin["margin_score_tv"]))


CHANNELS: dict[str, Worse] = {
    "errors": errors,
    "client errors": client_errors,
    "latency": latency,
    "latency, a quarter more in the tail": tail(0.25),
    "latency, half more in the tail": tail(0.5),
    "predictions": predictions,
}


def beyond(channel: str, factor: float) -> Scenario:
    """Return the scenario of a challenger worse than `factor` times the tolerance in a channel."""

    def scenario(at: Setting) -> Plot:
        change = CHANNELS[channel](at, widened(at.spec, factor))
        return Plot(fault=Broken(change, faults.always))

    return scenario
