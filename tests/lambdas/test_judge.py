"""The judge's Lambda: what it measures, records and tells, tick by tick."""

import json

import pytest

from lambdas import judge
from lambdas.judge import LONGEST_MINUTES
from steelyard.rollout import judge as core
from steelyard.rollout.counters import Measurement
from steelyard.rollout.policy import canonical
from tests.lambdas.traffic import Traffic
from tests.steelyard.rollout.sample import policy


def tick(world, after=0.0):
    return judge.handler({"time": world.iso(after)}, None)


@pytest.fixture
def world(world):
    world.hold(since=world.now, asked_at=world.now)
    return world


@pytest.fixture
def traffic(world):
    return Traffic(world.aws)


def minutes(world, kind="measured"):
    return [record for record in world.records() if record["kind"] == kind]


@pytest.mark.parametrize(
    "changes",
    [
        {"token": "t", "since": 1, "phase": "aborting"},
        {"token": "t", "since": 1, "phase": "promoted"},
        {"token": None, "since": 1},
        {"token": "t", "since": None},
    ],
)
def test_without_a_bake_that_waits_there_is_nothing_to_judge(world, changes):
    world.hold(**changes)

    assert tick(world) == {"idle": True}
    assert world.records() == []


def test_before_the_first_rollout_there_is_nothing_to_judge(world):
    key = {"pk": {"S": "lock#scales-test"}, "sk": {"S": "lock"}}
    world.aws.client("dynamodb").delete_item(TableName="ledger", Key=key)

    assert tick(world) == {"idle": True}


def test_a_tick_records_each_settled_minute_and_what_was_decided(world, traffic):
    world.hold(since=world.now, token="t")
    first = int(world.now // 60)
    for _ in range(4):
        traffic.minute(270, 30)

    answer = tick(world)

    # Of four minutes the last two are younger than what the policy lets settle.
    measured = minutes(world)
    assert [record["body"]["minute"] for record in measured] == [first, first + 1]
    assert [record["body"]["challenger"]["n"] for record in measured] == [30, 30]
    (decided,) = minutes(world, "decided")
    assert decided["body"]["outcome"] == answer["outcome"] == "continue"
    assert decided["weights"] == {"v0": 0, "v1": 90, "v2": 10}
    assert [record["seq"] for record in world.records()] == [1, 2, 3]
    assert world.lock().seq == 4


def test_a_good_challenger_advances_after_its_bake(world, traffic):
    execution = world.bake()
    outcomes = []
    for _ in range(11):
        traffic.minute(270, 30)
        answer = tick(world)
        outcomes.append(answer["outcome"])
        if outcomes[-1] == "advance":
            break

    assert outcomes == ["continue"] * 9 + ["advance"]
    assert world.baked(execution)[0] == "SUCCEEDED"


def test_the_bake_goes_on_while_the_judge_says_so_and_ends_when_it_falls_silent(world):
    execution = world.bake()
    for _ in range(3):
        world.aws.clock.advance(240)
        tick(world)
    assert world.baked(execution)[0] == "RUNNING"

    world.aws.clock.advance(301)

    assert world.baked(execution)[0] == "FAILED"


def test_a_failing_challenger_ends_the_bake_with_the_judge_s_reasons(world, traffic):
    execution = world.bake()
    for _ in range(6):
        traffic.minute(270, 0, errors=30)
        answer = tick(world)
        if answer.get("outcome") == "abort":
            break

    status, error, cause = world.baked(execution)
    assert (status, error) == ("FAILED", "JudgedWorse")
    assert cause == "; ".join(answer["reasons"])
    assert "error" in cause


def test_a_ringing_alarm_ends_the_bake_whatever_the_judge_thinks(world):
    execution = world.bake()
    name = world.ring("v2")

    tick(world)

    assert world.baked(execution) == ("FAILED", "JudgedWorse", f"alarm {name} is ringing")


def test_without_measurements_a_step_never_advances_and_gives_up_at_its_deadline(world):
    world.hold(since=world.now, token="t")

    outcomes = [tick(world, after)["outcome"] for after in (1200, 3540, 3600, 5340, 5400)]

    assert outcomes == ["continue", "continue", "pause", "pause", "abort"]


def test_an_answer_that_was_cut_is_no_measurement_and_is_asked_for_again(world, traffic):
    world.hold(since=world.now, token="t")
    begun = world.now
    for host in range(500):
        labels = {"aws.sagemaker.endpoint.name": "scales-test", "@resource.host.id": str(host)}
        world.aws.samples.add(begun - 120, "steelyard_requests_total", labels, 1)
    for _ in range(3):
        traffic.minute(270, 30)

    answer = tick(world)

    assert answer["outcome"] == "continue"
    assert "no measurement: steelyard_requests_total: ['506 series matched" in answer["reasons"][-1]
    assert minutes(world) == []
    world.aws.samples.forget(begun - 60)
    tick(world)
    assert [record["body"]["challenger"]["n"] for record in minutes(world)] == [30]


def test_variants_with_different_bins_are_not_compared(world):
    world.hold(since=world.now, token="t")
    traffic = Traffic(world.aws, bins={"v2": "other edges"})
    for _ in range(3):
        traffic.minute(270, 30)

    assert "no measurement: bin edges differ" in tick(world)["reasons"][-1]


def test_missed_ticks_are_made_up_for(world, traffic):
    world.hold(since=world.now, token="t")
    for count in range(8):
        traffic.minute(270, 30 + count)
        if count in (2, 7):
            tick(world)

    assert [record["body"]["challenger"]["n"] for record in minutes(world)] == [*range(30, 36)]


def test_after_a_long_silence_only_the_last_hour_is_measured(world):
    world.hold(since=world.now, token="t")

    tick(world, after=2 * 3600)

    assert len(minutes(world)) == LONGEST_MINUTES


def test_a_repeated_tick_folds_no_minute_twice(world, traffic):
    world.hold(since=world.now, token="t")
    for _ in range(4):
        traffic.minute(270, 30)
    first = tick(world)
    state, measured = world.lock().judge, minutes(world)

    assert tick(world) == first

    assert (world.lock().judge, minutes(world)) == (state, measured)


def test_a_tick_that_another_writer_overtook_tells_nobody(world):
    execution = world.bake()
    world.ring("v2")
    world.occupy("r1", 1)

    assert tick(world) == {"outdated": True}

    assert world.baked(execution)[0] == "RUNNING"
    assert world.lock().judge is None


def test_the_records_alone_give_the_judge_s_state_again_byte_for_byte(world, traffic):
    world.hold(since=world.now, token="t")
    begun = world.now
    for _ in range(5):
        traffic.minute(270, 29, errors=1)
        tick(world)

    state = core.enter(policy(), core.start(policy()), 0, begun)
    for record in minutes(world):
        state = core.fold(policy(), state, Measurement.from_dict(record["body"]))

    assert canonical(state.to_dict()) == world.lock().judge


def test_the_next_step_is_judged_on_what_the_last_one_left(world, traffic):
    world.hold(since=world.now, token="t")
    for _ in range(4):
        traffic.minute(270, 30)
    tick(world)
    before = json.loads(world.lock().judge)
    world.hold(step=1, since=world.now, token="u", seq=world.lock().seq, judge=world.lock().judge)

    tick(world)

    after = json.loads(world.lock().judge)
    assert (after["step"], after["entered_at"]) == (1, world.now)
    assert after["champion"]["requests"] == before["champion"]["requests"] > 0
