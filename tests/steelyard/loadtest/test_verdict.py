"""The verdict, in sentences with both numbers."""

import math
from dataclasses import replace

import pytest

from steelyard.loadtest.measurement import measure
from steelyard.loadtest.quantiles import Estimate
from steelyard.loadtest.verdict import Wanted, judge
from tests.steelyard.loadtest.single_server import still

GOOD = measure(still(), 10, 100, 0.001)
WANTED = Wanted(0.010, 10, "10 x the file's 60 a minute")


def with_p99(seconds, low, high):
    return replace(
        GOOD, response=(*GOOD.response[:2], Estimate(0.99, 1000, seconds, low, high)) * 2
    )


def texts(verdict):
    return [reason.text for reason in verdict.reasons]


def test_a_run_that_keeps_its_limits_passes_with_both_numbers():
    verdict = judge(GOOD, WANTED)

    assert verdict.outcome == "pass"
    assert texts(verdict) == [
        "p99 5 ms ≤ limit 10 ms at 10 requests/s",
        "10 requests/s answered ≥ 9.5 requests/s, 95% of the 10 sent",
    ]


@pytest.mark.parametrize(
    ("run", "outcome", "text"),
    [
        (with_p99(0.0123, 0.0121, 0.013), "fail", "p99 12.3 ms > limit 10 ms at 10 requests/s"),
        (
            with_p99(math.inf, math.inf, math.inf),
            "fail",
            "p99 unanswered > limit 10 ms at 10 requests/s",
        ),
        (
            with_p99(0.0099, 0.0095, 0.0110),
            "inconclusive",
            "the limit 10 ms lies within the interval of p99, 9.5 ms to 11 ms, at 10 requests/s: "
            "give a longer time with --seconds",
        ),
        (
            with_p99(None, None, None),
            "inconclusive",
            "1,000 requests are too few for a p99, which needs 368: give a longer time with "
            "--seconds",
        ),
        (
            replace(GOOD, throughput=9.0),
            "fail",
            "9 requests/s answered < 9.5 requests/s, 95% of the 10 sent",
        ),
        (
            replace(GOOD, rate=9.0),
            "inconclusive",
            "9 requests/s is less than the planned 10 requests/s (10 x the file's 60 a minute): "
            "leave out --rate to try that",
        ),
        (
            replace(GOOD, late=0.02),
            "inconclusive",
            "the generator was the bottleneck: it sent 2% of the requests more than 1 ms late, "
            "allowed is 1%: give it a quieter machine, or a lower rate",
        ),
        (
            replace(GOOD, failures={"HTTP 503": 3, "timed out": 1}),
            "pass",
            "4 of 1,000 requests failed (HTTP 503 3, timed out 1); each counts as infinitely slow",
        ),
    ],
)
def test_whatever_is_not_as_it_should_be_is_said_with_both_numbers(run, outcome, text):
    verdict = judge(run, WANTED)

    assert verdict.outcome == outcome
    assert text in texts(verdict)


@pytest.mark.parametrize("seconds", [0.0096, 0.0104])
def test_a_limit_within_the_interval_decides_nothing_on_whichever_side_p99_lies(seconds):
    assert judge(with_p99(seconds, 0.0095, 0.0105), WANTED).outcome == "inconclusive"


def test_a_late_generator_makes_even_a_failure_inconclusive():
    assert judge(replace(with_p99(0.5, 0.4, 0.6), late=0.5), WANTED).outcome == "inconclusive"


def test_a_failure_weighs_more_than_what_is_unclear():
    run = replace(GOOD, rate=9.0, throughput=1.0)

    assert judge(run, WANTED).outcome == "fail"


def test_a_run_in_which_nothing_was_answered_fails():
    failed = replace(still(), failures=["could not connect"] * 1000)

    assert judge(measure(failed, 10, 100, 0.001), WANTED).outcome == "fail"


def test_without_a_plan_any_rate_can_pass():
    assert judge(GOOD, Wanted(0.010)).outcome == "pass"
