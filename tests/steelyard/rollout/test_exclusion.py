"""A challenger worse than the promotion margin seldom advances on evidence; a good one does."""

import json
import math
import random
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import binom

from steelyard.rollout import exclusion
from steelyard.rollout.counters import Measurement, Point
from steelyard.rollout.evidence import MICRO, Trials
from steelyard.rollout.exclusion import FEWER, GAPS, Sums
from steelyard.rollout.judge import enter, fold, start, verdict
from steelyard.rollout.policy import Policy, canonical
from steelyard.rollout.state import State
from steelyard.rollout.verdict import Verdict
from tests.steelyard.rollout.sample import BINS, policy
from tests.steelyard.rollout.test_evidence import histograms

MARGIN = {
    "errors_relative": 0.5,
    "errors_absolute": 0.02,
    "latency": 0.5,
    "predictions": 0.2,
}
STEPS = [{"weight": 10, "bake_seconds": 120}, {"weight": 50, "bake_seconds": 120}]
POLICY = policy(
    promotion_margin=MARGIN, steps=STEPS, warmup_seconds=0, expected={"score": 0, "confidence": 0}
)
SIZES = ((1, 1), (2, 9), (6, 2), (5, 5))


def rates(ours: Trials, theirs: Trials, rho: float) -> Sums:
    return exclusion.rates_after((0, *(0 for _ in FEWER)), ours, theirs, rho)


@pytest.mark.parametrize(("rho", "delta"), [(1.0, 0.0), (1.5, 0.02), (3.0, 0.2)])
@pytest.mark.parametrize("p", [0.0, 0.01, 0.2, 0.26])
def test_a_rate_past_the_margin_is_not_excluded_on_average(p: float, rho: float, delta: float):
    least = rho * p + delta
    for (n, m), rate in product(SIZES, (least, (1 + least) / 2, 1.0)):
        means = [0.0 for _ in FEWER]
        for x, y in product(range(n + 1), range(m + 1)):
            chance = binom.pmf(x, n, rate) * binom.pmf(y, m, p)
            requests, *logs = rates(Trials(n, x), Trials(m, y), rho)
            for index, (fewer, log) in enumerate(zip(FEWER, logs, strict=True)):
                means[index] += chance * math.exp(log / MICRO + (1 - fewer) * requests * delta)
        assert max(means) <= 1 + 1e-9


def test_a_rate_within_the_margin_gains_evidence_on_average():
    requests, *logs = rates(Trials(1000, 5), Trials(9000, 45), 1.5)

    assert max(
        log / MICRO + (1 - fewer) * requests * 0.01 for fewer, log in zip(FEWER, logs, strict=True)
    ) > math.log(20)


@pytest.mark.parametrize("distance", [0.1, 0.3])
def test_histograms_further_apart_than_the_margin_are_not_excluded_on_average(distance: float):
    champion = (0.3, 0.3, 0.4)
    for more, less, (n, m) in product(((0,), (0, 1), (2,)), ((1,), (2,), (0,)), ((2, 3), (4, 2))):
        if set(more) & set(less):
            continue
        challenger = list(champion)
        for bin_ in more:
            challenger[bin_] += distance / len(more)
        challenger[less[0]] -= distance
        means = [0.0 for _ in GAPS]
        for (ours, chance), (theirs, other) in product(
            histograms(n, challenger), list(histograms(m, champion))
        ):
            weight, *bins = (it / MICRO for it in exclusion.shares_after((), ours, theirs))
            # The set of bins that has more is the same in every minute.
            lead = distance * weight - sum(bins[bin_] for bin_ in more)
            for index, gap in enumerate(GAPS):
                log = 4 * gap * lead - 2 * gap * gap * weight
                means[index] += chance * other * math.exp(log)
        assert max(means) <= 1 + 1e-9


counts = st.lists(st.integers(0, 40), min_size=3, max_size=3).filter(any)


@given(st.lists(st.tuples(counts, counts), min_size=1, max_size=4), st.floats(0, 1))
def test_evidence_on_a_distance_is_that_of_the_worst_set_of_bins(
    minutes: list[tuple[list[int], list[int]]], distance: float
):
    sums: Sums = ()
    for ours, theirs in minutes:
        sums = exclusion.shares_after(sums, ours, theirs)
    weight, *bins = (it / MICRO for it in sums)
    worst = min(
        math.log(
            math.fsum(
                math.exp(
                    4
                    * gap
                    * (distance * weight - sum(it for it, b in zip(bins, among, strict=True) if b))
                    - 2 * gap * gap * weight
                )
                for gap in GAPS
            )
            / len(GAPS)
        )
        for among in product((False, True), repeat=3)
    )

    assert exclusion.log_distance(sums, distance) == pytest.approx(worst, abs=1e-6)


