"""Rollback: whoever wakes it, however often, traffic comes home and never goes anywhere else."""

import json

import pytest

from lambdas import rollback
from lambdas.aws import EndpointBusy, EndpointGone, LedgerConflict, LedgerUnreachable
from lambdas.rollback import ChampionUnknown, NotReverted
from steelyard.rollout.watch import IN_FLIGHT_SECONDS
from tests.lambdas.world import ENDPOINT, HOME, TABLE


@pytest.fixture
def world(world, monkeypatch):
    # A machine that does much else may take longer than a second to answer.
    monkeypatch.setattr(rollback, "MARK_SECONDS", 20.0)
    world.hold(step=1)
    world.endpoint({"v0": 0, "v1": 50, "v2": 50})
    return world


def wake(world, event=None):
    return rollback.handler(world.alarm_event("v2") if event is None else event, None)


def failed(world, error="JudgedWorse", cause="errors 31 > 20"):
    """Wake it as the state machine's Abort state does."""
    return wake(world, world.event(error={"Error": error, "Cause": cause}))


def ended(world, status="ABORTED", rollout="r1", after=0.0):
    """Wake it as EventBridge does for an execution that has ended."""
    detail = {"name": rollout, "status": status}
    kind = "Step Functions Execution Status Change"
    return wake(world, {"detail-type": kind, "time": world.iso(after), "detail": detail})


def stay(world, seconds=IN_FLIGHT_SECONDS):
    """Let the weights settle, and that time pass."""
    world.settle()
    failed(world)
    world.aws.clock.advance(seconds)


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


def test_a_paused_rollout_comes_home_as_well(world):
    world.hold(step=1, phase="paused")

    wake(world)
    world.settle()

    assert (world.weights(), world.lock().phase) == (HOME, "aborting")


@pytest.mark.parametrize("status", ["FAILED", "TIMED_OUT", "ABORTED"])
def test_an_execution_that_ends_in_any_way_but_success_brings_traffic_home(world, status):
    ended(world, status)
    world.settle()

    assert world.weights() == HOME
    assert world.lock().reason == f"engine: the execution ended {status}"


@pytest.mark.parametrize(("status", "rollout"), [("SUCCEEDED", "r1"), ("FAILED", "r2")])
def test_an_execution_that_succeeds_or_drives_nothing_stops_nothing(world, status, rollout):
    assert ended(world, status, rollout)["home"] is True
    assert world.lock().phase == "progressing"


def test_a_late_delivery_of_an_earlier_rollout_s_alarm_stops_nothing(world):
    world.hold(step=1, began_at=world.now + 1)

    assert "no rollout in progress is concerned" in wake(world)["ignored"]
    assert world.lock().phase == "progressing"


def test_nor_does_it_move_weights_that_people_gave_after_that_rollout_was_aborted(world):
    world.hold(step=1, phase="aborted", began_at=world.now + 1)

    assert "no rollout in progress is concerned" in wake(world)["ignored"]
    assert world.weights("DesiredWeight") == {"v0": 0, "v1": 50, "v2": 50}


@pytest.mark.parametrize("variant", ["v1", "v0"])
def test_an_alarm_of_another_variant_is_ignored(world, variant):
    answer = wake(world, world.alarm_event(variant))

    assert "no rollout in progress is concerned" in answer["ignored"]
    assert world.weights("DesiredWeight") == {"v0": 0, "v1": 50, "v2": 50}
    assert world.lock().phase == "progressing"


@pytest.mark.parametrize("state", ["OK", "INSUFFICIENT_DATA"])
def test_an_alarm_that_does_not_ring_is_ignored(world, state):
    answer = wake(world, world.alarm_event("v2", state))

    assert answer["ignored"] == "nothing failed"
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


@pytest.mark.parametrize("phase", ["aborting", "aborted"])
def test_a_duplicate_delivery_changes_nothing_more(world, phase):
    wake(world)
    world.settle()
    if phase == "aborted":
        stay(world)
        failed(world)
    before, records = world.lock(), world.records()
    world.told()

    answer = wake(world)

    assert before.phase == phase
    assert answer["home"] is (phase == "aborted")
    assert (world.lock(), world.records(), world.told()) == (before, records, [])


def test_the_state_machine_hears_that_it_is_home_when_no_call_is_in_flight_any_more(world):
    assert failed(world)["home"] is False
    with pytest.raises(EndpointBusy, match="scales-test is Updating"):
        failed(world)
    world.settle()
    assert failed(world)["home"] is False
    world.aws.clock.advance(IN_FLIGHT_SECONDS - 1)
    assert failed(world)["home"] is False
    world.aws.clock.advance(1)

    assert failed(world) == {"home": True, "reason": "judge: errors 31 > 20"}

    assert world.lock().phase == "aborted"
    assert [record["body"]["done"] for record in world.records()] == [
        "weights asked for",
        "weights are home",
        "weights are home and stayed there",
    ]


def test_a_call_that_was_in_flight_at_the_mark_is_undone(world):
    failed(world)
    stay(world, 30)
    world.endpoint({"v0": 0, "v1": 50, "v2": 50})

    assert failed(world)["home"] is False
    world.settle()

    assert (world.weights(), world.lock().phase) == (HOME, "aborting")


