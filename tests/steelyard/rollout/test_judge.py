"""The judge convicts harm, tolerates what is tolerated and never advances without data."""

import json
import math
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import fisher_exact

from steelyard.rollout.channels import EARLY, LATER, SHARES, STEPPED
from steelyard.rollout.counters import Measurement, Point
from steelyard.rollout.judge import State, enter, fold, settled, start, verdict
from steelyard.rollout.policy import Policy, canonical
from tests.steelyard.rollout.sample import CONSTANT, OTHER, Traffic, policy

POLICY = policy()
QUIET = Point(0, 0, 0, (0,) * 10, (0,) * 10)


def entered(of: Policy = POLICY, at: float = 0) -> State:
    return enter(of, start(of), 0, at)


def after(minutes: int, of: Policy = POLICY, **traffic: Any) -> State:
    state, source = entered(of), Traffic(seed=2)
    for minute in range(minutes):
        state = fold(of, state, source.minute(minute, **traffic))
    return state


def challenger_requests_until_abort(limit: int, fault_at: int = 0, **traffic: Any) -> int | None:
    state, source = entered(), Traffic()
    for minute in range(limit):
        state = fold(
            POLICY, state, source.minute(minute, **(traffic if minute >= fault_at else {}))
        )
        if verdict(POLICY, state, 60 * minute).outcome == "abort":
            return 30 * (minute + 1 - fault_at)
    return None


def test_a_healthy_challenger_advances_after_its_bake():
    found = verdict(POLICY, after(10), now=690)

    assert found.outcome == "advance"
    assert "held for 690 s, challenger " in found.reasons[0]


def test_a_failing_challenger_is_aborted_with_both_numbers():
    found = verdict(POLICY, after(20, errors=(0.005, 0.1)), now=300)

    assert found.outcome == "abort"
    assert " errors of " in found.reasons[0]
    assert ", champion " in found.reasons[0]
    assert found.reasons[0].endswith(">= 100")


def test_a_challenger_is_convicted_by_the_minute_that_reaches_the_limit():
    state, source, before = entered(), Traffic(), 0.0
    while not state.convictions:
        before = verdict(POLICY, state, 0).evidence["together"]
        minute = -1 if state.last_minute is None else state.last_minute
        state = fold(POLICY, state, source.minute(minute + 1, errors=(0.005, 0.05)))

    found = verdict(POLICY, state, 0).evidence
    assert before < found["together_limit"] == 100 <= found["together"]


def test_the_channels_evidence_adds_up_to_what_is_held_against_the_limit():
    found = verdict(POLICY, after(2, errors=(0.005, 0.05)), 0).evidence

    parts = [found[channel] for channel in SHARES]
    assert found["together"] == pytest.approx(sum(parts), abs=1e-4)
    assert {found[f"{channel}_limit"] for channel in SHARES} == {100.0}


def test_no_more_is_staked_than_there_is():
    assert math.fsum(SHARES.values()) <= 1 + 1e-12
    assert math.fsum((EARLY, STEPPED, LATER)) <= 1 + 1e-12


def test_errors_of_five_percent_are_caught_within_five_hundred_requests():
    requests = challenger_requests_until_abort(100, errors=(0.005, 0.05))

    assert requests is not None
    assert requests <= 500


def test_a_late_fault_is_caught():
    requests = challenger_requests_until_abort(200, fault_at=100, errors=(0.005, 0.05))

    assert requests is not None
    assert requests <= 700


def test_a_challenger_that_collapses_to_a_constant_is_caught_within_a_hundred_requests():
    requests = challenger_requests_until_abort(20, shares=CONSTANT)

    assert requests is not None
    assert requests <= 100


def test_a_collapse_is_named_with_its_bound_and_limit():
    found = verdict(POLICY, after(4, shares=CONSTANT), now=300)

    assert found.outcome == "abort"
    assert found.reasons[0].startswith("challenger's score distribution is 0.9")
    assert "allowed 0.220 (expected 0.120 + tolerance 0.100): evidence " in found.reasons[0]


