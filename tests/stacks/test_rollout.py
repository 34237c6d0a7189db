"""The state machine: every failure is caught, brings traffic home and ends red."""

import dataclasses
import json
import re
from itertools import pairwise

import pytest

from lambdas import acquire
from steelyard.rollout.conduct import GATES
from steelyard.rollout.ledger import UNDER_WAY, Lock
from steelyard.spec.quantities import LONGEST_DAYS
from tests.stacks.synthesis import ROOT, templates

MACHINE = templates().only("control", "AWS::StepFunctions::StateMachine")
DEFINITION = json.loads(MACHINE["DefinitionString"])
STATES = DEFINITION["States"]
INNER = STATES["Steps"]["ItemProcessor"]["States"]


def follow(states, name):
    """Return the names of the states that may come after a state, failures apart."""
    state = states[name]
    choices = [choice["Next"] for choice in state.get("Choices", ())]
    return [it for it in (state.get("Next"), state.get("Default"), *choices) if it is not None]


def caught(state):
    return [catch["Next"] for catch in state.get("Catch", ())]


def reachable(states, name):
    found, todo = set(), [name]
    while todo:
        name = todo.pop()
        if name not in found:
            found.add(name)
            todo += follow(states, name)
    return found


def tasks(states):
    return [name for name, state in states.items() if state["Type"] in ("Task", "Map")]


@pytest.mark.parametrize("name", sorted(set(tasks(STATES)) - {"Abort", "DryRun"}))
def test_every_failure_leads_to_the_abort(name):
    catches = STATES[name]["Catch"]

    assert catches[-1] == {
        "ErrorEquals": ["States.ALL"],
        "ResultPath": "$.error",
        "Next": "Abort",
    }
    assert caught(STATES[name])[:-1] == (["Refused"] if name == "Acquire" else [])


def test_a_dry_run_takes_nothing_so_it_leads_nowhere_but_to_its_answer():
    (choice,) = STATES["IsDryRun"]["Choices"]

    assert DEFINITION["StartAt"] == "IsDryRun"
    assert choice["Next"] == "DryRun"
    assert STATES["IsDryRun"]["Default"] == "Acquire"
    assert STATES["DryRun"]["Parameters"]["Payload"]["dry_run"] is True
    assert reachable(STATES, "DryRun") == {"DryRun", "Ready"}
    assert set(caught(STATES["DryRun"])) == {"Refused"}


def test_a_failure_inside_a_step_ends_the_steps():
    assert all("Catch" not in state for state in INNER.values())
    assert "ToleratedFailurePercentage" not in STATES["Steps"]
    assert "ToleratedFailureCount" not in STATES["Steps"]


def test_the_abort_is_only_left_through_red_and_only_when_traffic_is_home():
    ends = {name for name in reachable(STATES, "Abort") if not follow(STATES, name)}

    assert ends == {"Aborted"}
    assert STATES["Aborted"]["Type"] == STATES["Refused"]["Type"] == "Fail"
    (choice,) = STATES["Home"]["Choices"]
    assert choice == {"Variable": "$.weights.home", "BooleanEquals": True, "Next": "Aborted"}
    assert reachable(STATES, STATES["Home"]["Default"]) >= {"Abort", "Home"}


def test_a_rollout_has_one_green_end_and_only_release_leads_to_it():
    green = {name for name, state in STATES.items() if state["Type"] == "Succeed"} - {"Ready"}

    assert green == {"Promoted"}
    assert [name for name in STATES if "Promoted" in follow(STATES, name)] == ["Release"]
    assert all(not state.get("End") for state in STATES.values())
    assert {name for name in reachable(STATES, "Acquire") if not follow(STATES, name)} == green


def test_only_what_is_raised_before_the_lock_is_held_is_merely_refused():
    refused = STATES["Acquire"]["Catch"][0]["ErrorEquals"]

    assert sorted(refused) == sorted(
        name
        for name, it in vars(acquire).items()
        if isinstance(it, type) and issubclass(it, Exception) and it.__module__ == acquire.__name__
    )


def test_the_abort_is_tried_for_an_hour_as_an_endpoint_may_be_busy_so_long():
    everything = STATES["Abort"]["Retry"][-1]

    assert everything["ErrorEquals"] == ["States.ALL"]
    assert everything["IntervalSeconds"] * everything["MaxAttempts"] >= 3600
    assert everything["BackoffRate"] == 1


@pytest.mark.parametrize(
    ("states", "name"),
    [
        (STATES, "DryRun"),
        (STATES, "Acquire"),
        (STATES, "Preflight"),
        (STATES, "Prepare"),
        (STATES, "Release"),
        (INNER, "SetWeights"),
    ],
)
def test_a_hiccup_of_lambda_does_not_abort_a_rollout_and_an_error_of_ours_does(states, name):
    (retry,) = states[name]["Retry"]

    ours = [error for error in retry["ErrorEquals"] if not error.startswith("Lambda.")]
    assert ours == ([] if name in ("Acquire", "DryRun") else ["LedgerConflict"])
    assert "Lambda.TooManyRequestsException" in retry["ErrorEquals"]


