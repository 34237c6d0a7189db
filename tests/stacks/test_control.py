"""Control: who is woken by whom, with which settings, and what outlives a deployment."""

import ast
import json

import pytest

from steelyard.rollout.policy import Policy
from tests.stacks.synthesis import ROOT, example, synthesise, templates, with_roles

HANDLERS = ("acquire", "judge", "preflight", "release", "rollback", "set_weights")
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
    (permission,) = permissions("rollback")

    assert permission["Principal"] == "lambda.alarms.cloudwatch.amazonaws.com"
    assert permission["Action"] == "lambda:InvokeFunction"
    assert permission["SourceArn"] == ARN
    assert permission["SourceAccount"] == "111122223333"


def test_the_alias_that_alarms_name_is_the_one_that_is_deployed():
    name = templates().functions()["rollback"]["FunctionName"]
    alarms = templates().resources("monitoring", "AWS::CloudWatch::Alarm").values()

    targets = {alarm["Properties"]["AlarmActions"][0] for alarm in alarms}

    assert targets == {f"arn:aws:lambda:eu-central-1:111122223333:function:{name}:live"}


def test_a_rule_wakes_the_live_judge_each_minute_and_nothing_else():
    ((key, rule),) = templates().resources("control", "AWS::Events::Rule").items()

    assert rule["Properties"]["ScheduleExpression"] == "rate(1 minute)"
    assert rule["Properties"]["State"] == "ENABLED"
    (target,) = rule["Properties"]["Targets"]
    assert target["Arn"] == {"Ref": alias_of("judge")}
    (permission,) = permissions("judge")
    assert permission["Principal"] == "events.amazonaws.com"
    assert permission["SourceArn"] == {"Fn::GetAtt": [key, "Arn"]}


def test_alarms_may_still_reach_people_though_the_topic_has_a_policy_of_its_own():
    policy = templates().only("control", "AWS::SNS::TopicPolicy")["PolicyDocument"]

    (allowed,) = [it for it in policy["Statement"] if it["Effect"] == "Allow"]
    assert allowed["Principal"] == {"Service": "cloudwatch.amazonaws.com"}
    assert allowed["Action"] == "sns:Publish"
    assert allowed["Condition"] == {"ArnLike": {"aws:SourceArn": ARN}}
    (denied,) = [it for it in policy["Statement"] if it["Effect"] == "Deny"]
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}
    assert templates().only("control", "AWS::SNS::Topic")["TopicName"].endswith("-staging-alerts")


def asked_for(handler):
    """Return the settings that a handler's file asks for."""
    tree = ast.parse((ROOT / "lambdas" / f"{handler}.py").read_text("utf-8"))
    return {
        node.args[0].value
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "setting"
    }


@pytest.mark.parametrize("handler", HANDLERS)
def test_each_function_has_exactly_the_settings_that_its_handler_asks_for(handler):
    given = templates().functions()[handler]["Environment"]["Variables"]

    assert {name.removeprefix("STEELYARD_") for name in given} == asked_for(handler)


def test_the_policy_travels_to_the_rollout_whole():
    given = templates().functions()["acquire"]["Environment"]["Variables"]

    assert Policy.from_dict(json.loads(given["STEELYARD_POLICY"])) == example().policy()
    assert given["STEELYARD_CHAMPION"] == "v1-0-0"
    assert given["STEELYARD_CHALLENGER"] == "v1-1-0"
    assert given["STEELYARD_VARIANTS"] == "v1-0-0,v1-1-0"
    assert given["STEELYARD_ENDPOINT"] == "tumour-classifier-staging"


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