@given(st.lists(st.tuples(st.integers(1, 400), st.integers(1, 4000)), min_size=1, max_size=5))
def test_the_bound_is_where_the_margin_begins_to_be_excluded(sizes: list[tuple[int, int]]):
    sums = exclusion.rates_start(0.01, 1.5, 0.02)
    for n, m in sizes:
        sums = exclusion.rates_after(sums, Trials(n, n // 50), Trials(m, m // 50), 1.5)
    most = exclusion.bound(POLICY, "errors", sums)

    if most < 1:
        assert exclusion.log_rates_below(sums, most) == pytest.approx(math.log(20), abs=1e-3)
    assert most > 0.5 * -1 / 50


def lognormal(median: float, sources: random.Random, n: int) -> tuple[int, ...]:
    found = [0] * (len(POLICY.latency_edges) + 1)
    for _ in range(n):
        seconds = sources.lognormvariate(math.log(median), 0.5)
        found[sum(seconds >= edge for edge in POLICY.latency_edges)] += 1
    return tuple(found)


def point(
    sources: random.Random,
    n: int,
    errors: float = 0.005,
    e4: float = 0.005,
    median: float = 0.01,
    shares: tuple[float, ...] = BINS,
) -> Point:
    em = sum(sources.random() < errors for _ in range(n))
    refused = sum(sources.random() < e4 for _ in range(n))
    drawn = sources.choices(range(len(shares)), shares, k=n)
    score = tuple(drawn.count(bin_) for bin_ in range(len(shares)))
    return Point(n, refused, em, score, score, lognormal(median, sources, n))


def seasoned(of: Policy, sources: random.Random) -> State:
    state = start(of)
    for minute in range(-5, 0):
        state = fold(of, state, Measurement(minute, -1, 0, point(sources, 1000), None))
    return enter(of, state, 0, 0)


def after(
    minutes: int, of: Policy = POLICY, seed: int = 1, per_minute: int = 3000, **challenger: float
) -> State:
    sources = random.Random(seed)
    state = seasoned(of, sources)
    for minute in range(minutes):
        n = per_minute // 10
        pair = point(sources, per_minute - n), point(sources, n, **challenger)
        state = fold(of, state, Measurement(minute, 0, 10, *pair))
    return state


def asked(state: State, minutes: int, of: Policy = POLICY) -> Verdict:
    return verdict(of, state, 60 * minutes + 90)


def test_a_good_challenger_advances_on_evidence_and_is_said_to_be_at_most_so_much_worse():
    found = asked(after(6), 6)

    assert (found.outcome, found.proven) == ("advance", True)
    assert any(
        " errors of " in why and "points above 1.5 times the champion's (0.95)" in why
        for why in found.reasons
    )
    assert any("score distributions at most 0." in why for why in found.reasons)


def test_little_traffic_excludes_nothing_and_the_step_is_undecided():
    state = after(20, per_minute=100)

    found = asked(state, 20)
    assert (found.outcome, found.proven) == ("continue", False)
    assert any(why.startswith("not excluded yet: ") for why in found.reasons)

    short = policy(promotion_margin=MARGIN, steps=STEPS, longest_seconds=1200)
    found = verdict(short, after(19, short, per_minute=100), 1230)
    assert found.outcome == "pause"
    assert found.reasons[0] == "step 0 undecided for 1,230 s, longest 1,200 s"


def test_what_is_not_excluded_in_time_advances_without_proof_where_the_policy_says_so():
    lenient = policy(
        promotion_margin=MARGIN, steps=STEPS, undecided="advance", longest_seconds=1200
    )
    found = verdict(lenient, after(19, lenient, per_minute=100), 1230)

    assert (found.outcome, found.proven) == ("advance", False)
    assert any(why.startswith("not excluded yet: ") for why in found.reasons)


@pytest.mark.parametrize(
    ("fault", "named"),
    [
        ({"errors": 0.03}, "errors"),
        ({"e4": 0.03}, "client errors"),
        ({"median": 0.0155}, "later than the champion's p"),
        ({"shares": (0.15, 0.15, 0.08, 0.05, 0.03, 0.03, 0.03, 0.05, 0.08, 0.35)}, "score"),
    ],
)
def test_each_channel_alone_keeps_a_challenger_past_its_margin_from_advancing(
    fault: dict[str, float], named: str
):
    wide = {"errors_relative": 0.5, "errors_absolute": 0.02, "latency": 0.5, "predictions": 0.2}
    blind = policy(
        promotion_margin=wide,
        tolerance={**wide, "latency": 0.5},
        steps=STEPS,
        warmup_seconds=0,
        expected={"score": 0.0, "confidence": 0.0},
    )
    state = after(12, blind, **fault)

    found = asked(state, 12, blind)
    assert found.outcome != "advance"
    assert any(named in why for why in found.reasons)


def test_a_challenger_worse_than_the_margin_seldom_advances_however_often_one_looks():
    passed, runs = 0, 60
    for seed in range(runs):
        sources, state = random.Random(seed), exclusion.rates_start(0.005, 1.5, 0.02)
        tops = -math.inf
        for _ in range(80):
            x = sum(sources.random() < 1.5 * 0.005 + 0.02 for _ in range(60))
            y = sum(sources.random() < 0.005 for _ in range(240))
            state = exclusion.rates_after(state, Trials(60, x), Trials(240, y), 1.5)
            tops = max(tops, exclusion.log_rates_below(state, 0.02))
        passed += tops >= math.log(10)

    assert passed <= 0.1 * runs


def test_what_an_earlier_step_excluded_does_not_count_for_the_next():
    state = enter(POLICY, after(20), 1, 1200)
    sources = random.Random(7)
    for minute in range(20, 22):
        pair = point(sources, 400), point(sources, 400, errors=0.04)
        state = fold(POLICY, state, Measurement(minute, 1, 50, *pair))

    whole, this = state.excluding["errors"]
    assert exclusion.log_against(POLICY, "errors", whole) > math.log(20)
    assert exclusion.log_against(POLICY, "errors", this) < 0
    assert exclusion.log_excluded(POLICY, state, "errors") < 0


def test_a_burst_that_hits_the_champion_alone_says_nothing_good_of_the_challenger():
    sources, steady, burst = random.Random(3), after(3), after(3)
    ours = point(sources, 300)
    quiet, bad = point(sources, 2700), point(sources, 2700, errors=0.3)

    steady = fold(POLICY, steady, Measurement(3, 0, 10, quiet, ours))
    burst = fold(POLICY, burst, Measurement(3, 0, 10, bad, ours))

    gained, more = (exclusion.log_excluded(POLICY, it, "errors") for it in (steady, burst))
    assert gained <= more <= gained + 3.0


def test_a_channel_that_is_not_measured_is_not_asked_for():
    blind = policy(promotion_margin=MARGIN, steps=STEPS, latency_edges=[])
    state = enter(blind, start(blind), 0, 0)
    for minute in range(12):
        pair = (Point(9000, 0, 9, (), ()), Point(1000, 0, 1, (), ()))
        state = fold(blind, state, Measurement(minute, 0, 10, *pair))

    assert exclusion.asked(blind, state) == ("errors", "client_errors")
    assert asked(state, 12, blind).proven


def test_a_challenger_without_the_histograms_of_the_champion_excludes_nothing():
    state = enter(POLICY, start(POLICY), 0, 0)
    for minute in range(12):
        pair = (Point(9000, 0, 9, (9000,) + (0,) * 9, ()), Point(1000, 0, 1, (), ()))
        state = fold(POLICY, state, Measurement(minute, 0, 10, *pair))

    assert asked(state, 12).outcome == "continue"


def test_latency_is_not_tested_while_the_challenger_warms_up():
    cold = policy(promotion_margin=MARGIN, steps=STEPS, warmup_seconds=180)

    assert "latency_p90" not in after(3, cold).excluding
    assert "latency_p90" in after(4, cold).excluding


def test_what_is_kept_survives_its_json():
    state = after(3)

    assert State.from_dict(json.loads(canonical(state.to_dict()))) == state


def test_without_a_margin_nothing_is_kept_and_no_margin_can_be_asked_for():
    plain = policy()

    assert after(3, plain).excluding == {}
    with pytest.raises(ValueError, match="promotion_margin is None"):
        exclusion.margin(plain, "errors")
