"""Watchdog: with everybody else dead, weights come home, scaling is let go, people hear of it."""

import pytest

from lambdas import watchdog
from lambdas.aws import LedgerUnreachable
from steelyard.rollout.watch import IN_FLIGHT_SECONDS
from tests.lambdas.faults import Faults
from tests.lambdas.scaled import WHOLE, place, scales, suspended
from tests.lambdas.world import ENDPOINT, HOME

FIRST = {"v0": 0, "v1": 90, "v2": 10}


@pytest.fixture
def world(world):
    under_way(world)
    world.endpoint(FIRST)
    return world


def under_way(world, **changes):
    """Let the rollout be at its first step, its lease alive."""
    usual = {"step": 0, "since": world.now - 60, "lease_until": world.now + 60}
    world.hold(**usual | changes)


def tick(world, minutes=0):
    """Let the watchdog run, as its schedule does, after so many minutes."""
    world.aws.clock.advance(60 * minutes)
    return watchdog.handler({"time": world.iso()}, None)


def deeds(world, count):
    """Return what it does in each of so many minutes."""
    return [tick(world, minutes=1)["deed"] for _ in range(count)]


def test_a_rollout_whose_lease_is_alive_is_left_alone(world):
    before = world.lock()

    assert tick(world) == {"deed": "rest", "reason": "under way", "differs": False}
    assert (world.lock(), world.records(), world.weights()) == (before, [], FIRST)


@pytest.mark.parametrize("phase", ["progressing", "paused"])
def test_a_weight_does_not_outlive_its_lease_by_more_than_the_next_minute(world, phase):
    under_way(world, phase=phase, lease_until=world.now - 1)

    assert tick(world)["deed"] == "mark"
    world.settle()

    assert world.weights() == HOME
    assert world.lock().phase == "aborting"
    said = "the lease of v2's weight has expired: nobody renewed it"
    assert world.lock().reason == f"watchdog: {said}"
    assert [record["body"]["done"] for record in world.records()] == ["mark", "shift"]
    assert world.told() == ["scales-test: rollout aborted"]


def test_the_bake_that_waits_is_ended(world):
    execution = world.bake()
    under_way(world, lease_until=world.now - 1, token=world.lock().token)

    tick(world)

    assert world.baked(execution)[:2] == ("FAILED", "Aborted")


def test_an_abort_that_everybody_else_left_is_finished(world):
    execution = world.bake()
    under_way(world, phase="aborting", token=world.lock().token)

    assert deeds(world, 4) == ["shift", "note", "end", "rest"]

    assert world.weights() == HOME
    assert world.baked(execution)[:2] == ("FAILED", "Aborted")
    assert world.told() == ["scales-test: rollout has ended"]
    assert (world.lock().phase, world.lock().token) == ("aborted", None)


def test_a_platform_that_takes_the_weights_back_is_asked_again(world):
    under_way(world, phase="aborting")
    models = world.aws.endpoints.models
    models[ENDPOINT] = models[ENDPOINT].roll_back_next()

    # Ten seconds of trying, two minutes of rolling back.
    assert deeds(world, 6) == ["shift", "note", "wait", "shift", "note", "end"]
    assert world.weights() == HOME


def test_a_call_in_flight_that_lands_after_the_weights_were_home_is_undone(world):
    under_way(world, phase="aborting")
    assert deeds(world, 2) == ["shift", "note"]
    world.endpoint(FIRST)

    assert tick(world)["deed"] == "shift"
    world.settle()

    assert world.weights() == HOME


def test_a_person_is_told_when_the_platform_forbids_it_and_again_every_quarter_of_an_hour(world):
    under_way(world, phase="aborting")
    models = world.aws.endpoints.models
    models[ENDPOINT] = models[ENDPOINT].system_update(world.now, 1800)

    done = deeds(world, 21)

    assert [minute for minute, deed in enumerate(done) if deed == "page"] == [5, 20]
    assert world.told() == ["scales-test: rollback needs a person"] * 2
    assert deeds(world, 9)[-1] == "shift"


def test_a_refusal_is_waited_for_where_the_description_did_not_tell(world):
    under_way(world, phase="aborting")
    with Faults().at_work() as faults:
        faults.strike("UpdateEndpointWeightsAndCapacities", "in progress")

        assert deeds(world, 2) == ["note", "wait"]


def test_whoever_loses_against_another_writer_looks_again(world):
    """The judge renews the lease between the watchdog's look and its mark."""
    under_way(world, lease_until=world.now - 1)
    with Faults().at_work() as faults:
        faults.before("TransactWriteItems", lambda: under_way(world, seq=2))

        assert tick(world)["deed"] == "rest"

    assert (world.lock().phase, world.weights()) == ("progressing", FIRST)


def test_a_ledger_that_never_lets_it_write_is_left_to_others(world):
    under_way(world, lease_until=world.now - 1)
    world.occupy("r1", 1)

    assert tick(world)["reason"] == "others write the ledger"
    assert world.lock().phase == "progressing"


