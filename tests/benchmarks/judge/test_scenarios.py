"""Scenarios: what is the same in both variants, what is not, and in which minutes."""

import numpy as np
import pytest

from benchmarks.judge import faulty, healthy
from benchmarks.judge.setting import MINUTES, setting
from benchmarks.judge.world import HISTORY, HORIZON, Moment, World


def world(scenario, seed=1, level="mid"):
    """Return a scenario's world, its setting, and both variants' truths in every minute."""
    at = setting(np.random.default_rng(seed), level)
    plot = scenario(at)
    made = World(at.base, at.traffic, plot.conditions, plot.fault, plot.first_stage)
    return at, [made.truths(Moment(minute, 0)) for minute in range(-HISTORY, HORIZON)]


def errors(truths):
    return np.array([(champion.e5, challenger.e5) for champion, challenger in truths]).T


def median(truth):
    return truth.latency[0][1]


@pytest.mark.parametrize("scenario", [healthy.identical, healthy.shared_outage, healthy.day_cycle])
def test_what_both_variants_share_is_the_same_in_both(scenario):
    _, truths = world(scenario)

    for champion, challenger in truths:
        assert (champion.e4, champion.e5) == (challenger.e4, challenger.e5)
        assert champion.latency == challenger.latency
        assert (champion.score == challenger.score).all()


def test_an_outage_comes_and_goes():
    at, truths = world(healthy.shared_outage)
    champion, _ = errors(truths)

    assert champion.min() == pytest.approx(at.base.e5)
    assert champion.max() > at.base.e5 + 0.02
    assert np.mean(champion > at.base.e5) < 0.5


def test_the_hour_moves_errors_latency_scores_and_traffic():
    at, truths = world(healthy.day_cycle)
    champions = [champion for champion, _ in truths]

    assert len({round(it.e5, 9) for it in champions}) > 20
    assert len({round(median(it)) for it in champions}) > 20
    assert np.ptp([it.score[0] for it in champions]) > 0
    assert at.traffic.max() > 1.5 * at.traffic.min()


def test_warm_up_is_over_after_its_ticks():
    at, truths = world(healthy.warm_up)
    ticks = at.spec["warmup_ticks"]

    slower = [median(challenger) > median(champion) for champion, challenger in truths]
    assert slower == [False] * HISTORY + [True] * ticks + [False] * (HORIZON - ticks)


@pytest.mark.parametrize(("scenario", "longest"), [(healthy.bursts, 2), (healthy.long_bursts, 6)])
def test_bursts_are_single_minutes_of_one_variant(scenario, longest):
    at, truths = world(scenario)
    hit = errors(truths) > at.base.e5 + 0.004

    assert 0.01 < hit.mean() < 0.25
    assert (hit[0] & hit[1]).sum() <= 0.15 * hit.any(axis=0).sum()
    runs = "".join("1" if it else "0" for it in hit[1]).split("0")
    assert len(max(runs)) <= longest


def test_a_noisy_neighbour_slows_one_variant_and_fails_nothing():
    at, truths = world(healthy.noisy_neighbour)
    slow = np.array([[median(it) > 1.1 * median(at.base) for it in pair] for pair in truths])

    assert (errors(truths) == at.base.e5).all()
    assert 0.01 < slow.mean() < 0.2
    assert (slow[:, 0] != slow[:, 1]).any()


def test_an_overdispersed_rate_is_right_on_average_and_another_in_each_minute():
    at, truths = world(healthy.overdispersed)
    rates = errors(truths)

    assert rates.mean() == pytest.approx(at.base.e5, rel=0.15)
    assert 0.2 < rates[1].std() / at.base.e5 < 1.0
    assert abs(np.corrcoef(rates)[0, 1]) < 0.3


def test_a_better_challenger_fails_less():
    _, truths = world(healthy.better)

    champion, challenger = errors(truths)
    assert (challenger < champion).all()


def test_bursts_go_on_around_a_fault():
    at, truths = world(faulty.among_bursts)
    champion, challenger = errors(truths)

    assert champion.max() > at.base.e5 + 0.004
    assert challenger[HISTORY:].min() > at.base.e5 + 0.04


def test_an_outage_covers_the_fault_that_begins_in_it():
    at, truths = world(faulty.in_an_outage)
    champion, challenger = errors(truths)

    begin = int(np.flatnonzero(champion > at.base.e5)[0])
    assert begin >= HISTORY
    assert (challenger[:begin] == champion[:begin]).all()
    assert (challenger[begin:] > 1.5 * champion[begin:]).all()


def test_a_small_fault_is_as_large_as_its_ticks_ask():
    at = setting(np.random.default_rng(1), "mid")

    sizes = [at.excess(ticks) for ticks in (1, 2, 4, 8)]
    assert sizes == sorted(sizes, reverse=True)
    assert at.tolerated < sizes[-1] < 0.05


def test_a_setting_has_traffic_for_its_history_and_its_horizon():
    at = setting(np.random.default_rng(1), "low")

    assert len(at.traffic) == MINUTES == HISTORY + HORIZON
    assert at.traffic.mean() == pytest.approx(400, rel=0.05)
