"""Control: who is woken by whom, with which settings, and what outlives a deployment."""

import ast
import json
from dataclasses import replace

import pytest

from steelyard.rollout.conduct import WATCHDOG_SECONDS
from steelyard.rollout.policy import Policy, canonical
from steelyard.spec.rollout import Shadow
from tests.stacks.synthesis import ROOT, example, synthesise, templates, with_roles

HANDLERS = (
    "acquire",
    "guard",
    "judge",
    "operate",
    "preflight",
    "prepare",
    "release",
    "rollback",
    "set_weights",
    "watchdog",
)
ARN = "arn:aws:cloudwatch:eu-central-1:111122223333:alarm:tumour-classifier-staging-*"


def alias_of(handler):
    """Return the logical id of a function's live alias."""
    found = templates().resources("control")
    (function,) = [
        key
        for key, it in found.items()
        if it["Type"] == "AWS::Lambda::Function"
        and it["Properties"]["Handler"] == f"lambdas.{handler}.handler"
    ]
    (alias,) = [
        key
        for key, it in found.items()
        if it["Type"] == "AWS::Lambda::Alias"
        and it["Properties"]["FunctionName"] == {"Ref": function}
        and it["Properties"]["Name"] == "live"
    ]
    return alias


def permissions(handler):
    found = templates().resources("control", "AWS::Lambda::Permission").values()
    alias = {"Ref": alias_of(handler)}
    return [it["Properties"] for it in found if it["Properties"]["FunctionName"] == alias]


def test_alarms_of_this_endpoint_and_no_others_may_wake_the_live_rollback_lambda():
    (permission,) = [
        it for it in permissions("rollback") if it["Principal"] != "events.amazonaws.com"
    ]

    assert permission["Principal"] == "lambda.alarms.cloudwatch.amazonaws.com"
    assert permission["Action"] == "lambda:InvokeFunction"
    assert permission["SourceArn"] == ARN
    assert permission["SourceAccount"] == "111122223333"


def test_the_alias_that_alarms_name_is_the_one_that_is_deployed():
    name = templates().functions()["rollback"]["FunctionName"]
    alarms = templates().resources("monitoring", "AWS::CloudWatch::Alarm").values()

    targets = {alarm["Properties"]["AlarmActions"][0] for alarm in alarms}

    assert targets == {f"arn:aws:lambda:eu-central-1:111122223333:function:{name}:live"}


def rule_that_wakes(handler):
    """Return logical id and properties of the only rule that wakes a live function."""
    rules = templates().resources("control", "AWS::Events::Rule")
    alias = {"Ref": alias_of(handler)}
    ((key, rule),) = [
        (key, it["Properties"])
        for key, it in rules.items()
        if alias in [target["Arn"] for target in it["Properties"]["Targets"]]
    ]
    granted = [it for it in permissions(handler) if it["Principal"] == "events.amazonaws.com"]
    assert [it["SourceArn"] for it in granted] == [{"Fn::GetAtt": [key, "Arn"]}]
    assert rule["State"] == "ENABLED"
    return rule


@pytest.mark.parametrize("handler", ["judge", "watchdog"])
def test_a_rule_of_its_own_wakes_each_of_the_two_that_watch_each_minute(handler):
    rule = rule_that_wakes(handler)

    assert rule["ScheduleExpression"] == "rate(1 minute)"
    assert len(rule["Targets"]) == 1
    assert WATCHDOG_SECONDS == 60


def test_an_execution_that_ends_in_any_way_but_success_wakes_the_rollback_lambda():
    rule = rule_that_wakes("rollback")
    name = templates().only("control", "AWS::StepFunctions::StateMachine")["StateMachineName"]

    assert rule["EventPattern"] == {
        "source": ["aws.states"],
        "detail-type": ["Step Functions Execution Status Change"],
        "detail": {
            "stateMachineArn": [f"arn:aws:states:eu-central-1:111122223333:stateMachine:{name}"],
            "status": ["FAILED", "TIMED_OUT", "ABORTED"],
        },
    }


def test_what_could_not_wake_the_rollback_lambda_is_tried_again_and_kept():
    (target,) = rule_that_wakes("rollback")["Targets"]
    ((key, queue),) = templates().resources("control", "AWS::SQS::Queue").items()
    kept = {"Fn::GetAtt": [key, "Arn"]}

    assert target["DeadLetterConfig"] == {"Arn": kept}
    assert target["RetryPolicy"]["MaximumRetryAttempts"] > 1
    assert templates().functions()["rollback"]["DeadLetterConfig"] == {"TargetArn": kept}
    assert queue["Properties"]["SqsManagedSseEnabled"] is True
    policy = templates().only("control", "AWS::SQS::QueuePolicy")["PolicyDocument"]
    assert [it["Principal"] for it in policy["Statement"] if it["Effect"] == "Allow"] == [
        {"Service": "events.amazonaws.com"}
    ]


def test_nobody_else_wakes_the_guard_than_who_deploys_by_the_name_that_the_stacks_know():
    assert permissions("guard") == []
    name = templates().functions()["guard"]["FunctionName"]
    tokens = {
        it["Properties"]["ServiceToken"]
        for stack in ("monitoring", "endpoint")
        for it in templates().resources(stack, "Custom::Guard").values()
    }

    assert tokens == {f"arn:aws:lambda:eu-central-1:111122223333:function:{name}:live"}


