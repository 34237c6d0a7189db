"""What one run measured."""

import math
from dataclasses import replace

import numpy as np
import pytest

from steelyard.loadtest.arrivals import schedule
from steelyard.loadtest.measurement import late_seconds, measure
from tests.steelyard.loadtest.single_server import answers, measured, still


def test_a_server_that_keeps_up_answers_what_is_sent_although_the_last_answers_come_after():
    due = schedule("constant", 100, -2, 5, 0)
    slow = answers(due, 0.0)
    slow = replace(slow, done=due + 0.5)

    run = measure(slow, 100, 5, 0.001)

    assert run.offered == run.throughput == 100


def test_a_server_that_cannot_keep_up_answers_what_it_can():
    run = measured(rate=2000, seconds_each=0.001)

    assert run.offered == pytest.approx(2000, rel=0.02)
    assert run.throughput == pytest.approx(1000, rel=0.01)


def test_the_response_of_a_queue_is_what_theory_says():
    # M/D/1 at half its capacity: mean wait = load / (2 (1 - load)) services (Pollaczek, Khinchine).
    due = schedule("poisson", 500, 0, 120, 9)
    samples = answers(due, 0.001)

    assert samples.response().mean() == pytest.approx(0.001 * 1.5, rel=0.03)


def test_failed_requests_count_in_no_throughput_and_no_slowest_answer():
    samples = still(400)
    failures = ["HTTP 500" if i % 4 == 0 else "" for i in range(400)]
    failing = replace(samples, failures=failures, done=samples.scheduled + 9)

    run = measure(failing, 10, 40, 0.001)

    assert run.failures == {"HTTP 500": 100}
    assert run.p99.seconds == math.inf
    assert run.slowest == pytest.approx(9)
    assert run.throughput == pytest.approx(0.75 * (40 - 9) * 10 / 40, abs=0.05)


def test_a_run_without_a_good_answer_has_no_slowest_and_no_curve():
    run = measure(replace(still(400), failures=["timed out"] * 400), 10, 40, 0.001)

    assert run.slowest is None
    assert run.response_curve == ()
    assert run.throughput == 0


@pytest.mark.parametrize(("late_count", "expected"), [(0, False), (10, False), (11, True)])
def test_more_than_one_request_in_a_hundred_sent_late_is_the_generators_fault(late_count, expected):
    samples = still(1000)
    started = samples.scheduled + np.where(np.arange(1000) < late_count, 0.002, 0)

    run = measure(replace(samples, started=started), 10, 100, 0.001)

    assert run.late == late_count / 1000
    assert run.is_generators is expected


def test_waiting_for_a_connection_is_told_apart_from_lateness():
    samples = still(1000)

    run = measure(replace(samples, sent=samples.scheduled + 0.003), 10, 100, 0.001)

    assert (run.queued, run.late) == (1.0, 0.0)


def test_a_request_that_never_got_a_connection_waited_for_one():
    samples = still(1000)
    never = replace(samples, sent=np.full(1000, np.inf), failures=["timed out"] * 1000)

    run = measure(never, 10, 100, 0.001)

    assert run.queued == 1.0
    assert run.service[0].seconds == math.inf


def test_what_is_late_depends_on_what_may_take_how_long():
    assert late_seconds(0.01) == 0.001
    assert late_seconds(1.0) == 0.05


def test_the_timeline_has_every_second_also_those_without_an_answer():
    samples = still(30)
    failures = ["HTTP 500" if 10 <= i < 20 else "" for i in range(30)]

    run = measure(replace(samples, failures=failures), 10, 4, 0.001)

    assert [(it.at, it.requests, it.failed) for it in run.timeline] == [
        (0, 10, 0),
        (1, 10, 10),
        (2, 10, 0),
        (3, 0, 0),
    ]
    assert run.timeline[0].p99 == pytest.approx(0.005)
    assert run.timeline[1].p50 is None
    assert run.timeline[3].p99 is None


def test_the_curve_rises_as_far_as_the_samples_reach():
    run = measured(rate=800, seconds_each=0.001)
    shares, seconds = zip(*run.response_curve, strict=True)

    assert list(seconds) == sorted(seconds)
    assert shares[0] == 0
    assert 1 - shares[-1] == pytest.approx(1 / run.requests, rel=0.13)
    assert seconds[-1] <= run.slowest
