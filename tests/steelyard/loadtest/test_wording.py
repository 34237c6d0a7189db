"""Numbers as people read them."""

import math

import pytest

from steelyard.loadtest import wording
from steelyard.loadtest.knee import Knee
from steelyard.loadtest.memory import Memory
from steelyard.loadtest.quantiles import Estimate
from steelyard.loadtest.trend import Trend

MIB = 2.0**20


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (0.0123456, "12.3 ms"),
        (0.00004, "0.04 ms"),
        (0.9994, "999 ms"),
        (0.9996, "1 s"),
        (1.5, "1.5 s"),
        (1234.0, "1,234 s"),
    ],
)
def test_a_time_is_said_in_the_unit_that_fits(seconds, said):
    assert wording.span(seconds) == said


@pytest.mark.parametrize(
    ("estimate", "said"),
    [
        (Estimate(0.99, 900, 0.012, 0.011, 0.014), "12 ms (11 ms to 14 ms)"),
        (Estimate(0.99, 900, 0.012, 0.011, math.inf), "12 ms (11 ms to unanswered)"),
        (Estimate(0.99, 900, math.inf, 0.011, math.inf), "unanswered"),
        (Estimate(0.999, 500, None, None, None), "too few samples: 500 of 3,688"),
    ],
)
def test_a_quantile_is_said_with_its_interval(estimate, said):
    assert wording.estimate(estimate) == said


@pytest.mark.parametrize(
    ("knee", "said"),
    [
        (Knee(900, 980, "over"), "900 requests/s were good, 980 requests/s too much"),
        (
            Knee(900, 980, "unsure"),
            "at least 900 requests/s; at 980 requests/s the generator fell behind",
        ),
        (Knee(900, None, None), "900 requests/s were good, and no more was tried"),
        (Knee(None, 10, "over"), "no rate was good, down to 10 requests/s"),
    ],
)
def test_a_knee_is_said_with_what_bounds_it(knee, said):
    assert wording.knee(knee) == said


@pytest.mark.parametrize(
    ("memory", "said"),
    [
        (Memory("", (), None), "unknown"),
        (Memory("PSS", ((0.0, 1.0),), None), "too few readings to say whether it grows"),
        (
            Memory("PSS", ((0.0, 1.0),), Trend(MIB, MIB, 2 * MIB, 60.0)),
            "it grows, between +60 and +120 MiB in 60 s",
        ),
        (
            Memory("PSS", ((0.0, 1.0),), Trend(0.0, -MIB / 60, MIB / 60, 60.0)),
            "no growth shown, between −1 and +1 MiB in 60 s",
        ),
    ],
)
def test_memory_is_never_called_flat_or_nothing_where_it_is_not_known(memory, said):
    assert wording.growth(memory) == said
