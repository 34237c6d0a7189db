"""`steelyard repair`: the ledger is made to say what the endpoint shows, and by whom."""

import importlib
import json

import pytest

from tests.lambdas.world import HOME
from tests.steelyard.cli.operated import MACHINE

RAMPED = {"v0": 0, "v1": 90, "v2": 10}
PROMOTED = {"v0": 0, "v1": 0, "v2": 100}


def mend(operated, *arguments):
    return operated.run("repair", "--reason", "stuck", "--as", "ada", *arguments)


def execution(operated, rollout="r1"):
    """Let an execution of a rollout run, which waits."""
    machine = operated.world.aws.client("stepfunctions")
    definition = {"StartAt": "W", "States": {"W": {"Type": "Wait", "Seconds": 9999, "End": True}}}
    arn = machine.create_state_machine(
        name=MACHINE.rpartition(":")[2],
        definition=json.dumps(definition),
        roleArn="arn:aws:iam::111122223333:role/states",
    )["stateMachineArn"]
    assert arn == MACHINE
    machine.start_execution(stateMachineArn=arn, name=rollout, input="{}")
    operated.world.aws.clock.settle()


@pytest.mark.parametrize(
    ("to", "weights", "phase"),
    [
        ("aborted", HOME, "aborting"),
        ("aborted", HOME, "promoted"),
        ("promoted", PROMOTED, "progressing"),
        ("promoted", PROMOTED, "aborted"),
    ],
)
def test_a_stuck_ledger_is_mended_with_a_record_of_before_and_after(operated, to, weights, phase):
    operated.world.endpoint(weights)
    operated.world.hold(phase=phase, lease_until=operated.world.now - 1, token="t", gate="start")

    result = mend(operated, "--to", to, "--yes")

    assert result.exit_code == 0, result.output
    assert f"done: rollout r1 of scales-test: {phase} → {to}" in result.stdout
    lock = operated.world.lock()
    assert (lock.phase, lock.reason) == (to, "repair: stuck")
    assert (lock.token, lock.lease_until, lock.gate) == (None, None, None)
    (record,) = operated.world.records()
    assert (record["actor"], record["reason"], record["weights"]) == ("operator", "stuck", weights)
    assert record["body"] == {
        "order": "repair",
        "by": "ada",
        "before": {"phase": phase, "claim": None},
        "after": {"phase": to, "claim": None},
    }


def test_without_yes_nothing_is_written_and_the_plan_is_shown(operated):
    operated.world.endpoint(HOME)
    operated.world.hold(phase="aborting")
    before = operated.world.lock()

    result = mend(operated, "--to", "aborted")

    assert result.exit_code == 0
    assert "with --yes: rollout r1 of scales-test: aborting → aborted" in result.stdout
    assert "live weights    v0 0  v1 100  v2 0" in result.stdout
    assert (operated.world.lock(), operated.world.records()) == (before, [])


REFUSED = {
    "what is so already": (
        {"phase": "aborted"},
        HOME,
        "aborted",
        "rollout r1 is aborted already: there is nothing to mend",
    ),
    "the champion does not serve all": (
        {"phase": "aborting"},
        RAMPED,
        "aborted",
        "v1 does not serve everything (v0 0, v1 90, v2 10, InService), which aborted would say",
    ),
    "the challenger does not serve all": (
        {"phase": "aborting"},
        HOME,
        "promoted",
        "v2 does not serve everything (v0 0, v1 100, v2 0, InService), which promoted would say",
    ),
    "no weight was asked for, and it cannot be promoted": (
        {"phase": "progressing", "step": -1},
        HOME,
        "promoted",
        "v2 does not serve everything",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_the_endpoint_does_not_show_is_refused(operated, case):
    changes, weights, to, said = REFUSED[case]
    operated.world.endpoint(weights)
    operated.world.hold(**changes)

    result = mend(operated, "--to", to, "--yes")

    assert result.exit_code == 1
    assert said in result.stderr
    assert operated.world.records() == []


@pytest.mark.parametrize(
    ("lease", "runs", "refused"),
    [(60, True, True), (None, True, True), (-60, True, False), (60, False, False)],
)
def test_what_is_driven_is_left_alone(operated, lease, runs, refused):
    world = operated.world
    world.endpoint(HOME)
    world.hold(lease_until=None if lease is None else world.now + lease)
    if runs:
        execution(operated)

    result = mend(operated, "--to", "aborted", "--yes")

    assert result.exit_code == (1 if refused else 0), result.output
    assert ("its execution runs and its lease lives" in result.stderr) is refused
    assert world.lock().phase == ("progressing" if refused else "aborted")


def test_a_rollout_that_asked_for_no_weight_may_be_aborted_whoever_serves(operated):
    operated.world.endpoint(PROMOTED)
    operated.world.hold(step=-1)

    assert mend(operated, "--to", "aborted", "--yes").exit_code == 0
    assert operated.world.lock().phase == "aborted"


def test_weights_that_are_still_under_way_are_not_taken_for_home(operated):
    operated.world.endpoint(HOME)
    operated.world.hold(phase="aborting")
    operated.world.busy()

    assert mend(operated, "--to", "aborted", "--yes").exit_code == 1


def test_a_claim_that_outlived_its_deploy_is_freed(operated):
    operated.world.hold(phase="promoted", step=2)
    operated.world.claim("endpoint")

    dry = mend(operated, "--free-claim")
    assert "with --yes: the deploy claim of endpoint ends" in dry.stdout
    assert operated.json("status")["claim"]["stack"] == "endpoint"

    assert mend(operated, "--free-claim", "--yes").exit_code == 0
    assert operated.json("status")["claim"] is None
    (record,) = operated.world.records()
    assert record["body"]["before"] == {"phase": "promoted", "claim": "endpoint"}
    assert record["body"]["after"] == {"phase": "promoted", "claim": None}
    assert operated.world.lock().phase == "promoted"


def test_without_a_claim_there_is_none_to_free(operated):
    operated.world.hold(phase="promoted", step=2)

    result = mend(operated, "--free-claim", "--yes")

    assert result.exit_code == 1
    assert "there is no claim to free" in result.stderr


@pytest.mark.parametrize(
    ("status", "refused"), [("UPDATE_IN_PROGRESS", True), ("UPDATE_COMPLETE", False)]
)
def test_the_claim_of_a_deploy_that_runs_is_left_alone(operated, status, refused):
    operated.world.hold(phase="promoted", step=2)
    operated.world.claim("endpoint")
    operated.stack("scales-test-endpoint", {"Any": "output"})
    operated.status("scales-test-endpoint", status)

    result = mend(operated, "--free-claim", "--yes")

    assert result.exit_code == (1 if refused else 0), result.output
    assert (f"scales-test-endpoint is {status}: wait" in result.stderr) is refused


def test_another_writer_in_between_wins(operated, monkeypatch):
    module = importlib.import_module("steelyard.cli.repair")
    look = module.look

    def look_while_another_writes(deployment):
        found = look(deployment)
        deployment.ledger.append(found.lock, [], phase="progressing")
        return found

    monkeypatch.setattr(module, "look", look_while_another_writes)
    operated.world.endpoint(HOME)
    operated.world.hold(phase="aborting")

    result = mend(operated, "--to", "aborted", "--yes")

    assert result.exit_code == 1
    assert "somebody wrote the ledger meanwhile" in result.stderr
    assert operated.world.lock().phase == "progressing"


def test_with_nothing_to_mend_the_command_says_what_can_be(operated):
    result = mend(operated)

    assert result.exit_code == 2
    assert "--to, --free-claim: given neither, allowed is one or both" in result.stderr
