"""The verdict says where the trouble lies: challenger, both, one instance, routing, metrics."""

from dataclasses import replace
from typing import Any

import pytest

from steelyard.rollout.blame import instance
from steelyard.rollout.counters import Measurement, Point
from steelyard.rollout.evidence import Trials
from steelyard.rollout.judge import Judge, enter, fold, start, verdict
from steelyard.rollout.policy import Tolerance
from steelyard.rollout.state import State
from tests.steelyard.rollout.sample import Traffic, policy
from tests.steelyard.rollout.test_judge_protocol import start_message

POLICY = policy()
TOLERANCE = Tolerance(0.5, 0.001, 0.2, 0.1)


def seasoned() -> State:
    state = start(POLICY)
    for minute in range(-20, 0):
        champion = Point(900, 4, 4, (), ())
        state = fold(POLICY, state, Measurement(minute, -1, 0, champion, None))
    return enter(POLICY, state, 0, 0)


def after(minutes: int, **traffic: Any) -> State:
    state, source = seasoned(), Traffic(per_minute=1000)
    for minute in range(minutes):
        state = fold(POLICY, state, source.minute(minute, **traffic))
    return state


def blamed(state: State, minutes: int) -> str | None:
    return verdict(POLICY, state, 60 * minutes + 90).blame


def silenced(state: State, minutes: range, *silent: str) -> State:
    for minute in minutes:
        measurement = replace(Traffic().minute(minute), **dict.fromkeys(silent))
        state = fold(POLICY, state, measurement)
    return state


def test_nobody_is_to_blame_while_all_is_well():
    assert blamed(after(3), 3) is None
    assert blamed(after(12), 12) is None
    assert verdict(POLICY, start(POLICY), 0).blame is None


def test_a_convicted_challenger_is_to_blame():
    found = verdict(POLICY, after(3, errors=(0.005, 0.2)), 270)

    assert (found.outcome, found.blame) == ("abort", "challenger")


def test_a_suspicious_challenger_is_to_blame_before_it_is_convicted():
    state = after(2)
    state = fold(POLICY, state, Traffic(per_minute=1000).minute(2, errors=(0.005, 0.06)))

    found = verdict(POLICY, state, 270)
    assert (found.outcome, found.blame) == ("continue", "challenger")


def test_an_outage_that_both_share_is_blamed_on_both_and_only_while_it_lasts():
    state = after(3, errors=(0.3, 0.3))

    assert state.convictions == ()
    assert blamed(state, 3) == "both"
    assert blamed(fold(POLICY, state, Traffic().minute(3)), 4) is None


def test_errors_of_the_champion_alone_are_not_blamed_on_both():
    assert blamed(after(3, errors=(0.3, 0.005)), 3) is None


@pytest.mark.parametrize("silent", [("champion",), ("champion", "challenger")])
def test_data_that_is_late_is_blamed_on_the_metrics(silent: tuple[str, ...]):
    assert blamed(silenced(after(5), range(5, 8), *silent), 8) == "metrics"


def test_a_challenger_that_falls_silent_is_the_metrics_fault_at_first_then_its_own():
    state = silenced(after(5), range(5, 6), "challenger")
    assert blamed(state, 7) == "metrics"

    state = silenced(state, range(6, 8), "challenger")
    assert state.convictions == ()
    assert blamed(state, 8) == "challenger"


def test_no_data_is_late_in_the_first_minutes_of_a_step():
    entered = enter(POLICY, after(10), 1, 600)

    assert verdict(POLICY, entered, 630).blame is None
    assert verdict(POLICY, entered, 1000).blame == "metrics"


def test_the_champion_owes_no_data_during_the_soak():
    state = enter(POLICY, enter(POLICY, after(10), 1, 600), 2, 1200)
    for minute in range(20, 30):
        quiet = Measurement(minute, 2, 100, None, Traffic().point(300, 0.005, (1.0,)))
        state = fold(POLICY, state, replace(quiet, challenger=Point(300, 0, 1, (), ())))

    assert verdict(POLICY, state, 1890).blame is None


@pytest.mark.parametrize("n_c", [30, 300])
def test_a_share_of_traffic_far_from_the_weight_is_blamed_on_routing_and_holds(n_c: int):
    state = seasoned()
    for minute in range(15):
        points = Point(900, 4, 4, (), ()), Point(n_c, 0, 0, (), ())
        state = fold(POLICY, state, Measurement(minute, 0, 10, *points))

    found = verdict(POLICY, state, 990)
    assert (found.outcome, found.blame) == ("continue", "routing")
    assert found.reasons[-1].startswith(f"challenger had {15 * n_c:,} of ")
    assert found.reasons[-1].endswith("its weight is 10 of 100: routing is not what was asked")


def test_a_few_requests_that_went_astray_are_no_fault_of_routing():
    state = seasoned()
    for minute in range(2):
        points = Point(9, 0, 0, (), ()), Point(3, 0, 0, (), ())
        state = fold(POLICY, state, Measurement(minute, 0, 10, *points))

    assert verdict(POLICY, state, 210).blame is None


def test_by_protocol_the_blame_is_said():
    judge = Judge(start_message())
    bad = {"n": 60, "e4": 0, "e5": 60, "lat": [], "score": []}
    good = {"n": 600, "e4": 0, "e5": 3, "lat": [], "score": []}
    points = [{"minute": 0, "weight": 0.05, "champion": good, "challenger": bad}]
    tick = {"type": "tick", "id": "r", "now": 0, "stage": 0, "weight": 0.05, "points": points}

    answer = judge.tick(tick)

    assert (answer["verdict"], answer["blame"]) == ("ROLLBACK", "challenger")


GOOD, BAD = Trials(900, 5), Trials(900, 90)


@pytest.mark.parametrize(
    ("hosts", "found"),
    [
        ({"a": GOOD, "b": BAD, "c": GOOD}, "b"),
        ({"a": GOOD, "b": BAD}, "b"),
        ({"a": BAD, "b": BAD, "c": BAD}, None),
        ({"a": GOOD, "b": GOOD, "c": GOOD}, None),
        ({"a": BAD, "b": BAD, "c": GOOD, "d": GOOD}, None),
        ({"a": Trials(9, 1), "b": Trials(9, 0)}, None),
        ({"a": BAD}, None),
        ({}, None),
    ],
)
def test_one_instance_is_to_blame_only_if_it_alone_is_worse(
    hosts: dict[str, Trials], found: str | None
):
    assert instance(hosts, TOLERANCE, 0.01) == found