def test_a_step_bakes_only_once_its_weights_are_in_force():
    assert STATES["Steps"]["ItemProcessor"]["StartAt"] == "SetWeights"
    assert STATES["Steps"]["MaxConcurrency"] == 1
    assert [name for name in INNER if "Bake" in follow(INNER, name)] == ["InForce"]
    (choice,) = INNER["InForce"]["Choices"]
    assert choice == {"Variable": "$.weights.settled", "BooleanEquals": True, "Next": "Bake"}
    assert reachable(INNER, INNER["InForce"]["Default"]) >= {"SetWeights", "InForce"}


def test_no_weight_is_asked_for_before_capacity_and_a_person_where_one_is_asked():
    way = ["Acquire", "Preflight", "Prepare", "IsPrepared", "HasGate", "Confirm", "Steps"]

    for name, following in pairwise(way):
        assert following in follow(STATES, name)
    assert [name for name in STATES if "Steps" in follow(STATES, name)] == ["HasGate", "Confirm"]
    assert [name for name in STATES if "HasGate" in follow(STATES, name)] == ["IsPrepared"]
    assert reachable(STATES, STATES["IsPrepared"]["Default"]) >= {"Prepare", "IsPrepared"}
    (prepared,), (asked,) = STATES["IsPrepared"]["Choices"], STATES["HasGate"]["Choices"]
    assert (prepared["Variable"], prepared["Next"]) == ("$.capacity.prepared", "HasGate")
    assert (asked["Variable"], asked["Next"]) == ("$.plan.confirm", "Confirm")


@pytest.mark.parametrize("state", [STATES["Confirm"], INNER["Bake"]], ids=["Confirm", "Bake"])
def test_who_waits_for_a_word_waits_for_the_rollout_that_holds_the_lock_and_a_judge_that_lives(
    state,
):
    asked = state["Parameters"]

    assert state["HeartbeatSeconds"] == 300
    assert asked["ConditionExpression"] == (
        "#rollout = :rollout AND #generation = :generation AND #phase IN (:progressing, :paused)"
    )
    given = asked["ExpressionAttributeValues"]
    assert {given[f":{phase}"]["S"] for phase in UNDER_WAY} == set(UNDER_WAY)
    fields = {"token", "gate", "rollout", "generation", "phase"}
    assert set(asked["ExpressionAttributeNames"].values()) <= fields
    assert fields <= {field.name for field in dataclasses.fields(Lock)}


def test_the_wait_for_a_person_outlasts_every_deadline_and_says_which_gate_it_is():
    confirm = STATES["Confirm"]

    assert confirm["TimeoutSeconds"] > LONGEST_DAYS * 86400
    assert confirm["Parameters"]["ExpressionAttributeValues"][":gate"]["S"] in GATES
    assert INNER["Bake"]["TimeoutSecondsPath"] == "$.step.timeout_seconds"
    assert INNER["Bake"]["End"] is True


def test_the_generation_travels_to_whoever_acts_for_a_rollout():
    plan = STATES["Acquire"]["ResultSelector"]
    payloads = {
        name: state["Parameters"]["Payload"]
        for name, state in (STATES | INNER).items()
        if "Payload" in state.get("Parameters", {})
    }

    assert plan["generation.$"] == "$.Payload.generation"
    # Before the lock is taken there is none, and an abort must not fail for want of it.
    without = {name for name, it in payloads.items() if "generation.$" not in it}
    assert without == {"DryRun", "Acquire", "Abort"}
    assert STATES["Steps"]["ItemSelector"]["generation.$"] == "$.plan.generation"


def test_every_placeholder_is_replaced_and_every_replacement_is_used():
    placeholders = set(re.findall(r"\$\{(\w+)\}", MACHINE["DefinitionString"]))

    assert placeholders == set(MACHINE["DefinitionSubstitutions"])
    assert MACHINE["DefinitionSubstitutions"]["Endpoint"] == "tumour-classifier-staging"
    assert MACHINE["DefinitionSubstitutions"]["Ledger"] == {"Ref": "LedgerB7379752"}


@pytest.mark.parametrize(
    ("state", "handler"),
    [
        ("Acquire", "acquire"),
        ("DryRun", "preflight"),
        ("Preflight", "preflight"),
        ("Prepare", "prepare"),
        ("SetWeights", "set_weights"),
        ("Release", "release"),
        ("Abort", "rollback"),
    ],
)
def test_each_state_calls_a_published_version_of_the_handler_of_its_name(state, handler):
    called = (STATES | INNER)[state]["Parameters"]["FunctionName"].strip("${}")
    resources = templates().resources("control")

    version = resources[MACHINE["DefinitionSubstitutions"][called]["Ref"]]
    assert version["Type"] == "AWS::Lambda::Version"
    function = resources[version["Properties"]["FunctionName"]["Ref"]]
    assert function["Properties"]["Handler"] == f"lambdas.{handler}.handler"


def test_the_deployed_definition_is_the_file():
    assert json.loads((ROOT / "stacks" / "rollout.asl.json").read_text("utf-8")) == DEFINITION
