"""Which faults a plan plays, and of what sizes."""

from dataclasses import replace

import pytest

from steelyard.planning.faults import distance, ladders, tolerated
from steelyard.planning.traffic import answers
from tests.steelyard.planning.sample import setting


def names(channel, **changes):
    given = setting(**changes)
    return [fault.name for fault in ladders(given.policy, given.expected)[channel]]


def changed(**changes):
    return {"tolerance": setting().policy.to_dict()["tolerance"] | changes}


def test_each_channel_of_the_judge_has_its_ladder():
    given = setting()

    assert list(ladders(given.policy, given.expected)) == [
        "errors",
        "client errors",
        "latency",
        "predictions",
        "silence",
    ]


def test_only_rates_that_are_clearly_not_tolerated_are_played():
    assert names("errors") == ["2% errors", "5% errors", "10% errors", "30% errors"]
    assert names("errors", **changed(errors_absolute=0.03)) == [
        "5% errors",
        "10% errors",
        "30% errors",
    ]


def test_only_slower_answers_than_are_tolerated_are_played():
    assert names("latency") == ["1.5 times as slow", "2 times as slow", "3 times as slow"]
    assert names("latency", **changed(latency=0.5)) == ["2 times as slow", "3 times as slow"]


def test_only_predictions_beyond_the_expected_difference_and_tolerance_are_played():
    given = setting()
    played = ladders(given.policy, given.expected)["predictions"]

    *altered, constant = played
    for fault in altered:
        score = answers(given.expected, fault).score
        assert distance(score, given.expected.champion.score) > 0.22
    assert constant.is_constant
    assert [fault.name for fault in altered] == ["30% altered", "50% altered", "80% altered"]


def test_where_latency_has_no_bins_it_is_not_played():
    given = setting()

    assert "latency" not in ladders(given.policy, replace(given.expected, edges=()))


def test_what_is_tolerated_goes_by_the_champions_rate():
    assert tolerated(setting().policy, 0.02) == pytest.approx(1.5 * 0.02 + 0.001)


def test_the_distance_of_two_histograms_is_their_total_variation():
    assert distance((1, 1), (1, 1)) == 0
    assert distance((1, 0), (0, 5)) == 1
    assert distance((3, 1), (2, 2)) == pytest.approx(0.25)
