"""When requests are due."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.loadtest.arrivals import schedule

rates = st.floats(0.5, 5000)
spans = st.floats(0.1, 4)


@given(rates, spans, st.integers(0, 1000), st.sampled_from(["poisson", "constant"]))
def test_requests_are_due_in_order_from_the_start_to_before_the_end(rate, span, seed, kind):
    due = schedule(kind, rate, -1.0, -1.0 + span, seed)

    assert due[0] == -1.0
    assert np.all(np.diff(due) >= 0)
    assert due[-1] < -1.0 + span + 1 / rate


def test_constant_arrivals_are_even():
    assert schedule("constant", 4, -1, 1, 0).tolist() == [i / 4 - 1 for i in range(8)]


def test_poisson_arrivals_are_as_many_as_the_rate_says_and_independent():
    due = schedule("poisson", 1000, 0, 60, 1)
    gaps = np.diff(due)

    assert len(due) == pytest.approx(60_000, abs=4 * 60_000**0.5)
    # Of an exponential law, mean and deviation are equal; neighbours know nothing of each other.
    assert gaps.std() == pytest.approx(gaps.mean(), rel=0.03)
    assert abs(np.corrcoef(gaps[:-1], gaps[1:])[0, 1]) < 0.02


def test_the_same_seed_gives_the_same_times_and_another_gives_others():
    one, same, other = (schedule("poisson", 50, 0, 5, seed).tolist() for seed in (1, 1, 2))

    assert one == same
    assert one != other
