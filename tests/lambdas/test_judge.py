"""The judge's Lambda: what it measures, records and tells, tick by tick."""

import json

import pytest

from lambdas import judge
from lambdas import operate as operator
from lambdas.judge import LONGEST_MINUTES
from steelyard.rollout import judge as core
from steelyard.rollout.counters import Measurement
from steelyard.rollout.policy import Policy, canonical
from tests.lambdas.traffic import Traffic
from tests.lambdas.world import conducted
from tests.steelyard.rollout.sample import policy


def tick(world, after=0.0):
    return judge.handler({"time": world.iso(after)}, None)


def operate(world, order):
    event = {"order": order, "actor": "anna", "reason": "a test", "now": world.iso()}
    return operator.handler(event, None)


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
        {"token": "t", "since": 1, "phase": "aborted"},
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
    world.bake()
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
    assert decided["body"]["verdict"] == {
        "outcome": "continue",
        "reasons": decided["reason"].split("; "),
        "blame": None,
        "proven": False,
    }
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
    assert (world.lock().phase, world.lock().token) == ("progressing", None)
    assert tick(world) == {"idle": True}


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


def test_without_measurements_a_step_pauses_and_is_given_up_at_the_pause_s_end(world):
    execution = world.bake()

    outcomes = [tick(world, after)["outcome"] for after in (1200, 3540, 3600)]
    lock = world.lock()
    outcomes += [tick(world, after)["outcome"] for after in (3660, 5340, 5400)]

    assert outcomes == ["continue", "continue", "pause", "continue", "continue", "abort"]
    assert (lock.phase, lock.pause_until) == ("paused", world.now + 3600 + 1800)
    assert world.baked(execution)[:2] == ("FAILED", "JudgedWorse")


def test_an_answer_that_was_cut_is_no_measurement_and_is_asked_for_again(world, traffic):
    world.bake()
    begun = world.now
    for host in range(500):
        labels = {"aws.sagemaker.endpoint.name": "scales-test", "@resource.host.id": str(host)}
        world.aws.samples.add(begun - 120, "steelyard_requests_total", labels, 1)
    for _ in range(3):
        traffic.minute(270, 30)

    answer = tick(world)

    assert answer["outcome"] == "continue"
    assert "no measurement: steelyard_requests_total: ['506 series matched" in answer["reasons"][-1]
    # What the network did cannot be recomputed, so it is no part of the verdict.
    (decided,) = minutes(world, "decided")
    assert not any("no measurement" in why for why in decided["body"]["verdict"]["reasons"])
    assert minutes(world) == []
    world.aws.samples.forget(begun - 60)
    tick(world)
    assert [record["body"]["challenger"]["n"] for record in minutes(world)] == [30]


def test_variants_with_different_bins_are_not_compared(world):
    world.bake()
    traffic = Traffic(world.aws, bins={"v2": "other edges"})
    for _ in range(3):
        traffic.minute(270, 30)

    assert "no measurement: bin edges differ" in tick(world)["reasons"][-1]


def test_missed_ticks_are_made_up_for(world, traffic):
    world.bake()
    for count in range(8):
        traffic.minute(270, 30 + count)
        if count in (2, 7):
            tick(world)

    assert [record["body"]["challenger"]["n"] for record in minutes(world)] == [*range(30, 36)]


def test_after_a_long_silence_only_the_last_hour_is_measured(world):
    world.bake()

    tick(world, after=2 * 3600)

    assert len(minutes(world)) == LONGEST_MINUTES


def test_a_repeated_tick_folds_no_minute_twice(world, traffic):
    world.bake()
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
    world.bake()
    begun = world.now
    for _ in range(5):
        traffic.minute(270, 29, errors=1)
        tick(world)

    state = core.enter(policy(), core.start(policy()), 0, begun)
    for record in minutes(world):
        state = core.fold(policy(), state, Measurement.from_dict(record["body"]))

    assert canonical(state.to_dict()) == world.lock().judge


def test_the_next_step_is_judged_on_what_the_last_one_left(world, traffic):
    world.bake()
    for _ in range(4):
        traffic.minute(270, 30)
    tick(world)
    lock, before = world.lock(), json.loads(world.lock().judge)
    world.hold(step=1, since=world.now, token=lock.token, seq=lock.seq, judge=lock.judge)

    tick(world)

    after = json.loads(world.lock().judge)
    assert (after["step"], after["entered_at"]) == (1, world.now)
    assert after["champion"]["requests"] == before["champion"]["requests"] > 0


