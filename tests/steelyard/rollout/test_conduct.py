"""A rollout's conduct is read whole, and its freeze windows hold the moments that they name."""

import datetime
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.rollout.conduct import WEEK, Conduct, Window, read_conduct

HOUR, DAY = 3600, 86400
WEEKEND = Window(weekly=True, begin=4 * DAY + 16 * HOUR, end=8 * HOUR)
CONDUCT = Conduct(
    confirm=("start", "promotion"),
    freeze=(WEEKEND, Window(weekly=False, begin=1_000, end=2_000)),
    deadline_seconds=7200,
    headroom=0.5,
    champion_scale_out="allow",
)


def moment(text: str) -> float:
    return datetime.datetime.fromisoformat(f"{text}+00:00").timestamp()


def test_a_conduct_survives_its_json():
    problems: list[str] = []

    again = read_conduct(json.loads(json.dumps(CONDUCT.to_dict())), problems)

    assert (again, problems) == (CONDUCT, [])


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-11-20T15:59:59", None),
        ("2026-11-20T16:00:00", "2026-11-23T08:00:00"),  # a Friday
        ("2026-11-22T12:00:00", "2026-11-23T08:00:00"),
        ("2026-11-23T07:59:59", "2026-11-23T08:00:00"),
        ("2026-11-23T08:00:00", None),
    ],
)
def test_a_weekly_window_may_span_the_weekend(now: str, until: str | None):
    assert WEEKEND.until(moment(now)) == (None if until is None else moment(until))


@given(st.integers(0, WEEK - 1), st.integers(0, WEEK - 1), st.integers(0, 2_000_000_000))
def test_a_weekly_window_ends_when_it_says_and_within_a_week(begin: int, end: int, now: int):
    until = Window(weekly=True, begin=begin, end=end).until(now)

    if until is not None:
        assert now < until < now + WEEK
        assert (until + 3 * DAY) % WEEK == end


def test_the_latest_end_of_overlapping_windows_counts():
    conduct = Conduct(freeze=(Window(False, 0, 100), Window(False, 50, 300)))

    assert conduct.frozen_until(60) == 300
    assert conduct.frozen_until(300) is None


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"confirm": ["lunch"]}, "conduct.confirm is ['lunch']: give a list of start and promo"),
        ({"confirm": "start"}, "conduct.confirm is 'start': give a list of start and promotion"),
        ({"deadline_seconds": 5}, "conduct.deadline_seconds is 5: it must be an integer of 60 or"),
        ({"headroom": 30}, "conduct.headroom is 30: it must be a number in 0..1"),
        ({"champion_scale_out": True}, "conduct.champion_scale_out is True: it must be hold or"),
        ({"freeze": {}}, "conduct.freeze is {}: give a list of windows, or an empty one"),
        ({"freeze": [7]}, "conduct.freeze[0] is 7: give weekly (true or false), begin and end"),
        (
            {"freeze": [{"weekly": True, "begin": 0, "end": WEEK}]},
            f"conduct.freeze[0].end is {WEEK}: it must be an integer in 0..{WEEK - 1}",
        ),
        (
            {"freeze": [{"weekly": True, "begin": 5, "end": 5}]},
            "conduct.freeze[0] ends at 5, begins at 5: end it later",
        ),
        (
            {"freeze": [{"weekly": False, "begin": 9, "end": 8}]},
            "conduct.freeze[0] ends at 8, begins at 9: end it later",
        ),
    ],
)
def test_a_conduct_that_cannot_be_used_says_why(changes: dict[str, Any], problem: str):
    problems: list[str] = []

    read_conduct(CONDUCT.to_dict() | changes, problems)

    (found,) = problems
    assert found.startswith(problem)
