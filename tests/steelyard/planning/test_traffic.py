"""Imagined minutes have the counts that were asked for."""

import statistics

import pytest

from steelyard.planning.traffic import HEALTHY, Expected, Fault, Traffic

EXPECTED = Expected(1000, 0.02, champion=(6, 3, 1), challenger=(2, 2, 6))


def minutes(fault: Fault, weight: int = 10, expected: Expected = EXPECTED, count: int = 400):
    traffic = Traffic(expected, "a seed")
    return [traffic.minute(weight, fault) for _ in range(count)]


@pytest.mark.parametrize("rate", [40, 1000, 50_000])
def test_requests_are_split_by_weight_and_vary_as_arrivals_do(rate: int):
    expected = Expected(rate, 0.02, (1, 1), (1, 1))

    counts = [ours.n if ours else 0 for _, ours in minutes(Fault("x", 0.5), 20, expected)]

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


def test_a_healthy_challenger_answers_as_its_held_out_rows_say():
    points = [ours for _, ours in minutes(HEALTHY) if ours]

    totals = [sum(column) for column in zip(*(point.score for point in points), strict=True)]
    assert [total / sum(totals) for total in totals] == pytest.approx([0.2, 0.2, 0.6], abs=0.02)
    assert all(sum(point.score) == point.n - point.em for point in points)


def test_constant_answers_are_the_champions_likeliest_one():
    points = [ours for _, ours in minutes(Fault("x", is_constant=True)) if ours]

    assert all(point.score[0] > 0 and point.score[1:] == (0, 0) for point in points)


def test_a_silent_challenger_measures_nothing_while_the_champion_does():
    assert all(ours is None and theirs for theirs, ours in minutes(Fault("x", is_silent=True)))


def test_a_minute_without_a_request_has_no_point():
    points = [ours for _, ours in minutes(HEALTHY, 1, Expected(20, 0.0, (1,), (1,)))]

    assert 0.7 < sum(point is None for point in points) / len(points) < 0.9  # exp(-0.2) = 0.82


def test_at_weight_100_the_champion_measures_nothing():
    assert all(theirs is None for theirs, _ in minutes(HEALTHY, 100))


def test_the_same_seed_gives_the_same_minutes():
    assert minutes(HEALTHY) == minutes(HEALTHY)
    assert Traffic(EXPECTED, "other").minute(10, HEALTHY) != minutes(HEALTHY)[0]
