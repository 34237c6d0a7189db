"""Challengers a little worse than a promotion margin."""

import math

import numpy as np
import pytest

from benchmarks.judge import worse
from benchmarks.judge.profiles import widened
from benchmarks.judge.setting import setting
from benchmarks.judge.world import total_variation

FACTOR = 2.0


def made(channel, seed=1):
    """Return the setting, the promotion margin, and the worse challenger's truth."""
    at = setting(np.random.default_rng(seed), "mid")
    margin = widened(at.spec, FACTOR)
    return at, margin, worse.CHANNELS[channel](at, margin)(at.base)


@pytest.mark.parametrize("seed", range(5))
@pytest.mark.parametrize(("channel", "rate"), [("errors", "e5"), ("client errors", "e4")])
def test_errors_exceed_what_the_margin_allows_by_a_fiftieth(channel, rate, seed):
    at, margin, challenger = made(channel, seed)
    usual = getattr(at.base, rate)

    allowed = margin["margin_err_rel"] * usual + margin["margin_err_abs"]
    assert getattr(challenger, rate) - usual == pytest.approx(1.02 * allowed)


def test_latency_exceeds_the_margin_by_a_fiftieth():
    at, margin, challenger = made("latency")

    slower = challenger.latency[0][1] / at.base.latency[0][1]
    assert slower == pytest.approx(1 + 1.02 * margin["margin_latency_rel"])


def later(truth, limit):
    """Return the share of requests slower than a limit, us."""
    return sum(
        share * 0.5 * math.erfc(math.log(limit / median) / sigma / math.sqrt(2))
        for share, median, sigma in truth.latency
    )


@pytest.mark.parametrize("seed", range(5))
def test_a_tail_has_as_many_slow_requests_more_as_it_says_and_a_usual_median(seed):
    at, margin, challenger = made("latency, half more in the tail", seed)
    _, median, sigma = at.base.latency[0]
    p99 = median * math.exp(2.3263478740 * sigma) * (1 + margin["margin_latency_rel"])

    assert later(challenger, p99) == pytest.approx(0.015)
    assert later(challenger, median * (1 + margin["margin_latency_rel"])) < 0.5


def test_scores_are_further_away_than_the_margin_by_a_fiftieth():
    at, margin, challenger = made("predictions")

    distance = total_variation(challenger.score, at.base.score)
    assert distance == pytest.approx(1.02 * margin["margin_score_tv"])


def test_only_one_channel_is_worse():
    at, _, challenger = made("predictions")

    assert challenger.latency == at.base.latency
    assert (challenger.e4, challenger.e5) == (at.base.e4, at.base.e5)