def test_a_challenger_that_differs_as_expected_is_not_convicted_over_twenty_thousand_requests():
    state = after(67, shares=OTHER)

    assert state.champion.requests + state.challenger.requests > 20_000
    assert state.convictions == ()
    assert verdict(POLICY, state, 4000).evidence["score"] < 1


def test_a_tolerated_difference_is_not_convicted_though_a_test_of_equality_would():
    state, source = entered(), Traffic(per_minute=2000)
    for minute in range(30):
        measurement = source.minute(minute, weight=10, errors=(0.1, 0.14))
        state = fold(POLICY, state, measurement)

    table = [[t.errors, t.requests - t.errors] for t in (state.challenger, state.champion)]
    assert fisher_exact(table, alternative="greater").pvalue < 0.001
    assert state.convictions == ()


def test_errors_that_both_variants_share_convict_nobody():
    assert after(20, errors=(0.4, 0.4)).convictions == ()


def test_a_conviction_is_not_forgotten():
    convicted = after(4, shares=CONSTANT)
    recovered = fold(POLICY, convicted, Traffic().minute(4, errors=(0.9, 0.0)))

    assert verdict(POLICY, recovered, 300).reasons == verdict(POLICY, convicted, 240).reasons


@pytest.mark.parametrize(
    ("now", "outcome"),
    [(300, "continue"), (3599, "continue"), (3600, "pause"), (5400, "pause"), (1e6, "pause")],
)
def test_no_data_never_advances_but_pauses_for_a_person(now: float, outcome: str):
    state = entered()
    for minute in range(settled(POLICY, now) + 1):
        state = fold(POLICY, state, Measurement(minute, 0, 10, None, None))

    found = verdict(POLICY, state, now)

    assert found.outcome == outcome
    assert any("challenger has no judged minute in this step" in why for why in found.reasons)


@pytest.mark.parametrize("silent", ["champion", "challenger"])
def test_one_silent_variant_does_not_advance(silent: str):
    state, verdicts = after(10), []
    for minute in range(10, 13):
        measurement = replace(Traffic().minute(minute), **{silent: None})
        state = fold(POLICY, state, measurement)
        verdicts.append(verdict(POLICY, state, 60 * (minute + 1) + 90))

    assert verdicts[0].outcome == "advance"
    found = verdicts[1]
    assert found.outcome == "continue"
    assert found.reasons[0] == f"{silent} data is 210 s old, allowed 150 s"


def minutes_until_silence_convicts(after_minutes: int) -> int:
    state = after(after_minutes)
    for silent in range(1, 30):
        minute = after_minutes + silent - 1
        measurement = replace(Traffic().minute(minute), challenger=None)
        state = fold(POLICY, state, measurement)
        if state.convictions:
            assert "challenger answered in" in state.convictions[0]
            return silent
    raise AssertionError("never convicted")


def test_a_challenger_with_traffic_that_says_nothing_is_convicted_in_minutes():
    assert minutes_until_silence_convicts(after_minutes=0) <= 6
    assert minutes_until_silence_convicts(after_minutes=10) <= 10


def test_a_few_lost_points_convict_nobody():
    state = entered()
    for minute in range(60):
        measurement = Traffic(seed=minute).minute(minute)
        lost = minute % 5 == 0
        state = fold(POLICY, state, replace(measurement, challenger=None) if lost else measurement)

    assert state.convictions == ()


def test_a_silent_champion_is_no_evidence():
    state = entered()
    for minute in range(20):
        state = fold(POLICY, state, replace(Traffic().minute(minute), champion=None))

    assert (state.convictions, state.wealth) == ((), {})


def test_a_step_ends_no_earlier_than_its_bake():
    state = after(9)

    assert verdict(POLICY, state, 599).reasons == ("bake 599 s of 600 s",)
    assert verdict(POLICY, state, 600).outcome == "advance"


def test_a_step_needs_enough_requests():
    careful = policy(minimum_requests=301)

    found = verdict(careful, after(10, careful), 690)

    assert found.outcome == "continue"
    assert found.reasons == ("challenger 300 of 301 requests in this step",)


