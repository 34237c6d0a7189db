"""The state machine: every failure is caught, brings traffic home and ends red."""

import json
import re

import pytest

from lambdas import acquire
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


@pytest.mark.parametrize("name", sorted(set(tasks(STATES)) - {"Abort"}))
def test_every_failure_leads_to_the_abort(name):
    catches = STATES[name]["Catch"]

    assert catches[-1] == {
        "ErrorEquals": ["States.ALL"],
        "ResultPath": "$.error",
        "Next": "Abort",
    }
    assert caught(STATES[name])[:-1] == (["Refused"] if name == "Acquire" else [])


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


def test_there_is_one_green_end_and_only_release_leads_to_it():
    green = {name for name, state in STATES.items() if state["Type"] == "Succeed"}

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
    [(STATES, "Acquire"), (STATES, "Preflight"), (STATES, "Release"), (INNER, "SetWeights")],
)
def test_a_hiccup_of_lambda_does_not_abort_a_rollout_and_an_error_of_ours_does(states, name):
    (retry,) = states[name]["Retry"]

    ours = [error for error in retry["ErrorEquals"] if not error.startswith("Lambda.")]
    assert ours == ([] if name == "Acquire" else ["LedgerConflict"])
    assert "Lambda.TooManyRequestsException" in retry["ErrorEquals"]


def test_a_step_bakes_only_once_its_weights_are_in_force():
    assert STATES["Steps"]["ItemProcessor"]["StartAt"] == "SetWeights"
    assert STATES["Steps"]["MaxConcurrency"] == 1
    assert [name for name in INNER if "Bake" in follow(INNER, name)] == ["InForce"]
    (choice,) = INNER["InForce"]["Choices"]
    assert choice == {"Variable": "$.weights.settled", "BooleanEquals": True, "Next": "Bake"}
    assert reachable(INNER, INNER["InForce"]["Default"]) >= {"SetWeights", "InForce"}


def test_a_bake_ends_when_the_judge_falls_silent_and_starts_for_a_progressing_rollout_only():
    bake = INNER["Bake"]

    assert bake["End"] is True
    assert bake["HeartbeatSeconds"] == 300
    assert bake["TimeoutSecondsPath"] == "$.step.timeout_seconds"
    condition = bake["Parameters"]["ConditionExpression"]
    assert condition == "#rollout = :rollout AND #phase = :progressing"


def test_every_placeholder_is_replaced_and_every_replacement_is_used():
    placeholders = set(re.findall(r"\$\{(\w+)\}", MACHINE["DefinitionString"]))

    assert placeholders == set(MACHINE["DefinitionSubstitutions"])
    assert MACHINE["DefinitionSubstitutions"]["Endpoint"] == "tumour-classifier-staging"
    assert MACHINE["DefinitionSubstitutions"]["Ledger"] == {"Ref": "LedgerB7379752"}


@pytest.mark.parametrize(
    ("state", "handler"),
    [
        ("Acquire", "acquire"),
        ("Preflight", "preflight"),
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