def test_each_tick_renews_the_lease_of_a_weight(world):
    world.bake()
    leases = []
    for after in (0, 60, 120):
        tick(world, after)
        leases.append(world.lock().lease_until - world.now)

    assert leases == [180, 240, 300]


@pytest.mark.parametrize("phase", ["progressing", "paused"])
def test_a_tick_that_comes_late_does_not_shorten_the_lease(world, phase):
    world.hold(phase=phase, since=world.now, token="t", lease_until=world.now + 181)

    assert tick(world) == {"outdated": True}
    assert world.lock().lease_until == world.now + 181


def test_an_abort_lets_the_lease_run_out(world):
    world.hold(since=world.now, lease_until=world.now + 90)
    world.bake()
    world.ring("v2")

    tick(world)

    assert world.lock().lease_until == world.now + 90


def test_a_rollout_whose_execution_no_longer_waits_is_stopped(world):
    execution = world.bake()
    tick(world)
    world.aws.clock.advance(301)
    assert world.baked(execution)[0] == "FAILED"

    tick(world)

    lock = world.lock()
    assert (lock.phase, lock.reason) == ("aborting", "judge: the execution no longer waits")
    assert world.records()[-1]["reason"] == "the execution no longer waits"


def test_a_conviction_that_nobody_waits_for_stops_the_rollout_all_the_same(world):
    world.hold(since=world.now, token="never given")
    name = world.ring("v2")

    assert tick(world)["outcome"] == "abort"

    assert world.lock().phase == "aborting"
    assert world.lock().reason == f"judge: alarm {name} is ringing"


def test_a_repeated_tick_that_advances_stops_nothing(world, traffic):
    execution = world.bake()
    lock = world.lock()
    for _ in range(11):
        traffic.minute(270, 30)
        if tick(world)["outcome"] == "advance":
            break
    after = world.lock()
    # As it was read by the other delivery: before the token was taken away.
    world.hold(since=lock.since, token=lock.token, seq=after.seq, judge=after.judge)

    assert tick(world)["outcome"] == "advance"

    assert world.baked(execution)[0] == "SUCCEEDED"
    assert (world.lock().phase, world.lock().token) == ("progressing", None)


def test_a_paused_rollout_is_measured_and_kept_alive_and_does_not_advance(world, traffic):
    execution = world.bake()
    operate(world, "pause")
    for _ in range(15):
        traffic.minute(270, 30)
        answer = tick(world)

    assert answer["outcome"] == "continue"
    assert "steelyard resume scales-test" in answer["reasons"][0]
    assert len(minutes(world)) == 13
    assert (world.lock().phase, world.lock().lease_until) == ("paused", world.now + 180)
    assert world.baked(execution)[0] == "RUNNING"


def test_a_resumed_step_bakes_anew_and_keeps_its_evidence(world, traffic):
    world.bake()
    for _ in range(5):
        traffic.minute(270, 30)
        tick(world)
    operate(world, "pause")
    operate(world, "resume")
    before = json.loads(world.lock().judge)
    resumed = world.now

    outcomes = []
    for _ in range(10):
        traffic.minute(270, 30)
        outcomes.append(tick(world)["outcome"])

    after = json.loads(world.lock().judge)
    assert outcomes == ["continue"] * 9 + ["advance"]
    assert after["entered_at"] == resumed
    assert after["compared"] > before["compared"] > 0


def test_a_step_that_a_person_approved_advances_with_fresh_data_and_not_without(world, traffic):
    world.hold(since=world.now - 3600)
    execution = world.bake()
    outcomes = []
    for requests in (0, 0, 5, 5, 5, 5):
        traffic.minute(270, requests)
        outcomes.append(tick(world)["outcome"])
        operate(world, "approve")

    assert outcomes == ["pause", "pause", "pause", "pause", "pause", "advance"]
    assert world.records()[-1]["reason"].startswith("step 0 is approved as it is; step 0 undecided")
    assert world.baked(execution)[0] == "SUCCEEDED"


