"""Moments: a time of each week or one date, both in UTC, and how long it is between two."""

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.rollout.conduct import Window
from steelyard.spec.moment import When, length, moment

DAY = 86400


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Mon 00:00", When(True, 0)),
        ("Fri 16:00", When(True, 4 * DAY + 16 * 3600)),
        (" Sun 23:59 ", When(True, 7 * DAY - 60)),
        ("1970-01-02 00:01", When(False, DAY + 60)),
        ("2026-12-24 00:00", When(False, 1_798_070_400)),
    ],
)
def test_a_moment_is_read_as_people_write_it(text, expected):
    assert moment(text) == expected


@pytest.mark.parametrize(
    "given_",
    [None, 16, True, "", "16:00", "Fri", "fri 16:00", "Fri 24:00", "Fri 16:60", "Fri 4:00",
     "2026-12-24", "2026-13-01 00:00", "2026-12-24 25:00", "2026-12-24 00:00 CET", ["Fri 16:00"]],
)  # fmt: skip
def test_anything_else_is_told_what_to_write(given_):
    with pytest.raises(ValueError, match=r"allowed is a day and a time .* write for example Fri"):
        moment(given_)


def test_what_was_before_the_epoch_has_long_been_over():
    assert moment("1969-12-31 23:00") == When(False, 0)


@pytest.mark.parametrize(
    ("begin", "until", "hours"),
    [
        ("Fri 16:00", "Mon 06:00", 62),
        ("Mon 22:00", "Tue 06:00", 8),
        ("Fri 16:00", "Fri 16:00", 0),
        ("2026-12-24 00:00", "2026-12-27 00:00", 72),
        ("2026-12-27 00:00", "2026-12-24 00:00", -72),
    ],
)
def test_a_week_goes_round_and_a_date_does_not(begin, until, hours):
    assert length(moment(begin), moment(until)) == hours * 3600


moments = st.datetimes(datetime(2026, 1, 1), datetime(2027, 1, 1))


@given(moments)
def test_a_weekly_window_holds_the_minute_that_it_names(at):
    at = at.replace(second=0, microsecond=0, tzinfo=UTC)
    begin = moment(f"{at:%a %H:%M}")
    window = Window(True, begin.seconds, (begin.seconds + 60) % (7 * DAY))

    assert window.until(at.timestamp()) == at.timestamp() + 60
    assert window.until(at.timestamp() - 1) is None
