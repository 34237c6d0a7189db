"""Scenarios with a fault: what does not roll these back is wrong."""

import numpy as np

from benchmarks.judge import faults, healthy
from benchmarks.judge.conditions import Outage
from benchmarks.judge.delivery import KINDS
from benchmarks.judge.faults import Broken, Change, Silent, Strength
from benchmarks.judge.setting import MINUTES, Plot, Scenario, Setting
from benchmarks.judge.world import HISTORY

LARGE = {"high": (0.05, 0.4), "mid": (0.05, 0.4), "low": (0.1, 0.5), "tiny": (0.3, 0.8)}
ONSET = {"high": 6, "mid": 6, "low": 8, "tiny": 12}
"""The latest onset (minutes): before a fast judge is done."""


def _broken(change: Change, strength: Strength = faults.always) -> Plot:
    return Plot(fault=Broken(change, strength))


def _large(at: Setting) -> Change:
    return faults.failing(at.log_uniform(*LARGE[at.level]))


def _onset(at: Setting) -> int:
    return at.whole(1, ONSET[at.level])


# --- errors


def small_errors(at: Setting) -> Plot:
    """Errors rise so little that the perfect rule needs one to eight ticks."""
    return _broken(faults.failing(at.excess(at.log_uniform(1, 8))))


def large_errors(at: Setting) -> Plot:
    """Errors rise far beyond what is tolerated."""
    return _broken(_large(at))


def in_an_outage(at: Setting) -> Plot:
    """Errors rise far, while both variants suffer an outage."""
    extra = np.zeros(MINUTES)
    begin = at.whole(0, 5)
    extra[HISTORY + begin : HISTORY + begin + at.whole(5, 15)] = at.uniform(0.05, 0.2)
    change = faults.failing(at.uniform(0.35, 0.7))
    return Plot((Outage(extra),), Broken(change, faults.late(begin)))


def among_bursts(at: Setting) -> Plot:
    """Errors rise far, where single bad minutes are nothing new."""
    return Plot(healthy.bursts(at).conditions, Broken(_large(at), faults.always))


def client_errors(at: Setting) -> Plot:
    """The challenger refuses requests that the champion takes."""
    return _broken(faults.refusing(at.log_uniform(*LARGE[at.level])))


# --- time


def slow_ramp(at: Setting) -> Plot:
    """Errors grow to their size over some minutes."""
    return _broken(_large(at), faults.ramp(at.whole(4, 10)))


def late_onset(at: Setting) -> Plot:
    """Errors rise some minutes into the rollout."""
    return _broken(_large(at), faults.late(_onset(at)))


def intermittent(at: Setting) -> Plot:
    """Errors come and go: for one minute of two, up to three of six."""
    period = at.whole(2, 6)
    return _broken(_large(at), faults.intermittent(period, at.whole(1, (period + 1) // 2)))


# --- latency


def tail_only(at: Setting) -> Plot:
    """A few requests are several times as slow."""
    return _broken(faults.some_slow(at.uniform(0.05, 0.15), at.uniform(4, 8)))


def shift(at: Setting) -> Plot:
    """Every request is slower."""
    return _broken(faults.slow(at.uniform(1.5, 3.0)))


def bimodal(at: Setting) -> Plot:
    """A third of the requests are slow."""
    return _broken(faults.some_slow(at.uniform(0.2, 0.45), at.uniform(2.5, 4.0)))


def time_outs(at: Setting) -> Plot:
    """Some requests run into the time limit and fail."""
    return _broken(faults.timing_out(at.log_uniform(0.02, 0.2), 60e6))


# --- predictions


def mean_shift(at: Setting) -> Plot:
    """All scores are higher."""
    bins = at.uniform(0.08, 0.25) * len(at.base.score)
    return _broken(faults.scoring(faults.shifted(at.base.score, bins)))


def collapse(at: Setting) -> Plot:
    """Every score is the same."""
    constant = at.whole(0, len(at.base.score) - 1)
    return _broken(faults.scoring(faults.collapsed(at.base.score, constant)))


def tripled(at: Setting) -> Plot:
    """Three times as many predictions are positive."""
    return _broken(faults.scoring(faults.tripled(at.base.score)))


# --- dead


def dead(at: Setting) -> Plot:
    """Every request fails."""
    return _broken(faults.dead)


def dies(at: Setting) -> Plot:
    """Every request fails from some minute on."""
    return _broken(faults.dead, faults.late(_onset(at)))


def silent(at: Setting) -> Plot:
    """The challenger has no data points from the start."""
    return Plot(fault=Silent())


def falls_silent(at: Setting) -> Plot:
    """The challenger has no data points from some minute on."""
    return Plot(fault=Silent(_onset(at)))


# --- delivery and load


def badly_delivered(kind: str) -> Scenario:
    """Return the scenario of large errors whose metrics are late, missing, duplicate, revised."""

    def scenario(at: Setting) -> Plot:
        longest = at.spec["max_metric_delay"]
        chance = at.uniform(0.1, 0.2) if kind == "missing" else at.uniform(0.2, 0.6)
        delivery = KINDS[kind](at.rng, longest, chance)
        return Plot(fault=Broken(_large(at), faults.always), delivery=delivery)

    return scenario


def under_load(stage: int, kind: str) -> Scenario:
    """Return the scenario of a fault that shows only from a stage on."""

    def scenario(at: Setting) -> Plot:
        change = (
            faults.failing(at.excess(at.log_uniform(0.2, 1.5), stage))
            if kind == "errors"
            else faults.slow(at.uniform(1.5, 2.5))
        )
        return Plot(fault=Broken(change, faults.always), first_stage=stage)

    return scenario
