"""Scenarios without a fault: whatever rolls these back is wrong."""

import numpy as np

from benchmarks.judge.conditions import Bursts, Cycle, Difference, Outage, WarmUp, windows
from benchmarks.judge.delivery import KINDS
from benchmarks.judge.setting import MINUTES, Plot, Scenario, Setting
from benchmarks.judge.world import Array


def identical(at: Setting) -> Plot:
    """Both variants are the same."""
    return Plot()


def tolerated(at: Setting) -> Plot:
    """The challenger is a little worse in everything, within tolerance."""
    return Plot((_difference(at, at.uniform(0.3, 0.9)),))


def edge(at: Setting) -> Plot:
    """The challenger is exactly as bad as is tolerated, in everything."""
    return Plot((_difference(at, 1.0),))


def _difference(at: Setting, part: float) -> Difference:
    return Difference(
        errors=part * at.tolerated,
        slower=1 + part * at.spec["margin_latency_rel"],
        score=at.moved(part * at.spec["margin_score_tv"]),
    )


def better(at: Setting) -> Plot:
    """A better model fails less, is faster, and scores otherwise within the margin."""
    score = at.moved(at.uniform(0.5, 0.9) * at.spec["margin_score_tv"])
    return Plot((Difference(-0.3 * at.base.e5, at.uniform(0.7, 1.0), score),))


def shared_outage(at: Setting) -> Plot:
    """Outages and bursts of bad requests meet both variants."""
    failing = windows(at.rng, MINUTES, 0.04, 5) * at.log_uniform(0.03, 0.4)
    refused = windows(at.rng, MINUTES, 0.03, 3) * at.log_uniform(0.03, 0.3)
    return Plot((Outage(failing), Outage(refused, client=True)))


def day_cycle(at: Setting) -> Plot:
    """Traffic, errors, latency and scores of both variants move with the hour."""
    phase = np.sin(np.arange(MINUTES) * 2 * np.pi / at.uniform(60, 400) + at.uniform(0, 6.28))
    at.traffic[:] *= 1 + 0.5 * phase
    return Plot((Cycle(phase, 0.5, 0.3, at.moved(1.0), 0.2),))


def warm_up(at: Setting) -> Plot:
    """The challenger is slow in its first minutes."""
    return Plot((WarmUp(at.spec["warmup_ticks"], at.uniform(1.5, 3.0)),))


def bursts(at: Setting) -> Plot:
    """Single bad minutes fail requests of one variant at a time."""
    return Plot((_bursts(at, at.uniform(0.04, 0.1), 1),))


def long_bursts(at: Setting) -> Plot:
    """Up to three bad minutes in a row fail requests of one variant at a time."""
    return Plot((_bursts(at, at.uniform(0.02, 0.06), 3),))


def overdispersed(at: Setting) -> Plot:
    """Each variant's rate of 5xx is another in each minute (gamma, one rate on average)."""
    shape = 1 / at.uniform(0.3, 0.8) ** 2

    def extra() -> Array:
        return np.asarray(at.base.e5 * (at.rng.gamma(shape, 1 / shape, MINUTES) - 1))

    return Plot((Bursts(extra(), extra()),))


def noisy_neighbour(at: Setting) -> Plot:
    """Single minutes are slow for one variant at a time."""
    return Plot((_bursts(at, at.uniform(0.04, 0.1), 1, slower=at.uniform(1.2, 2.0)),))


def _bursts(at: Setting, chance: float, longest: int, slower: float = 1.0) -> Bursts:
    def extra() -> Array:
        sizes = np.exp(at.rng.uniform(np.log(0.005), np.log(0.05), MINUTES))
        return windows(at.rng, MINUTES, chance, longest) * sizes

    return Bursts(extra(), extra(), slower)


def delivered(kind: str) -> Scenario:
    """Return the scenario in which metrics are late, missing, duplicate or revised."""

    def scenario(at: Setting) -> Plot:
        longest = at.spec["max_metric_delay"]
        chance = at.uniform(0.1, 0.2) if kind == "missing" else at.uniform(0.2, 0.6)
        return Plot(delivery=KINDS[kind](at.rng, longest, chance))

    return scenario
