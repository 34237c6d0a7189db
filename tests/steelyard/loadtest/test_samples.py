"""What a run saw, and what coordinated omission would have hidden."""

import math

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from steelyard.loadtest.arrivals import schedule
from steelyard.loadtest.samples import Samples
from tests.steelyard.loadtest.single_server import answers


def test_a_stall_of_a_second_is_in_the_response_of_all_who_came_while_it_lasted():
    due = schedule("constant", 100, 0, 20, 0)
    samples = answers(due, 0.001, stall=(5.0, 6.0))

    response = np.sort(samples.response())

    # 100 of 2,000 requests came during the stall, and waited between nothing and all of it.
    assert np.quantile(response, 0.99) > 0.75
    assert np.quantile(response, 0.95) < 0.2
    assert np.sum(response > 0.1) > 90


def test_a_generator_that_waits_for_its_answer_would_have_seen_the_stall_once():
    due = schedule("constant", 100, 0, 20, 0)
    samples = answers(due, 0.001, stall=(5.0, 6.0))
    # One connection: a request is sent when the one before is answered.
    sent = np.maximum(due, np.concatenate(([0.0], samples.done[:-1])))
    waiting = Samples(due, due, sent, samples.done, samples.failures)

    assert np.sum(waiting.service() > 0.1) == 1
    assert np.quantile(waiting.service(), 0.99) < 0.01
    assert np.quantile(waiting.response(), 0.99) > 0.75


@given(st.lists(st.booleans(), min_size=1, max_size=50))
def test_a_failure_is_infinitely_slow_however_fast_it_came(fails):
    due = np.arange(float(len(fails)))
    failures = ["HTTP 503" if it else "" for it in fails]
    samples = Samples(due, due, due, due + 0.001, failures)

    assert [math.isinf(it) for it in samples.response()] == fails
    assert [math.isinf(it) for it in samples.service()] == fails


def test_the_warm_up_is_left_out():
    due = np.array([-1.0, -0.1, 0.0, 1.0])
    samples = Samples(due, due, due, due + 1, ["timed out", "", "", "HTTP 500"])

    assert samples.measured().scheduled.tolist() == [0.0, 1.0]
    assert samples.measured().failure_counts() == {"HTTP 500": 1}


def test_failures_are_counted_by_what_they_are_the_most_frequent_first():
    due = np.arange(4.0)
    samples = Samples(due, due, due, due, ["timed out", "HTTP 503", "", "HTTP 503"])

    assert list(samples.failure_counts().items()) == [("HTTP 503", 2), ("timed out", 1)]


def test_lateness_is_the_generators_and_not_the_servers():
    due = np.array([0.0, 1.0])
    samples = Samples(due, due + 0.5, due + 0.7, due + 0.9, ["", ""])

    assert samples.lateness().tolist() == [0.5, 0.5]
