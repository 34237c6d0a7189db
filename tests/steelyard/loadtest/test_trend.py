"""Whether memory grows."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from steelyard.loadtest.trend import trend


@given(
    st.lists(st.floats(0, 1e9), min_size=10, max_size=60),
    st.floats(0.1, 10),
)
def test_the_slope_is_theil_and_sens(values, step):
    readings = [(i * step, value) for i, value in enumerate(values)]

    found = trend(readings)
    oracle = stats.theilslopes(values, [seconds for seconds, _ in readings])

    assert found.slope == pytest.approx(oracle.slope, rel=1e-9, abs=1e-6)
    assert found.low <= found.slope <= found.high
    assert found.seconds == pytest.approx((len(values) - 1) * step)


def test_the_interval_is_sens_where_no_two_values_are_equal():
    random = np.random.default_rng(2)
    values = np.arange(40) * 3 + random.normal(0, 30, 40)

    found = trend(list(enumerate(values)))
    oracle = stats.theilslopes(values, alpha=0.95)

    assert found.low == pytest.approx(oracle.low_slope, rel=0.02)
    assert found.high == pytest.approx(oracle.high_slope, rel=0.02)


def test_a_leak_grows_although_single_readings_jump():
    random = np.random.default_rng(3)
    values = [1e8 + 2e4 * i + random.normal(0, 1e5) for i in range(60)]
    values[20] = 9e9

    found = trend(list(enumerate(values)))

    assert found.grows
    assert found.low < 2e4 < found.high


def test_noise_about_a_level_does_not_grow():
    random = np.random.default_rng(4)

    assert not trend([(i, 1e8 + random.normal(0, 1e5)) for i in range(60)]).grows


def test_memory_that_never_moves_does_not_grow():
    assert not trend([(float(i), 5e7) for i in range(20)]).grows


def test_a_few_readings_have_no_trend():
    assert trend([(float(i), 1.0) for i in range(9)]) is None


def test_the_readings_of_a_day_are_thinned_and_have_the_same_trend():
    found = trend([(float(i), 1e8 + 5.0 * i) for i in range(86_400)])

    assert found.slope == pytest.approx(5.0)
    assert found.seconds == pytest.approx(86_400, rel=0.01)
