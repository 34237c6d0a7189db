"""The search for the highest good rate."""

import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.optimize import brentq

from steelyard.loadtest.knee import Knee, finding, search
from steelyard.loadtest.measurement import measure
from tests.steelyard.loadtest.single_server import measured, still


def found(judged, first=20.0, least=1.0, most=100_000.0):
    """Return the knee where `judged` says what each rate is, and the rates that were tried."""
    rates = search(first, least, most)
    tried = [next(rates)]
    try:
        while True:
            tried.append(rates.send(judged(tried[-1])))
    except StopIteration as end:
        return end.value, tried


@given(st.floats(2, 50_000), st.floats(1.5, 50_000))
def test_the_knee_is_found_to_a_tenth_in_few_runs(truth, first):
    knee, tried = found(lambda rate: "good" if rate <= truth else "over", first=first, least=0.5)

    assert knee.good <= truth < knee.bad
    assert knee.bad / knee.good <= 1.1
    assert knee.why == "over"
    assert len(tried) <= 25
    assert len(set(tried)) == len(tried)


def waiting_p99(rate, seconds_each):
    """Return the 99th percentile of the wait in M/D/1, by its exponential tail (Tijms, 9.6.2)."""
    load = rate * seconds_each
    decay = brentq(lambda x: load * math.expm1(x) - x, 1e-9, 50)
    weight = (1 - load) / (load * math.exp(decay) - 1)
    return math.log(weight / 0.01) / decay * seconds_each


def test_the_knee_of_a_queue_is_where_theory_says_that_its_p99_passes_the_limit():
    # One server, 1 ms each, and a limit of 10 ms: the wait may be 9 ms.
    truth = brentq(lambda rate: waiting_p99(rate, 0.001) - 0.009, 300, 990)

    knee, _ = found(lambda rate: finding(measured(rate, 0.001, seconds=60), 0.010))

    assert knee.good == pytest.approx(truth, rel=0.1)
    assert knee.good < knee.bad


def test_under_a_lax_limit_the_knee_is_the_servers_capacity():
    knee, _ = found(lambda rate: finding(measured(rate, 0.001), 100.0), first=40)

    # 1,000 a second are 95 % of 1,053.
    assert 950 < knee.good < 1070


def test_where_the_generator_gives_out_the_knee_is_only_a_lower_bound():
    knee, _ = found(lambda rate: "good" if rate < 3000 else "unsure")

    assert knee.why == "unsure"
    assert knee.good < 3000 <= knee.bad


def test_where_no_rate_is_good_there_is_none_and_the_search_ends():
    knee, tried = found(lambda _: "over", first=16, least=1)

    assert knee == Knee(None, 1, "over")
    assert tried == [16, 8, 4, 2, 1]


def test_where_every_rate_is_good_the_search_ends_at_the_highest():
    knee, tried = found(lambda _: "good", first=30, most=100)

    assert knee == Knee(100, None, None)
    assert tried == [30, 60, 100]


def test_a_first_rate_below_the_least_is_tried_and_nothing_lower():
    assert found(lambda _: "over", first=0.5, least=1)[1] == [0.5]


def test_good_needs_both_the_limit_and_the_throughput():
    good = measure(still(), 10, 100, 0.001)

    assert finding(good, 0.006) == "good"
    assert finding(good, 0.004) == "over"
    assert finding(replace(good, throughput=0.94 * good.offered), 0.006) == "over"


@pytest.mark.parametrize(
    "run",
    [
        measure(still(), 10, 100, 0.001),
        measure(still(200), 10, 20, 0.001),
    ],
    ids=["the generator was late", "too few samples"],
)
def test_what_cannot_be_told_is_neither_good_nor_over(run):
    assert finding(replace(run, late=0.02), 1.0) == "unsure"


def test_too_few_samples_are_unsure_by_themselves():
    assert finding(measure(still(200), 10, 20, 0.001), 1.0) == "unsure"
