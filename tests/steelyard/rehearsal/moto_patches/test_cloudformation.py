"""Each patch of CloudFormation: moto needs it still, and it mends what it is for."""

import json
from typing import Any

from steelyard.rehearsal.local_aws import LocalAws
from tests.steelyard.rehearsal.local import (
    ACCOUNT,
    REGION,
    assembly,
    function,
    outputs_of,
    permission,
)
from tests.steelyard.rehearsal.templates import ALARM

MENDED = "moto does this by itself now: remove the patch in moto_patches/cloudformation.py"


def test_moto_still_ignores_alarms_in_templates(plain: dict[str, Any]) -> None:
    assert plain["alarms_of_templates"] == 0, MENDED


def test_alarms_of_templates_are_there_and_have_no_data_yet(aws: LocalAws) -> None:
    resources = {"Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": ALARM}}
    arn = {"Arn": {"Value": {"Fn::GetAtt": ["Alarm", "Arn"]}}}

    aws.deploy(assembly(resources, outputs=arn))

    (alarm,) = aws.client("cloudwatch").describe_alarms()["MetricAlarms"]
    assert (alarm["AlarmName"], alarm["Threshold"]) == ("e-v-Errors", 1.0)
    assert alarm["StateValue"] == "INSUFFICIENT_DATA"
    assert outputs_of(aws)["Arn"] == alarm["AlarmArn"]


def test_moto_still_ignores_topic_policies_in_templates(plain: dict[str, Any]) -> None:
    assert plain["topic_policies_of_templates"] is False, MENDED


def test_topic_policies_of_templates_are_set(aws: LocalAws) -> None:
    statement = {"Sid": "Ours", "Effect": "Deny", "Principal": "*", "Action": "sns:Publish"}
    policy = {
        "Topics": [{"Ref": "Topic"}],
        "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]},
    }
    resources = {
        "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "t"}},
        "Policy": {"Type": "AWS::SNS::TopicPolicy", "Properties": policy},
    }

    aws.deploy(assembly(resources))

    (topic,) = aws.client("sns").list_topics()["Topics"]
    attributes = aws.client("sns").get_topic_attributes(TopicArn=topic["TopicArn"])["Attributes"]
    assert json.loads(attributes["Policy"]) == policy["PolicyDocument"]


def test_moto_still_ignores_queue_policies_in_templates(plain: dict[str, Any]) -> None:
    assert plain["queue_policies_of_templates"] is False, MENDED


def test_queue_policies_of_templates_are_set(aws: LocalAws) -> None:
    statement = {
        "Sid": "Ours",
        "Effect": "Allow",
        "Principal": {"Service": "events.amazonaws.com"},
        "Action": "sqs:SendMessage",
        "Resource": f"arn:aws:sqs:{REGION}:{ACCOUNT}:q",
    }
    document = {"Version": "2012-10-17", "Statement": [statement]}
    resources = {
        "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "q"}},
        "Policy": {
            "Type": "AWS::SQS::QueuePolicy",
            "Properties": {"Queues": [{"Ref": "Queue"}], "PolicyDocument": document},
        },
    }

    aws.deploy(assembly(resources))

    sqs = aws.client("sqs")
    url = sqs.get_queue_url(QueueName="q")["QueueUrl"]
    answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])
    assert json.loads(answer["Attributes"]["Policy"]) == document


def test_moto_still_enforces_bucket_policies_without_their_conditions(
    plain: dict[str, Any],
) -> None:
    # S3's code for the refusal is AccessDenied, moto's server says 403.
    assert plain["conditions_of_bucket_policies"] in ("403", "AccessDenied"), MENDED


