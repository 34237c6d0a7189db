"""Imagined minutes have the counts that were asked for."""

import statistics
from dataclasses import replace

import pytest

from steelyard.planning.traffic import (
    BURST_MINUTES,
    HEALTHY,
    Expected,
    Fault,
    Histograms,
    Traffic,
    answers,
    shares,
)

EXPECTED = Expected(
    1000,
    0.02,
    champion=Histograms((6, 3, 1), (8, 2)),
    challenger=Histograms((2, 2, 6), (5, 5)),
    client_errors=0.03,
    edges=(0.01, 0.02, 0.04),
)


def minutes(fault: Fault, weight: int = 10, expected: Expected = EXPECTED, count: int = 400):
    traffic = Traffic(expected, "a seed")
    return [traffic.minute(weight, fault) for _ in range(count)]


def totals(histograms):
    summed = [sum(column) for column in zip(*histograms, strict=True)]
    return [total / sum(summed) for total in summed]


@pytest.mark.parametrize("rate", [40, 1000, 50_000])
def test_requests_are_split_by_weight_and_vary_as_arrivals_do(rate: int):
    expected = replace(EXPECTED, requests_per_minute=rate)

    counts = [ours.n if ours else 0 for _, ours in minutes(Fault("x", errors=0.5), 20, expected)]

    mean = statistics.mean(counts)
    assert mean == pytest.approx(0.2 * rate, rel=4 / (0.2 * rate * 400) ** 0.5)
    assert statistics.variance(counts) == pytest.approx(mean, rel=0.35)


def test_each_variant_fails_at_its_own_rate():
    points = minutes(Fault("x", errors=0.3))

    champion, challenger = (
        [point.em / point.n for point in pair if point] for pair in zip(*points, strict=True)
    )
    assert statistics.mean(champion) == pytest.approx(0.02, abs=0.001)
    assert statistics.mean(challenger) == pytest.approx(0.3, abs=0.01)


def test_client_errors_are_counted_apart():
    points = minutes(Fault("x", client_errors=0.2))

    champion, challenger = (
        [point.e4 / point.n for point in pair if point] for pair in zip(*points, strict=True)
    )
    assert statistics.mean(champion) == pytest.approx(0.03, abs=0.001)
    assert statistics.mean(challenger) == pytest.approx(0.2, abs=0.01)


def test_a_healthy_challenger_answers_as_its_held_out_rows_say():
    points = [ours for _, ours in minutes(HEALTHY) if ours]

    assert totals(point.score for point in points) == pytest.approx([0.2, 0.2, 0.6], abs=0.02)
    assert totals(point.conf for point in points) == pytest.approx([0.5, 0.5], abs=0.02)
    assert all(sum(point.score) == point.n - point.em - point.e4 for point in points)


def test_constant_answers_are_the_champions_likeliest_one():
    points = [ours for _, ours in minutes(Fault("x", is_constant=True)) if ours]

    assert all(point.score[0] > 0 and point.score[1:] == (0, 0) for point in points)


def test_altered_answers_become_the_champions_rarest_one():
    found = answers(EXPECTED, Fault("x", altered=0.5))

    assert totals([found.score]) == pytest.approx([0.1, 0.1, 0.8])
    assert answers(EXPECTED, None) == EXPECTED.champion


def test_latency_is_spread_around_its_median_and_a_slower_challenger_takes_longer():
    points = [ours for _, ours in minutes(Fault("x", slower=2.0)) if ours]

    assert sum(shares(EXPECTED, 1.0)[2:]) == pytest.approx(0.5)  # 20 ms is the median
    assert sum(shares(EXPECTED, 2.0)[3:]) == pytest.approx(0.5)  # and 40 ms twice that
    assert totals(point.lat for point in points) == pytest.approx(shares(EXPECTED, 2.0), abs=0.02)


def test_bursts_hit_one_minute_in_thirty_of_each_variant_on_its_own():
    traffic = Traffic(replace(EXPECTED, errors=0.0, has_bursts=True), "a seed")
    pairs = [traffic.minute(50, HEALTHY) for _ in range(6000)]

    hit = [[point is not None and point.em > 0 for point in pair] for pair in pairs]

    for variant in (0, 1):
        assert sum(it[variant] for it in hit) / 6000 == pytest.approx(1 / BURST_MINUTES, rel=0.25)
    assert sum(all(it) for it in hit) < 6000 * 3 / BURST_MINUTES**2


def test_a_silent_challenger_measures_nothing_while_the_champion_does():
    assert all(ours is None and theirs for theirs, ours in minutes(Fault("x", is_silent=True)))


def test_a_minute_without_a_request_has_no_point():
    quiet = replace(EXPECTED, requests_per_minute=20)
    points = [ours for _, ours in minutes(HEALTHY, 1, quiet)]

    assert 0.7 < sum(point is None for point in points) / len(points) < 0.9  # exp(-0.2) = 0.82


def test_at_weight_100_the_champion_measures_nothing():
    assert all(theirs is None for theirs, _ in minutes(HEALTHY, 100))


def test_the_same_seed_gives_the_same_minutes():
    assert minutes(HEALTHY) == minutes(HEALTHY)
    assert Traffic(EXPECTED, "other").minute(10, HEALTHY) != minutes(HEALTHY)[0]