def soaking(challenger: Point | None, champion: Point | None = None) -> State:
    state = enter(POLICY, enter(POLICY, after(10), 1, 600), 2, 1200)
    for minute in range(20, 35):
        state = fold(POLICY, state, Measurement(minute, 2, 100, champion, challenger))
    return state


def test_the_soak_needs_its_time_and_fresh_data_of_the_challenger_alone():
    state = soaking(Traffic().point(300, 0.5, CONSTANT))

    assert verdict(POLICY, state, 2099).reasons == ("soak 899 s of 900 s",)
    assert verdict(POLICY, state, 2100).outcome == "advance"
    assert verdict(POLICY, soaking(None), 2100).outcome == "continue"


def test_a_champion_without_requests_is_no_evidence():
    state = soaking(Traffic().point(300, 0.5, CONSTANT), champion=QUIET)

    assert state.convictions == ()
    assert state.wealth == after(10).wealth


def test_a_minute_in_which_weights_were_changing_is_not_judged():
    state = entered(at=60.5)
    bad = Traffic().minute(1, errors=(0.0, 1.0))

    state = fold(POLICY, state, bad)

    assert (state.skipped, state.convictions, state.challenger.requests) == (1, (), 0)
    assert fold(POLICY, state, replace(bad, minute=2)).convictions != ()


@pytest.mark.parametrize(("step", "weight"), [(1, 50), (1, 10), (0, 50)])
def test_a_minute_of_another_step_or_weight_is_not_judged(step: int, weight: int):
    state = fold(POLICY, entered(), Traffic().minute(3, step, weight, errors=(0.0, 1.0)))

    assert (state.skipped, state.convictions) == (1, ())


def test_before_the_first_step_nothing_is_judged():
    state = fold(POLICY, start(POLICY), Traffic().minute(0))

    assert state.skipped == 1
    assert verdict(POLICY, state, 0).reasons == ("no step was entered yet",)


@pytest.mark.parametrize(("now", "minute"), [(150, 0), (149.9, -1), (210, 1)])
def test_a_minute_settles_when_it_ended_long_enough_ago(now: float, minute: int):
    assert settled(POLICY, now) == minute


def test_another_policy_is_refused():
    other = policy(false_rollback=0.02)

    with pytest.raises(ValueError, match="by the policy it started with"):
        fold(other, entered(), Traffic().minute(0))
    with pytest.raises(ValueError, match="by the policy it started with"):
        verdict(other, entered(), 0)


def _point(n: int, em: int, bins: list[int]) -> Point:
    return Point(n + em, 0, em, (*bins, n), (n, *bins), (*bins[:2], *bins, n))


points = st.none() | st.builds(
    _point,
    st.integers(0, 300),
    st.integers(0, 20),
    st.lists(st.integers(0, 99), min_size=9, max_size=9),
)
measurements = st.lists(
    st.builds(Measurement, st.integers(0, 30), st.integers(0, 1), st.just(10), points, points),
    max_size=15,
)


@settings(max_examples=40)
@given(measurements, st.integers(0, 2000))
def test_a_fold_resumed_from_its_json_gives_the_same_bytes(minutes: list[Measurement], now: int):
    at_once = resumed = entered()
    for measurement in minutes:
        at_once = fold(POLICY, at_once, measurement)
        stored = Measurement.from_dict(json.loads(canonical(measurement.to_dict())))
        resumed = fold(POLICY, State.from_dict(json.loads(canonical(resumed.to_dict()))), stored)

    assert canonical(resumed.to_dict()) == canonical(at_once.to_dict())
    assert verdict(POLICY, resumed, now) == verdict(POLICY, at_once, now)


@settings(max_examples=40)
@given(measurements)
def test_minutes_that_were_folded_before_change_nothing(minutes: list[Measurement]):
    state = entered()
    for measurement in minutes:
        state = fold(POLICY, state, measurement)

    for measurement in minutes:
        assert fold(POLICY, state, measurement) == state