def test_alarms_may_still_reach_people_though_the_topic_has_a_policy_of_its_own():
    policy = templates().only("control", "AWS::SNS::TopicPolicy")["PolicyDocument"]

    (allowed,) = [it for it in policy["Statement"] if it["Effect"] == "Allow"]
    assert allowed["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert allowed["Action"] == "sns:Publish"
    assert allowed["Condition"] == {"ArnLike": {"aws:SourceArn": ARN}}
    (denied,) = [it for it in policy["Statement"] if it["Effect"] == "Deny"]
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert templates().only("control", "AWS::SNS::Topic")["TopicName"].endswith("-staging-alerts")


def asked_for(handler, by):
    """Return the settings that a handler's file asks for with this function."""
    tree = ast.parse((ROOT / "lambdas" / f"{handler}.py").read_text("utf-8"))
    return {
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == by
    }


@pytest.mark.parametrize("handler", HANDLERS)
def test_each_function_has_exactly_the_settings_that_its_handler_asks_for(handler):
    given = templates().functions()[handler]["Environment"]["Variables"]
    names = {name.removeprefix("STEELYARD_") for name in given}
    # What a handler asks for first whether it is set, only some endpoints have.
    optional = asked_for(handler, "is_set") - names

    assert names == asked_for(handler, "setting") - optional


def test_the_policy_travels_to_the_rollout_whole():
    given = templates().functions()["acquire"]["Environment"]["Variables"]

    assert Policy.from_dict(json.loads(given["STEELYARD_POLICY"])) == example().policy()
    assert given["STEELYARD_CHAMPION"] == "v1-0-0"
    assert given["STEELYARD_CHALLENGER"] == "v1-1-0"
    assert given["STEELYARD_VARIANTS"] == "v1-0-0,v1-1-0"
    assert given["STEELYARD_ENDPOINT"] == "tumour-classifier-staging"
    assert json.loads(given["STEELYARD_INSTANCES"]) == {"v1-0-0": 2, "v1-1-0": 2}


def test_without_a_challenger_everything_stands_but_a_rollout():
    alone = with_roles(example(), v1_0_0="champion", v1_1_0="previous")

    functions = synthesise(alone).functions()

    assert set(functions) == set(HANDLERS)
    assert "STEELYARD_CHALLENGER" not in functions["acquire"]["Environment"]["Variables"]


def test_the_ledger_s_identity_is_pinned_and_it_outlives_its_stack():
    ((key, table),) = templates().resources("control", "AWS::DynamoDB::Table").items()

    assert key == "LedgerB7379752"
    assert (table["DeletionPolicy"], table["UpdateReplacePolicy"]) == ("Retain", "Retain")
    properties = table["Properties"]
    assert properties["PointInTimeRecoverySpecification"] == {"PointInTimeRecoveryEnabled": True}
    assert [(it["AttributeName"], it["KeyType"]) for it in properties["KeySchema"]] == [
        ("pk", "HASH"),
        ("sk", "RANGE"),
    ]


def test_published_versions_stay_for_executions_that_began_with_them():
    versions = templates().resources("control", "AWS::Lambda::Version").values()

    assert len(versions) == len(HANDLERS)
    assert all(it["DeletionPolicy"] == "Retain" for it in versions)
    assert all(it["UpdateReplacePolicy"] == "Retain" for it in versions)


def test_the_rollback_lambda_always_has_room_to_run():
    functions = templates().functions()

    reserved = {name: it.get("ReservedConcurrentExecutions") for name, it in functions.items()}
    assert reserved == {**dict.fromkeys(HANDLERS), "rollback": 5}


def settings_of(endpoint, handler):
    """Return a function's own settings, the rollout's policy and pass among them."""
    return synthesise(endpoint).functions()[handler]["Environment"]["Variables"]


def test_the_functions_know_a_shadow_run_and_its_policy():
    endpoint = example().with_shadow()

    for handler in ("acquire", "preflight"):
        found = settings_of(endpoint, handler)
        assert found["STEELYARD_SHADOW"] == "yes"
        assert found["STEELYARD_POLICY"] == canonical(endpoint.shadow_policy().to_dict())
        assert found["STEELYARD_VARIANTS"] == "v1-0-0,v1-1-0"
        assert "STEELYARD_PASSED" not in found


def test_a_rollout_that_requires_a_shadow_run_names_the_pass_that_it_asks_for():
    rollout = example().file.rollout
    required = rollout.model_copy(update={"shadow": Shadow(required=True)})
    endpoint = replace(example(), file=example().file.model_copy(update={"rollout": required}))

    found = settings_of(endpoint, "preflight")

    policy = endpoint.shadow_policy().digest()
    assert found["STEELYARD_PASSED"] == f"v1-1-0 over v1-0-0 by {policy}"
    # What the shadow run of the same file leaves behind.
    assert policy == endpoint.with_shadow().trial_policy().digest()
    assert "STEELYARD_PASSED" not in settings_of(example(), "preflight")