def test_a_bucket_policy_that_wants_tls_does_not_close_the_bucket(aws: LocalAws) -> None:
    deny = {
        "Effect": "Deny",
        "Principal": "*",
        "Action": "s3:*",
        "Resource": "arn:aws:s3:::guarded/*",
        "Condition": {"Bool": {"aws:SecureTransport": "false"}},
    }
    policy = {"Version": "2012-10-17", "Statement": [deny]}
    resources = {
        "Bucket": {"Type": "AWS::S3::Bucket", "Properties": {"BucketName": "guarded"}},
        "Policy": {
            "Type": "AWS::S3::BucketPolicy",
            "Properties": {"Bucket": {"Ref": "Bucket"}, "PolicyDocument": policy},
        },
    }

    aws.deploy(assembly(resources))
    aws.client("s3").put_object(Bucket="guarded", Key="k", Body=b"content")

    assert aws.client("s3").get_object(Bucket="guarded", Key="k")["Body"].read() == b"content"


def test_moto_still_gives_a_logical_id_for_a_version(plain: dict[str, Any]) -> None:
    assert plain["versions_and_aliases"]["version"] == "Version", MENDED


def test_moto_still_ignores_aliases_in_templates(plain: dict[str, Any]) -> None:
    assert plain["versions_and_aliases"]["aliases"] == 0, MENDED


def test_versions_and_aliases_are_known_by_their_arn(aws: LocalAws, tmp_path: Any) -> None:
    resources, code = function("def handler(event, context):\n    return 1\n", tmp_path)
    outputs = {name: {"Value": {"Ref": name}} for name in ("Version", "Alias")}

    aws.deploy(assembly(resources, code, outputs))

    arn = "arn:aws:lambda:eu-central-1:111122223333:function:f"
    assert outputs_of(aws) == {"Version": f"{arn}:1", "Alias": f"{arn}:live"}
    (alias,) = aws.client("lambda").list_aliases(FunctionName="f")["Aliases"]
    assert (alias["Name"], alias["FunctionVersion"]) == ("live", "1")


def test_moto_still_opens_the_whole_function_with_a_permission_for_its_alias(
    plain: dict[str, Any],
) -> None:
    assert plain["versions_and_aliases"]["permitted"].endswith(":function:f"), MENDED


def test_a_permission_for_an_alias_is_for_that_alias(aws: LocalAws, tmp_path: Any) -> None:
    resources, code = function("def handler(event, context):\n    return 1\n", tmp_path)
    resources["Permission"] = permission("events.amazonaws.com", "arn:aws:events:*:*:rule/r")

    aws.deploy(assembly(resources, code))

    policy = aws.client("lambda").get_policy(FunctionName="f", Qualifier="live")["Policy"]
    (statement,) = json.loads(policy)["Statement"]
    assert statement["Resource"] == "arn:aws:lambda:eu-central-1:111122223333:function:f:live"
    assert statement["Principal"] == {"Service": "events.amazonaws.com"}
    assert statement["Condition"] == {"ArnLike": {"AWS:SourceArn": "arn:aws:events:*:*:rule/r"}}


def test_moto_still_ignores_the_substitutions_of_a_definition(plain: dict[str, Any]) -> None:
    assert "replaced" not in plain["substitutions_of_definitions"], MENDED


def test_a_state_machine_has_its_name_and_its_placeholders_replaced(aws: LocalAws) -> None:
    definition = {
        "StartAt": "A",
        "States": {"A": {"Type": "Pass", "Result": {"it": "${What}"}, "End": True}},
    }
    machine = {
        "StateMachineName": "machine",
        "RoleArn": f"arn:aws:iam::{aws.account}:role/r",
        "DefinitionString": json.dumps(definition),
        "DefinitionSubstitutions": {"What": "replaced"},
    }
    outputs = {"Arn": {"Value": {"Fn::GetAtt": ["Machine", "Arn"]}}}

    aws.deploy(
        assembly(
            {"Machine": {"Type": "AWS::StepFunctions::StateMachine", "Properties": machine}},
            outputs=outputs,
        )
    )
    arn = outputs_of(aws)["Arn"]
    engine = aws.client("stepfunctions")
    execution = engine.start_execution(stateMachineArn=arn)["executionArn"]
    aws.clock.settle()

    assert arn.endswith(":stateMachine:machine")
    assert engine.describe_execution(executionArn=execution)["output"] == '{"it": "replaced"}'
