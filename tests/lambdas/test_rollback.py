"""Rollback: whoever wakes it, however often, traffic comes home and never goes anywhere else."""

import json

import pytest

from lambdas import rollback
from lambdas.aws import EndpointBusy, LedgerConflict, LedgerUnreachable
from lambdas.rollback import ChampionUnknown
from tests.lambdas.world import HOME, TABLE


@pytest.fixture
def world(world, monkeypatch):
    # A machine that does much else may take longer than a second to answer.
    monkeypatch.setattr(rollback, "MARK_SECONDS", 20.0)
    world.hold(step=1)
    world.endpoint({"v0": 0, "v1": 50, "v2": 50})
    return world


def wake(world, event=None):
    return rollback.handler(world.alarm_event("v2") if event is None else event, None)


def test_an_alarm_of_the_challenger_brings_traffic_home(world):
    wake(world)
    world.settle()

    assert world.weights() == HOME
    assert world.lock().phase == "aborting"
    assert world.lock().reason == "alarm: scales-test-v2-Latency: 3 of 5 points"
    assert world.records()[-1]["body"] == {"done": "weights asked for"}
    assert world.told() == ["scales-test: rollout aborted"]


def test_the_waiting_bake_ends_with_the_alarm_s_reason(world):
    execution = world.bake()

    wake(world)

    reason = "scales-test-v2-Latency: 3 of 5 points"
    assert world.baked(execution) == ("FAILED", "Aborted", reason)


def test_a_bake_that_nobody_waits_for_any_more_is_no_obstacle(world):
    world.hold(step=1, token="long gone")

    wake(world)
    world.settle()

    assert world.weights() == HOME


@pytest.mark.parametrize("variant", ["v1", "v0"])
def test_an_alarm_of_another_variant_is_ignored(world, variant):
    answer = wake(world, world.alarm_event(variant))

    assert "no rollout in progress is concerned" in answer["ignored"]
    assert world.weights("DesiredWeight") == {"v0": 0, "v1": 50, "v2": 50}
    assert world.lock().phase == "progressing"


@pytest.mark.parametrize("state", ["OK", "INSUFFICIENT_DATA"])
def test_an_alarm_that_does_not_ring_is_ignored(world, state):
    answer = wake(world, world.alarm_event("v2", state))

    assert answer["ignored"] == "the alarm is not in ALARM"
    assert world.lock().phase == "progressing"


def test_another_rollout_s_name_stops_nothing(world):
    answer = wake(world, world.event(rollout="r0", reason="a mistyped name"))

    assert "a mistyped name" in answer["ignored"]
    assert world.lock().phase == "progressing"


def test_an_operator_s_reason_is_in_the_ledger(world):
    wake(world, world.event(reason="the press called"))

    assert world.lock().reason == "operator: the press called"


def test_a_promoted_rollout_is_left_alone_and_the_state_machine_does_not_wait_for_it(world):
    promoted = {"v0": 0, "v1": 0, "v2": 100}
    world.hold(step=2, phase="promoted")
    world.endpoint(promoted)

    answers = [wake(world), wake(world, world.event(error={"Error": "States.Timeout"}))]

    assert all(answer["home"] is True for answer in answers)
    assert world.weights("DesiredWeight") == promoted


def test_a_duplicate_delivery_changes_nothing_more(world):
    wake(world)
    world.settle()
    wake(world)
    before, records = world.lock(), world.records()
    world.told()

    answer = wake(world)

    assert answer["home"] is True
    assert (world.lock(), world.records(), world.told()) == (before, records, [])


def test_the_state_machine_hears_that_it_is_home_only_when_the_weights_are_in_force(world):
    event = world.event(error={"Error": "JudgedWorse", "Cause": "errors 31 > 20"})

    assert wake(world, event)["home"] is False
    with pytest.raises(EndpointBusy, match="scales-test is Updating"):
        wake(world, event)
    world.settle()
    answer = wake(world, event)

    assert answer == {"home": True, "reason": "judge: errors 31 > 20"}
    assert world.lock().phase == "aborted"
    assert [record["body"]["done"] for record in world.records()] == [
        "weights asked for",
        "weights are home",
    ]