def test_weights_go_home_even_if_the_ledger_can_be_read_and_not_written(world):
    under_way(world, lease_until=world.now - 1)
    with Faults().at_work() as faults:
        faults.strike("TransactWriteItems", "500")

        with pytest.raises(LedgerUnreachable):
            tick(world)
    world.settle()

    assert world.weights() == HOME


def test_a_mark_whose_answer_was_lost_is_found_in_the_next_minute(world):
    under_way(world, lease_until=world.now - 1)
    with Faults().at_work() as faults:
        faults.strike("TransactWriteItems", "timed out after")

        with pytest.raises(LedgerUnreachable):
            tick(world)

    assert deeds(world, 2) == ["note", "end"]
    assert world.weights() == HOME


def test_before_the_first_weight_a_deadline_ends_the_rollout_and_moves_nothing(world):
    world.endpoint({"v0": 0, "v1": 1, "v2": 0})
    under_way(world, step=-1, since=None, deadline=world.now - 1)

    assert tick(world)["deed"] == "mark"

    assert world.lock().phase == "aborted"
    assert world.weights("DesiredWeight") == {"v0": 0, "v1": 1, "v2": 0}


def test_an_endpoint_that_is_gone_ends_its_rollout(world):
    world.aws.endpoints.models.clear()

    assert tick(world)["deed"] == "mark"
    assert world.lock().phase == "aborted"
    assert world.lock().reason == "watchdog: the endpoint scales-test is gone"


@pytest.mark.parametrize("phase", ["aborted", "promoted"])
def test_scaling_is_let_go_when_the_rollout_has_ended(world, phase):
    scales(world, "v0", "v1", "v2", **dict.fromkeys(WHOLE, True))
    under_way(world, phase=phase, suspended=["v1", "v2"])

    assert tick(world)["deed"] == "resume"

    assert suspended(world, "v1") == suspended(world, "v2") == set()
    assert suspended(world, "v0") == WHOLE
    assert world.lock().suspended == ()
    assert tick(world)["deed"] == "rest"


def test_scaling_is_let_go_only_after_no_call_can_hold_it_any_more(world):
    scales(world, "v1", **dict.fromkeys(WHOLE, True))
    under_way(world, phase="aborting", step=-1, suspended=["v1"], home_at=world.now - 1)

    assert tick(world)["deed"] == "wait"
    world.aws.clock.advance(IN_FLIGHT_SECONDS)
    assert (tick(world)["deed"], suspended(world, "v1")) == ("end", WHOLE)
    assert (tick(world)["deed"], suspended(world, "v1")) == ("resume", set())


def test_a_scalable_target_that_a_deploy_took_away_is_forgotten(world):
    scales(world, "v1")
    world.aws.client("application-autoscaling").deregister_scalable_target(**place("v1"))
    under_way(world, phase="promoted", suspended=["v1"])

    tick(world)

    assert world.lock().suspended == ()


def test_scaling_that_cannot_be_let_go_now_is_let_go_a_minute_later(world):
    scales(world, "v1", **dict.fromkeys(WHOLE, True))
    under_way(world, phase="promoted", suspended=["v1"])
    world.occupy("r1", 1)
    tick(world)
    assert world.lock().suspended == ("v1",)

    under_way(world, phase="promoted", suspended=["v1"], seq=2)
    tick(world)

    assert world.lock().suspended == ()


def test_at_rest_weights_that_are_not_the_ledger_s_are_said_and_left(world):
    under_way(world, phase="promoted")

    answer = tick(world)

    assert answer["differs"] is True
    assert answer["reason"] == "v2 should serve, v0 0, v1 90, v2 10 do"
    assert (world.weights("DesiredWeight"), world.told()) == (FIRST, [])


@pytest.fixture
def newborn(world, monkeypatch):
    """Give an endpoint just created where the file's champion, v2, is not its oldest variant."""
    monkeypatch.setenv("STEELYARD_CHAMPION", "v2")
    world.aws.client("dynamodb").delete_item(
        TableName="ledger", Key={"pk": {"S": f"lock#{ENDPOINT}"}, "sk": {"S": "lock"}}
    )
    world.endpoint({"v0": 1, "v1": 0, "v2": 0})
    return world


def test_a_new_endpoint_s_traffic_goes_to_the_champion_that_the_file_names(newborn):
    assert tick(newborn)["deed"] == "shift"
    newborn.settle()

    assert newborn.weights() == {"v0": 0, "v1": 0, "v2": 100}
    assert newborn.told() == ["scales-test: traffic given to the champion"]
    assert tick(newborn) == {"deed": "rest", "reason": "v2 serves", "differs": False}


def test_a_new_endpoint_that_is_busy_is_waited_for(newborn):
    with Faults().at_work() as faults:
        faults.strike("UpdateEndpointWeightsAndCapacities", "in progress")

        assert tick(newborn)["deed"] == "wait"

    assert newborn.told() == []


def test_before_there_is_an_endpoint_nothing_is_done(newborn):
    newborn.aws.endpoints.models.clear()

    assert tick(newborn) == {"deed": "rest", "reason": "there is no endpoint", "differs": False}