def test_an_event_that_may_be_hours_old_does_not_say_how_long_weights_were_home(world):
    wake(world)
    world.settle()

    ended(world, after=-3600)

    assert world.lock().home_at is None


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
    stay(world)
    world.occupy("r1", world.lock().seq)

    with pytest.raises(LedgerConflict):
        failed(world)

    assert world.lock().phase == "aborting"


@pytest.mark.parametrize("weights", [{"v0": 0, "v1": 0, "v2": 1}, {"v0": 1, "v1": 1, "v2": 0}])
def test_a_rollout_that_moved_nothing_moves_nothing_when_it_is_refused(world, weights):
    world.hold(step=-1)
    world.endpoint(weights)
    cause = json.dumps({"errorMessage": "v1 has no weight"})

    failed(world, "NotReady", cause)
    answer = failed(world, "NotReady", cause)

    assert answer == {"home": True, "reason": "engine: NotReady: v1 has no weight"}
    assert world.weights("DesiredWeight") == weights
    assert world.lock().phase == "aborted"
    assert world.records()[-1]["body"] == {"done": "no weight was asked for"}
    assert world.told() == ["scales-test: rollout aborted", "scales-test: rollout has ended"]


def test_a_rollout_that_holds_scaling_has_not_ended_while_that_call_may_be_in_flight(world):
    world.hold(step=-1, suspended=["v1"])
    for _ in range(2):
        assert failed(world)["home"] is False
    world.aws.clock.advance(IN_FLIGHT_SECONDS)

    assert failed(world)["home"] is True


def test_a_person_who_is_waited_for_before_the_first_weight_is_waited_for_no_more(world):
    world.hold(step=-1)
    execution = world.confirm()

    wake(world, world.event(reason="not today"))

    assert world.baked(execution)[:2] == ("FAILED", "Aborted")


def test_a_variant_that_a_deploy_took_away_does_not_keep_traffic_from_coming_home(world):
    world.endpoint({"v1": 50, "v2": 50}, config="config-2")

    wake(world)
    world.settle()

    assert world.weights() == {"v1": 100, "v2": 0}


def test_an_endpoint_that_is_gone_has_nothing_to_bring_home(world):
    world.aws.endpoints.models.clear()

    with pytest.raises(EndpointGone):
        failed(world)

    assert failed(world)["home"] is True
    assert world.lock().phase == "aborted"


def revert(world, **changes):
    event = world.event(actor="ada", reason="it answers nonsense", revert=True)
    return wake(world, event | changes)


@pytest.fixture
def promoted(world):
    world.hold(step=2, phase="promoted", reason="v2 is promoted")
    world.endpoint({"v0": 0, "v1": 0, "v2": 100})
    return world


def test_a_promotion_is_taken_back_by_one_call(promoted):
    assert revert(promoted)["home"] is False
    promoted.settle()

    assert promoted.weights() == HOME
    assert promoted.lock().phase == "aborting"
    assert promoted.lock().reason == "operator: ada: it answers nonsense"
    assert promoted.told() == ["scales-test: rollout reverted"]


def test_a_second_order_to_revert_changes_nothing_more(promoted):
    revert(promoted)
    promoted.settle()

    assert revert(promoted)["home"] is False
    promoted.aws.clock.advance(IN_FLIGHT_SECONDS)
    assert revert(promoted)["home"] is True
    assert promoted.lock().phase == "aborted"


@pytest.mark.parametrize(
    ("lock", "weights", "said"),
    [
        ({"rollout": "r2"}, {"v1": 0, "v2": 100}, "r1 is not the newest rollout .* it is r2"),
        ({"phase": "paused"}, {"v1": 50, "v2": 50}, "r1 is paused, not promoted: abort it"),
        ({}, {"v2": 100}, "v1 has no instance any more, v2 have: deploy it again"),
    ],
)
def test_a_revert_that_has_nowhere_to_go_is_refused(promoted, lock, weights, said):
    promoted.hold(**{"step": 2, "phase": "promoted"} | lock)
    promoted.endpoint(weights)
    before = promoted.lock()

    with pytest.raises(NotReverted, match=said):
        revert(promoted)

    assert promoted.lock() == before
    assert promoted.weights("DesiredWeight") == weights


def test_a_previous_champion_whose_instances_were_taken_away_is_not_warm(promoted):
    models, now = promoted.aws.endpoints.models, promoted.now
    desired = [{"VariantName": "v1", "DesiredInstanceCount": 0}]
    models[ENDPOINT] = models[ENDPOINT].update_weights_and_capacities(desired, now)
    promoted.settle()

    with pytest.raises(NotReverted, match="v1 has no instance any more, v0, v2 have"):
        revert(promoted)


def test_a_second_delivery_ends_the_bake_that_the_first_one_died_over(world):
    execution = world.bake()
    world.hold(step=1, phase="aborting", token=world.lock().token)

    wake(world)

    assert world.baked(execution)[:2] == ("FAILED", "Aborted")


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
