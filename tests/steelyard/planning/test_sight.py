"""Trials summed up."""

import pytest

from steelyard.planning.sight import Spread, rung
from steelyard.planning.traffic import Fault
from tests.steelyard.planning.sample import setting


@pytest.mark.parametrize(
    ("values", "p50", "p90"),
    [([7], 7, 7), ([1, 2], 1, 2), (range(1, 11), 5, 9), (range(20, 0, -1), 10, 18)],
)
def test_half_and_nine_of_ten_values_are_at_most_the_quantiles(values, p50, p90):
    assert Spread.of(list(values)) == Spread(p50, p90)


def test_no_values_have_no_spread():
    assert Spread.of([]) is None


def test_the_soak_counts_requests_until_traffic_is_home_or_the_soak_is_over():
    half_seen = rung(setting(), Fault("x", errors=0.5), [2, None])

    assert (half_seen.seen, half_seen.missed, half_seen.step) == (1, 1, 2)
    assert half_seen.seconds == Spread(180, 180)
    assert half_seen.requests == Spread(1200, 1200)
    # 900 s of soak: half of 600 a minute, for 2 or 15 minutes, and one on the way home.
    assert half_seen.hurt == pytest.approx(300 * ((2 + 15) / 2 + 1))