def test_before_the_first_step_the_last_hour_of_the_champion_is_learned(world):
    world.hold(step=-1, token=None, since=None)
    traffic = Traffic(world.aws)
    for _ in range(65):
        traffic.minute(300, 0)

    assert tick(world) == {"learned": 60}

    learned = minutes(world)
    assert {record["body"]["champion"]["n"] for record in learned} == {300}
    assert {record["body"]["challenger"] for record in learned} == {None}
    assert {record["step"] for record in learned} == {-1}
    assert learned[0]["weights"] == {"v0": 0, "v1": 100, "v2": 0}
    state = json.loads(world.lock().judge)
    assert (state["champion_minutes"], state["step"]) == (60, None)
    assert sum(state["champion"]["score"]["seen"]) == 60 * 300
    assert minutes(world, "decided") == []
    assert world.lock().lease_until is None
    traffic.minute(300, 0)
    assert tick(world) == {"learned": 1}


def test_before_the_first_step_minutes_without_a_champion_teach_nothing(world):
    world.hold(step=-1, token=None, since=None)

    assert tick(world) == {"learned": 0}
    assert world.records() == []


def test_what_was_learned_of_the_champion_serves_the_first_step(world):
    world.hold(step=-1, token=None, since=None)
    traffic = Traffic(world.aws)
    for _ in range(5):
        traffic.minute(300, 0)
    tick(world)
    lock = world.lock()
    world.hold(since=world.now, seq=lock.seq, judge=lock.judge)
    world.bake()
    for _ in range(4):
        traffic.minute(270, 30)
    tick(world)

    state = json.loads(world.lock().judge)
    assert (state["step"], state["skipped"], state["compared"]) == (0, 0, 2)
    assert state["champion_minutes"] > 2


CONFIRMED = conducted(confirm=["start", "promotion"])


def test_the_start_waits_for_a_person_and_for_nobody_else(world):
    world.hold(step=-1, since=None, policy=CONFIRMED)
    execution = world.confirm()

    answer = tick(world)
    assert answer["outcome"] == "continue"
    assert answer["reasons"][0] == "start waits for a person: steelyard approve scales-test"
    assert world.lock().lease_until is None
    operate(world, "approve")

    assert tick(world, 60)["outcome"] == "advance"
    assert world.baked(execution)[0] == "SUCCEEDED"
    assert world.lock().token is None


def test_a_start_that_nobody_confirms_ends_at_the_rollout_s_deadline(world):
    world.hold(step=-1, since=None, policy=CONFIRMED, deadline=world.now + 120)
    execution = world.confirm()

    assert [tick(world, after)["outcome"] for after in (0, 60, 120)] == [
        "continue",
        "continue",
        "abort",
    ]
    assert world.baked(execution)[0] == "FAILED"


def test_the_promotion_waits_for_a_person_and_then_goes_on(world, traffic):
    world.hold(step=1, since=world.now, policy=CONFIRMED)
    world.endpoint({"v0": 0, "v1": 50, "v2": 50})
    execution = world.bake()
    # No step 1 without a step 0: the judge has been there.
    confirmed = Policy.from_dict(json.loads(CONFIRMED))
    state = core.enter(confirmed, core.start(confirmed), 0, world.now)
    world.hold(
        step=1,
        since=world.now,
        policy=CONFIRMED,
        token=world.lock().token,
        judge=canonical(state.to_dict()),
    )
    for _ in range(13):
        traffic.minute(150, 150)
        answer = tick(world)
    assert answer["reasons"][0] == "promotion waits for a person: steelyard approve scales-test"
    assert (answer["outcome"], world.lock().gate) == ("continue", "promotion")

    assert operate(world, "approve")["said"] == "the promotion is approved"
    traffic.minute(150, 150)

    assert tick(world)["outcome"] == "advance"
    assert world.baked(execution)[0] == "SUCCEEDED"


def test_a_freeze_holds_a_step_that_has_earned_its_advance(world, traffic):
    end = int(world.now) + 15 * 60
    frozen = {"weekly": False, "begin": 0, "end": end}
    world.hold(since=world.now, policy=conducted(freeze=[frozen]))
    world.bake()
    outcomes = []
    for _ in range(15):
        traffic.minute(270, 30)
        answer = tick(world)
        outcomes.append(answer["outcome"])
        if answer["outcome"] == "continue" and len(outcomes) == 14:
            assert "when the freeze ends" in answer["reasons"][0]

    assert outcomes == ["continue"] * 14 + ["advance"]