def test_the_first_reason_is_kept(world):
    wake(world)
    world.settle()

    wake(world, world.event(error={"Error": "Aborted", "Cause": "whatever came of it"}))

    assert world.lock().reason == "alarm: scales-test-v2-Latency: 3 of 5 points"


def test_weights_that_the_platform_rolled_back_are_sent_home_again(world):
    models = world.aws.endpoints.models
    models["scales-test"] = models["scales-test"].roll_back_next()
    wake(world)
    world.settle()
    assert world.weights()["v2"] == 50

    assert wake(world)["home"] is False
    world.settle()

    assert world.weights() == HOME
    assert wake(world)["home"] is True


def test_a_busy_endpoint_is_an_error_only_after_everybody_knows(world):
    execution = world.bake()
    world.busy()

    with pytest.raises(EndpointBusy, match="Cannot update in-progress endpoint"):
        wake(world)

    assert world.lock().phase == "aborting"
    assert world.baked(execution)[:2] == ("FAILED", "Aborted")
    assert world.told() == ["scales-test: rollout aborted"]
    with pytest.raises(EndpointBusy, match="scales-test is SystemUpdating"):
        wake(world)
    world.aws.clock.advance(60)
    wake(world)
    world.settle()
    assert world.weights() == HOME


def test_a_record_that_cannot_be_written_does_not_stop_the_way_home(world):
    execution = world.bake()
    world.occupy("r1", 1)

    wake(world)
    world.settle()

    assert world.weights() == HOME
    assert world.baked(execution)[0] == "FAILED"


def test_the_end_is_not_called_home_before_the_ledger_has_it(world):
    wake(world)
    world.settle()
    world.occupy("r1", world.lock().seq)

    with pytest.raises(LedgerConflict):
        wake(world)

    assert world.lock().phase == "aborting"


@pytest.mark.parametrize("weights", [{"v0": 0, "v1": 0, "v2": 1}, {"v0": 1, "v1": 1, "v2": 0}])
def test_a_rollout_that_moved_nothing_moves_nothing_when_it_is_refused(world, weights):
    world.hold(step=-1)
    world.endpoint(weights)
    error = {"Error": "NotReady", "Cause": json.dumps({"errorMessage": "v1 has no weight"})}

    answer = wake(world, world.event(error=error))

    assert answer == {"home": True, "reason": "NotReady: v1 has no weight"}
    assert world.weights("DesiredWeight") == weights
    assert world.lock().phase == "aborted"
    assert world.records()[-1]["body"] == {"done": "no weight was asked for"}


@pytest.fixture
def blind(world, monkeypatch):
    monkeypatch.setenv("STEELYARD_LEDGER", "a-table-that-is-gone")
    return world


def test_without_the_ledger_traffic_goes_to_the_environment_s_champion_if_it_serves(blind):
    with pytest.raises(LedgerUnreachable, match="all weight was sent to v1"):
        wake(blind)
    blind.settle()

    assert blind.weights() == HOME


def test_without_the_ledger_a_second_delivery_asks_for_nothing_more(blind):
    for _ in range(2):
        with pytest.raises(LedgerUnreachable):
            wake(blind)
        before = blind.status
        blind.settle()

    assert before == "InService"


def test_once_the_ledger_is_there_again_a_second_delivery_stops_the_rollout(blind, monkeypatch):
    with pytest.raises(LedgerUnreachable):
        wake(blind)
    blind.settle()
    monkeypatch.setenv("STEELYARD_LEDGER", TABLE)

    wake(blind)

    assert blind.lock().phase == "aborting"


def test_without_the_ledger_a_champion_that_does_not_serve_is_a_matter_for_people(blind):
    promoted = {"v0": 0, "v1": 0, "v2": 100}
    blind.endpoint(promoted)

    with pytest.raises(ChampionUnknown, match="v1 has no weight and the ledger cannot say"):
        wake(blind)

    assert blind.weights("DesiredWeight") == promoted
    assert blind.told() == ["scales-test: rollback needs a person"]


def test_without_the_ledger_the_champion_s_own_alarm_does_not_send_it_more(blind):
    answer = wake(blind, blind.alarm_event("v1"))

    assert "the champion itself is concerned" in answer["ignored"]
    assert blind.weights("DesiredWeight") == {"v0": 0, "v1": 50, "v2": 50}
