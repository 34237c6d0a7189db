"""What a rollout cost, counted from its records."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.audit.impact import Harm, impact, outcome
from steelyard.rollout.ledger import Record
from tests.steelyard.audit.rollout import BEGIN, Rollout


def harm(rollout: Rollout, channel: str) -> Harm:
    (found,) = [it for it in impact(rollout.records).harms if it.channel == channel]
    return found


def test_the_first_bad_minute_is_the_one_in_which_the_fault_began():
    rollout = Rollout().step(0).minutes(8).minutes(4, errors=0.4).abort(seconds=20)

    found = impact(rollout.records)

    assert found.bad_since == BEGIN + 8 * 60
    assert found.stopped is not None
    assert found.home == found.stopped + 20
    assert found.seconds == found.home - found.bad_since


def test_a_fault_from_the_start_is_bad_from_the_first_minute_on():
    assert impact(Rollout().step(0).minutes(4, errors=0.4).abort().records).bad_since == BEGIN


def test_a_rollout_that_an_alarm_ended_while_counters_were_calm_has_no_first_bad_minute():
    found = impact(Rollout().step(0).minutes(10).abort().records)

    assert (found.bad_since, found.seconds) == (None, None)
    assert found.stopped is not None


def test_bad_requests_are_counted_from_the_first_bad_minute_on():
    rollout = Rollout().step(0).minutes(8).minutes(4, errors=1.0).abort()

    found = harm(rollout, "errors")

    assert (found.bad, found.of) == (4 * 60, 4 * 60)
    assert found.excess == pytest.approx(240, abs=5)
    assert impact(rollout.records).requests == 12 * 60


def test_other_scores_are_counted_as_those_that_had_to_be_others():
    rollout = Rollout().step(0).minutes(3)
    for place, record in enumerate(rollout.records):
        if record.kind == "measured":
            point = {**record.body["challenger"], "score": [0] * 9 + [60]}
            champion = {**record.body["champion"], "score": [540] + [0] * 9}
            body = {**record.body, "challenger": point, "champion": champion}
            rollout.records[place] = replace(record, body=body)

    assert harm(rollout, "other score") == Harm("other score", 180, 180, 0.12)


def test_slow_answers_are_those_slower_than_nine_tenths_of_the_champion_s():
    rollout = Rollout().step(0).minutes(1)
    (place,) = [it.seq for it in rollout.records if it.kind == "measured"]
    body = rollout.records[place].body
    pair = {
        "champion": {**body["champion"], "lat": [60, 30, 5, 5]},
        "challenger": {**body["challenger"], "lat": [10, 10, 30, 50]},
    }
    rollout.records[place] = replace(rollout.records[place], body={**body, **pair})

    assert harm(rollout, "slow answers") == Harm("slow answers", 80, 100, 0.1)
    assert harm(rollout, "slow answers").excess == 70


def test_requests_that_were_not_measured_any_more_are_estimated():
    rollout = Rollout().step(0).minutes(4, errors=0.4).abort(seconds=30)

    # 90 seconds until the last minute had settled, 30 until home, 60 requests a minute.
    assert impact(rollout.records).unmeasured == 120


def test_minutes_without_the_challenger_count_nothing():
    rollout = Rollout().step(0).minutes(2)
    for place, record in enumerate(rollout.records):
        if record.kind == "measured":
            rollout.records[place] = replace(record, body={**record.body, "challenger": None})

    found = impact(rollout.abort().records)

    assert (found.requests, found.bad_since, found.unmeasured) == (0, None, 0)


def test_a_rollout_that_ended_before_its_first_weight_harmed_nobody():
    found = impact(Rollout().history(3).abort().records)

    assert found.outcome == "aborted"
    assert (found.requests, found.stopped, found.home) == (0, None, None)


ENDINGS = {
    "in progress": [
        Rollout().step(0).minutes(1),
        Rollout().step(0).resume(),
    ],
    "promoted": [
        Rollout().step(0).release(),
        Rollout().step(0).release().let_scale(),
    ],
    "aborted": [
        Rollout().step(0).abort(),
        Rollout().step(0).expire().let_scale(),
        Rollout().abort(),
        Rollout().step(0).release().let_scale().abort(),
    ],
}


@pytest.mark.parametrize(
    ("expected", "rollout"),
    [(name, rollout) for name, rollouts in ENDINGS.items() for rollout in rollouts],
)
def test_the_outcome_is_what_the_newest_telling_act_says(expected: str, rollout: Rollout):
    assert outcome(rollout.records) == expected


@pytest.mark.parametrize("phase", ["promoted", "aborted"])
def test_a_repair_says_how_the_rollout_ended(phase: str):
    rollout = Rollout().step(0)
    rollout.write("acted", "ada", "repair: stuck", {"order": "repair", "after": {"phase": phase}})

    assert outcome(rollout.records) == phase


def test_the_watchdog_s_way_home_is_timed_as_the_rollback_lambda_s():
    found = impact(Rollout().step(0).minutes(2, errors=0.4).expire(seconds=45).records)

    assert found.stopped is not None
    assert found.home == found.stopped + 45


@given(st.integers(0, 1000), st.integers(0, 1000), st.floats(0, 1))
def test_no_more_are_in_excess_than_were_bad(bad: int, more: int, usual: float):
    assert 0 <= Harm("errors", bad, bad + more, usual).excess <= bad


def test_a_record_of_another_kind_ends_nothing():
    record = Record(0, 0.0, "measured", "rollback", 0, {}, "", {})

    assert outcome([record]) == "in progress"
