"""Each call on the way home, failing in each way: what happens, and when the weights are home."""

import pytest

from lambdas import rollback, watchdog
from tests.lambdas.faults import Faults
from tests.lambdas.world import ENDPOINT, HOME

MARK, WEIGHTS, RECORD = "UpdateItem", "UpdateEndpointWeightsAndCapacities", "TransactWriteItems"
BAKE, PEOPLE, LOOK = "SendTaskFailure", "Publish", "DescribeEndpoint"
# The endpoint model's assumption for a change of weights, in seconds.
PLATFORM = 10
# Lambda delivers an event again one and then two minutes after a failure:
# https://docs.aws.amazon.com/lambda/latest/dg/invocation-async-error-handling.html
DELIVERIES = (0, 60, 180)


@pytest.fixture
def faults(world):
    with Faults().at_work() as faults:
        yield faults


@pytest.fixture
def world(world, monkeypatch):
    # A machine that does much else may take longer than a second to answer.
    monkeypatch.setattr(rollback, "MARK_SECONDS", 20.0)
    world.hold(step=1, since=world.now - 60, lease_until=world.now + 3600)
    world.endpoint({"v0": 0, "v1": 50, "v2": 50})
    return world


def attempt(handler, event, faults):
    """Return how an invocation ended, and let no fault outlive it."""
    try:
        answer = handler(event, None)
    except Exception as error:
        return type(error).__name__
    finally:
        faults.lift()
    return answer.get("deed", "done")


def play(world, faults):
    """
    Let an alarm ring while nothing else is alive but the watchdog, half a minute apart from it.

    Return how the first delivery ended, and after how many seconds weights were home.
    """
    begin, alarm, outcomes, home = world.now, world.alarm_event("v2"), [], None
    for passed in range(0, 1500, 10):
        if passed in DELIVERIES and outcomes[-1:] != ["done"]:
            outcomes.append(attempt(rollback.handler, alarm, faults))
        if passed % 60 == 30:
            deed = attempt(watchdog.handler, {"time": world.iso()}, faults)
            if deed == "end":
                break
        if home is None and world.weights() == HOME and world.status == "InService":
            home = passed
        world.aws.clock.advance(begin + passed + 10 - world.now)
    assert world.weights() == HOME
    assert world.lock().phase == "aborted"
    return outcomes[0], home


@pytest.mark.parametrize("call", [MARK, WEIGHTS, RECORD, BAKE, PEOPLE])
@pytest.mark.parametrize("fault", ["throttled", "500", "timed out before"])
def test_a_call_that_fails_once_is_made_again_at_once(world, faults, call, fault):
    faults.strike(call, fault, times=1)

    assert play(world, faults) == ("done", PLATFORM)


def test_a_weight_call_that_was_taken_is_refused_when_botocore_makes_it_again(world, faults):
    faults.strike(WEIGHTS, "timed out after", times=1)

    assert play(world, faults) == ("EndpointBusy", PLATFORM)


# What fails in all attempts of the first delivery, how; how that delivery ends; after how many
# seconds the weights are home.
LASTING = [
    # The mark fails: weights go home by the environment's champion, and somebody comes again.
    (MARK, "throttled", "LedgerUnreachable", PLATFORM),
    (MARK, "500", "LedgerUnreachable", PLATFORM),
    (MARK, "timed out before", "LedgerUnreachable", PLATFORM),
    # It was written, and only the answer lost: the same, and the second delivery finds it.
    (MARK, "timed out after", "LedgerUnreachable", PLATFORM),
    # The weight call fails: the watchdog sends it half a minute later.
    (WEIGHTS, "throttled", "EndpointRefused", 30 + PLATFORM),
    (WEIGHTS, "500", "EndpointRefused", 30 + PLATFORM),
    (WEIGHTS, "timed out before", "EndpointRefused", 30 + PLATFORM),
    (WEIGHTS, "in progress", "EndpointBusy", 30 + PLATFORM),
    # It was taken and only the answers lost.
    (WEIGHTS, "timed out after", "EndpointRefused", PLATFORM),
    # What comes after the weights delays nothing.
    (RECORD, "throttled", "done", PLATFORM),
    (RECORD, "500", "done", PLATFORM),
    (RECORD, "timed out before", "done", PLATFORM),
    (RECORD, "timed out after", "done", PLATFORM),
    (BAKE, "throttled", "ClientError", PLATFORM),
    (BAKE, "timed out before", "ReadTimeoutError", PLATFORM),
    (PEOPLE, "500", "ClientError", PLATFORM),
    (PEOPLE, "timed out after", "ReadTimeoutError", PLATFORM),
]


@pytest.mark.parametrize(("call", "fault", "outcome", "seconds"), LASTING)
def test_a_call_that_fails_throughout_a_delivery(world, faults, call, fault, outcome, seconds):
    execution = world.bake()
    faults.strike(call, fault)

    assert play(world, faults) == (outcome, seconds)

    # What fails keeps none of the others from being made.
    assert world.baked(execution)[0] == "FAILED"
    told = world.told()
    is_lost = (call, fault) in ((PEOPLE, "500"), (MARK, "timed out after"))
    assert ("scales-test: rollout aborted" in told) is not is_lost
    assert told[-1] == "scales-test: rollout has ended"


def test_a_variant_that_is_gone_while_sagemaker_does_not_say_what_is_there(world, faults):
    world.endpoint({"v1": 50, "v2": 50})
    faults.strike(LOOK, "500")
    home = {"v1": 100, "v2": 0}

    attempt(rollback.handler, world.alarm_event("v2"), faults)
    watchdog.handler({"time": world.iso(30)}, None)
    world.settle()

    assert world.weights() == home


def test_maintenance_of_ten_minutes_is_waited_for_and_a_person_is_told(world, faults):
    models = world.aws.endpoints.models
    models[ENDPOINT] = models[ENDPOINT].system_update(world.now, 600)

    outcome, home = play(world, faults)

    # Until 600 nobody can: the watchdog comes each minute, half a minute later.
    assert (outcome, home) == ("EndpointBusy", 630 + PLATFORM)
    said = ["rollout aborted", "rollback needs a person", "rollout has ended"]
    assert world.told() == [f"scales-test: {it}" for it in said]


def test_a_change_that_the_platform_takes_back_is_asked_for_again(world, faults):
    models = world.aws.endpoints.models
    models[ENDPOINT] = models[ENDPOINT].roll_back_next()

    outcome, home = play(world, faults)

    # 10 s until it fails, 120 s rolling back, then the watchdog's next minute.
    assert (outcome, home) == ("done", 150 + PLATFORM)


def test_a_ledger_that_is_gone_for_three_minutes_does_not_keep_traffic_from_coming_home(
    world, faults
):
    event = world.alarm_event("v2")
    for after in DELIVERIES:
        for call in ("GetItem", MARK, RECORD):
            faults.strike(call, "500")
        assert attempt(rollback.handler, event, faults) == "LedgerUnreachable"
        world.settle()
        assert world.weights() == HOME, f"{after} s after the alarm"
        world.aws.clock.advance(60)
    assert world.lock().phase == "progressing"

    # Nobody marked it; the weights that are not the step's tell the watchdog.
    watchdog.handler({"time": world.iso()}, None)

    assert world.lock().phase == "aborting"
    assert "which step 1 never asked" in world.lock().reason


def test_the_first_weight_call_comes_after_the_mark_and_before_everything_else(world, faults):
    world.bake()
    faults.sent.clear()

    rollback.handler(world.alarm_event("v2"), None)

    assert faults.sent[:2] == [MARK, WEIGHTS]
