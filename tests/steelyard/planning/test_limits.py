"""What a step's traffic can exclude in its longest time."""

from dataclasses import replace

import pytest

from steelyard.planning.limits import limits
from tests.steelyard.planning.sample import setting

MARGIN = {"errors_relative": 1.0, "errors_absolute": 0.02, "latency": 1.0, "predictions": 0.3}


def found(rate, step=0, **changes):
    given = setting(rate, **{"promotion_margin": MARGIN, **changes})
    return limits(given.policy, given.expected, step)


def test_more_traffic_and_more_weight_exclude_less():
    for more, less in ((found(6000), found(60)), (found(60, 1), found(60, 0))):
        assert more.requests > less.requests
        assert 0.005 < more.errors < less.errors
        assert 0.01 < more.client_errors < less.client_errors
        assert 1 < more.slower < less.slower
        assert 0.12 < more.predictions < less.predictions


def test_requests_are_those_that_settle_within_the_longest_time():
    assert found(600).requests == pytest.approx(60 * (3600 - 90) / 60)


@pytest.mark.parametrize(
    ("rate", "short"),
    [(600, ()), (10, ("errors", "client errors")), (1, ("errors", "client errors", "predictions"))],
)
def test_a_margin_that_the_traffic_cannot_exclude_is_named(rate, short):
    assert set(short) <= set(found(rate).short)
    assert (found(rate).short == ()) == (short == ())


def test_without_a_margin_nothing_falls_short():
    assert found(1, promotion_margin=None).short == ()


def test_latency_that_is_not_judged_is_not_excluded():
    given = setting()

    assert limits(given.policy, replace(given.expected, edges=()), 0).slower is None
