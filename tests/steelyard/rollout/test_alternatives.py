"""What is thought of as a fault looks like one, and is clipped where the tolerance is."""

from itertools import pairwise

import pytest

from steelyard.rollout.alternatives import (
    LATENCY_STAKES,
    latency_ratios,
    score_ratios,
    score_stakes,
    slowed,
    smoothed,
    spread_over,
    staked,
)

CHAMPION = (400, 150, 80, 50, 30, 30, 30, 50, 80, 100)
EDGES = (0.01, 0.02, 0.04, 0.08, 0.16)
SECONDS = (50, 300, 400, 200, 40, 10)


def test_there_is_a_stake_for_each_alternative_and_all_add_up_to_one():
    assert len(score_stakes(10)) == len(score_ratios(CHAMPION, (), 0.1, 0.1))
    assert len(LATENCY_STAKES) == len(latency_ratios(SECONDS, EDGES, 0.2))
    assert sum(score_stakes(10)) == pytest.approx(1.0)
    assert sum(LATENCY_STAKES) == pytest.approx(1.0)


def test_without_tolerance_a_constant_score_is_thought_of_whole():
    constant = score_ratios(CHAMPION, (), 0.1, 0.0)[8 + 5]

    assert constant[5] == pytest.approx(0.98 / smoothed(CHAMPION)[5] + 0.02)
    assert constant[0] == pytest.approx(0.02)


def test_the_tolerance_clips_what_is_thought_of():
    free, clipped = (score_ratios(CHAMPION, (), 0.1, distance)[8 + 5] for distance in (0.0, 0.2))

    assert max(clipped) < 0.5 * max(free)
    assert min(clipped) > min(free)


def test_what_the_tolerance_allows_whole_is_not_thought_of():
    # The scores are the challenger's own, so near the champion's that all of it is tolerated.
    assert score_ratios(CHAMPION, CHAMPION, 0.1, 0.1)[-1] == (1.0,) * 10


def test_nothing_is_staked_on_what_the_tolerance_allows():
    ways = score_ratios(CHAMPION, CHAMPION, 0.1, 0.1)

    found = staked(score_stakes(10), ways)

    assert found[-1] < 1e-5
    assert sum(found) == pytest.approx(1.0)


def test_what_was_learned_of_the_challenger_is_thought_of():
    challenger = CHAMPION[::-1]

    learned = score_ratios(CHAMPION, challenger, 0.1, 0.0)[-1]

    assert learned[0] == pytest.approx(0.25, rel=0.05)
    assert learned[-1] == pytest.approx(4.0, rel=0.05)


def test_slowed_answers_move_up_and_none_is_lost():
    for factor in (1.2, 2.0, 5.0, 1e6):
        for bin_, spread in enumerate(slowed(EDGES, factor)):
            assert sum(share for _, share in spread) == pytest.approx(1.0)
            assert min(index for index, _ in spread) >= bin_
    # Each edge is twice the one before it, so twice as slow is one bin on.
    assert slowed(EDGES, 2.0)[1] == ((2, pytest.approx(1.0)),)


def test_a_time_out_ends_in_the_last_bin():
    assert spread_over(smoothed(SECONDS), slowed(EDGES, 1e6)) == pytest.approx((0, 0, 0, 0, 0, 1))


def test_slow_alternatives_never_favour_a_faster_bin():
    for ratios in latency_ratios(SECONDS, EDGES, 0.2):
        assert all(low <= high + 1e-12 for low, high in pairwise(ratios))
        assert ratios[-1] > 1.0
