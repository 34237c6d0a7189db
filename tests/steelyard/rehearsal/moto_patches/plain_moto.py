"""
Ask moto, as it comes, for everything that the patches mend; print the answers as one JSON object.

A program of its own, since patches stay for the life of a process.
"""

import io
import json
import sys
import time
import zipfile
from collections.abc import Callable
from contextlib import redirect_stdout, suppress
from typing import Any

import boto3
from botocore.exceptions import ClientError
from moto import mock_aws

from tests.steelyard.rehearsal.templates import ALARM, FUNCTION, ROLE

REGION = "eu-central-1"
NOT_TLS = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Deny",
            "Principal": "*",
            "Action": "s3:*",
            "Resource": "arn:aws:s3:::guarded/*",
            "Condition": {"Bool": {"aws:SecureTransport": "false"}},
        }
    ],
}


def client(service: str) -> Any:
    return boto3.client(
        service, region_name=REGION, aws_access_key_id="a", aws_secret_access_key="b"
    )


def deploy(name: str, resources: dict[str, Any], outputs: dict[str, Any] | None = None) -> Any:
    template = {"Resources": resources, "Outputs": outputs or {}}
    cloudformation = client("cloudformation")
    cloudformation.create_stack(
        StackName=name, TemplateBody=json.dumps(template), Capabilities=["CAPABILITY_IAM"]
    )
    (stack,) = cloudformation.describe_stacks(StackName=name)["Stacks"]
    return {entry["OutputKey"]: entry["OutputValue"] for entry in stack.get("Outputs", ())}


def code() -> None:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as archive:
        archive.writestr("app.py", "def handler(event, context):\n    return 'handled'\n")
    client("s3").create_bucket(
        Bucket="code", CreateBucketConfiguration={"LocationConstraint": REGION}
    )
    client("s3").put_object(Bucket="code", Key="code.zip", Body=content.getvalue())


def alarms_of_templates() -> Any:
    deploy("alarm", {"Alarm": {"Type": "AWS::CloudWatch::Alarm", "Properties": ALARM}})
    return len(client("cloudwatch").describe_alarms()["MetricAlarms"])


def topic_policies_of_templates() -> Any:
    statement = {"Sid": "Ours", "Effect": "Deny", "Principal": "*", "Action": "sns:Publish"}
    policy = {
        "Topics": [{"Ref": "Topic"}],
        "PolicyDocument": {"Version": "2012-10-17", "Statement": [statement]},
    }
    deploy(
        "topic",
        {
            "Topic": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "t"}},
            "Policy": {"Type": "AWS::SNS::TopicPolicy", "Properties": policy},
        },
    )
    (topic,) = client("sns").list_topics()["Topics"]
    attributes = client("sns").get_topic_attributes(TopicArn=topic["TopicArn"])["Attributes"]
    return "Ours" in attributes.get("Policy", "")


def failed_updates() -> Any:
    topic = {"T": {"Type": "AWS::SNS::Topic", "Properties": {"TopicName": "failing"}}}
    deploy("failing", topic)
    broken = {"Type": "AWS::IAM::Policy", "Properties": {"PolicyName": "p", "Roles": ["nobody"]}}
    template = {"Resources": {**topic, "Broken": broken}}
    cloudformation = client("cloudformation")
    with suppress(Exception):
        cloudformation.update_stack(StackName="failing", TemplateBody=json.dumps(template))
    (stack,) = cloudformation.describe_stacks(StackName="failing")["Stacks"]
    (event, *_) = cloudformation.describe_stack_events(StackName="failing")["StackEvents"]
    # The second is the newest event: nothing says that an update was rolled back.
    return stack["StackStatus"] if "ROLLBACK" in event["ResourceStatus"] else "UPDATE_COMPLETE"


def custom_resources() -> Any:
    properties = {"ServiceToken": "arn:aws:lambda:eu-central-1:123456789012:function:f"}
    try:
        deploy("custom", {"Guard": {"Type": "Custom::Guard", "Properties": properties}})
    except ClientError as error:
        return str(error)
    (stack,) = client("cloudformation").describe_stacks(StackName="custom")["Stacks"]
    return stack["StackStatus"]


def scaling_of_templates() -> Any:
    named = {
        "ServiceNamespace": "sagemaker",
        "ResourceId": "endpoint/e/variant/v",
        "ScalableDimension": "sagemaker:variant:DesiredInstanceCount",
    }
    target = {"MinCapacity": 1, "MaxCapacity": 2}
    policy = {"PolicyName": "p", "PolicyType": "TargetTrackingScaling"}
    deploy(
        "scaling",
        {
            "Target": {
                "Type": "AWS::ApplicationAutoScaling::ScalableTarget",
                "Properties": named | target,
            },
            "Policy": {
                "Type": "AWS::ApplicationAutoScaling::ScalingPolicy",
                "Properties": named | policy,
            },
        },
    )
    scaling = client("application-autoscaling")
    targets = scaling.describe_scalable_targets(ServiceNamespace="sagemaker")["ScalableTargets"]
    policies = scaling.describe_scaling_policies(ServiceNamespace="sagemaker")["ScalingPolicies"]
    return [len(targets), len(policies)]


def queue_policies_of_templates() -> Any:
    policy = {
        "Queues": [{"Ref": "Queue"}],
        "PolicyDocument": {"Version": "2012-10-17", "Statement": []},
    }
    deploy(
        "queue",
        {
            "Queue": {"Type": "AWS::SQS::Queue", "Properties": {"QueueName": "watched"}},
            "Policy": {"Type": "AWS::SQS::QueuePolicy", "Properties": policy},
        },
    )
    sqs = client("sqs")
    url = sqs.get_queue_url(QueueName="watched")["QueueUrl"]
    answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"])
    return "Policy" in answer.get("Attributes", {})


def conditions_of_bucket_policies() -> Any:
    s3 = client("s3")
    s3.create_bucket(Bucket="guarded", CreateBucketConfiguration={"LocationConstraint": REGION})
    s3.put_bucket_policy(Bucket="guarded", Policy=json.dumps(NOT_TLS))
    try:
        s3.put_object(Bucket="guarded", Key="k", Body=b"")
    except ClientError as error:
        return error.response["Error"]["Code"]
    return "put"


def versions_and_aliases() -> Any:
    alias = {
        "FunctionName": {"Ref": "Function"},
        "FunctionVersion": {"Fn::GetAtt": ["Version", "Version"]},
        "Name": "live",
    }
    outputs = deploy(
        "lambda",
        {
            "Role": ROLE,
            "Function": FUNCTION,
            "Version": {
                "Type": "AWS::Lambda::Version",
                "Properties": {"FunctionName": {"Ref": "Function"}},
            },
            "Alias": {"Type": "AWS::Lambda::Alias", "Properties": alias},
            "Permission": {
                "Type": "AWS::Lambda::Permission",
                "Properties": {
                    "FunctionName": "arn:aws:lambda:eu-central-1:123456789012:function:f:1",
                    "Action": "lambda:InvokeFunction",
                    "Principal": "events.amazonaws.com",
                },
            },
        },
        {"Version": {"Value": {"Ref": "Version"}}},
    )
    aliases = client("lambda").list_aliases(FunctionName="f")["Aliases"]
    answer = client("lambda").invoke(FunctionName="f", Payload=b'"the event"')
    policy = json.loads(client("lambda").get_policy(FunctionName="f", Qualifier="1")["Policy"])
    return {
        "permitted": policy["Statement"][0]["Resource"],
        "version": outputs["Version"],
        "aliases": len(aliases),
        "answer": answer["Payload"].read().decode(),
    }


def substitutions_of_definitions() -> Any:
    machine = {
        "StateMachineName": "machine",
        "RoleArn": "arn:aws:iam::123456789012:role/r",
        "DefinitionString": json.dumps(
            {"StartAt": "A", "States": {"A": {"Type": "Pass", "Result": "${What}", "End": True}}}
        ),
        "DefinitionSubstitutions": {"What": "replaced"},
    }
    deploy(
        "machine", {"Machine": {"Type": "AWS::StepFunctions::StateMachine", "Properties": machine}}
    )
    found = client("stepfunctions").list_state_machines()["stateMachines"]
    if not found:
        return "not there"
    arn = found[0]["stateMachineArn"]
    return client("stepfunctions").describe_state_machine(stateMachineArn=arn)["definition"]


def waiting(name: str) -> tuple[Any, str, str]:
    """Return the engine, an execution that waits for a token, and the queue it is sent to."""
    wait = {
        "Type": "Task",
        "Resource": "arn:aws:states:::sqs:sendMessage.waitForTaskToken",
        "Parameters": {"QueueUrl.$": "$.queue", "MessageBody.$": "$$.Task.Token"},
        "End": True,
    }
    queue = client("sqs").create_queue(QueueName=name)["QueueUrl"]
    engine = client("stepfunctions")
    machine = engine.create_state_machine(
        name=name,
        definition=json.dumps({"StartAt": "A", "States": {"A": wait}}),
        roleArn="arn:aws:iam::123456789012:role/r",
    )["stateMachineArn"]
    execution = engine.start_execution(
        stateMachineArn=machine, name=name, input=json.dumps({"queue": queue})
    )["executionArn"]
    return engine, execution, queue


def causes_of_failed_tasks() -> Any:
    engine, execution, queue = waiting("failed")
    token = until(lambda: client("sqs").receive_message(QueueUrl=queue).get("Messages"))[0]["Body"]
    engine.send_task_failure(taskToken=token, error="Bad", cause="because")
    return until(lambda: ended(engine.describe_execution(executionArn=execution))).get("cause")


def stopped_executions() -> Any:
    engine, execution, queue = waiting("stopped")
    until(lambda: client("sqs").receive_message(QueueUrl=queue).get("Messages"))
    engine.stop_execution(executionArn=execution)
    return engine.describe_execution(executionArn=execution)["status"]


def ended(description: dict[str, Any]) -> dict[str, Any] | None:
    return None if description["status"] == "RUNNING" else description


def until(look: Callable[[], Any]) -> Any:
    for _ in range(100):
        found = look()
        if found:
            return found
        time.sleep(0.05)
    raise TimeoutError("nothing came")


def instance_types() -> Any:
    sagemaker = client("sagemaker")
    sagemaker.create_model(
        ModelName="m",
        ExecutionRoleArn="arn:aws:iam::123456789012:role/r",
        PrimaryContainer={"Image": "i"},
    )
    known = sagemaker.meta.service_model.shape_for("ProductionVariantInstanceType").enum
    refused = []
    for kind in known:
        variant = {
            "VariantName": "v",
            "ModelName": "m",
            "InstanceType": kind,
            "InitialInstanceCount": 1,
        }
        try:
            sagemaker.create_endpoint_config(
                EndpointConfigName=kind.replace(".", "-"), ProductionVariants=[variant]
            )
        except ClientError:
            refused.append(kind)
    return refused


def shadow_variants() -> Any:
    sagemaker = client("sagemaker")
    sagemaker.create_model(
        ModelName="shadowed",
        ExecutionRoleArn="arn:aws:iam::123456789012:role/r",
        PrimaryContainer={"Image": "i"},
    )
    usual = {"ModelName": "shadowed", "InstanceType": "ml.m5.large", "InitialInstanceCount": 1}
    sagemaker.create_endpoint_config(
        EndpointConfigName="shadowed",
        ProductionVariants=[usual | {"VariantName": "p"}],
        ShadowProductionVariants=[usual | {"VariantName": "s"}],
    )
    described = sagemaker.describe_endpoint_config(EndpointConfigName="shadowed")
    return "ShadowProductionVariants" in described


def endpoints() -> Any:
    sagemaker = client("sagemaker")
    variants = [
        {
            "VariantName": name,
            "ModelName": "m",
            "InstanceType": "ml.m5.large",
            "InitialInstanceCount": 1,
            "InitialVariantWeight": weight,
        }
        for name, weight in (("a", 1.0), ("b", 0.0))
    ]
    sagemaker.create_endpoint_config(EndpointConfigName="c", ProductionVariants=variants)
    properties = {"EndpointName": "ours", "EndpointConfigName": "c"}
    deploy("endpoint", {"E": {"Type": "AWS::SageMaker::Endpoint", "Properties": properties}})
    (found,) = sagemaker.list_endpoints()["Endpoints"]
    name = found["EndpointName"]
    before = sagemaker.describe_endpoint(EndpointName=name)
    sagemaker.update_endpoint_weights_and_capacities(
        EndpointName=name,
        DesiredWeightsAndCapacities=[{"VariantName": "a", "DesiredWeight": 2.0}],
    )
    after = sagemaker.describe_endpoint(EndpointName=name)
    return {
        "named": name == "ours",
        "status": before["EndpointStatus"],
        "zero": before["ProductionVariants"][1].get("CurrentWeight"),
        "count": after["ProductionVariants"][0].get("DesiredInstanceCount"),
    }


def main() -> None:
    config: Any = {
        "lambda": {"use_docker": False},
        "stepfunctions": {"execute_state_machine": True},
    }
    with mock_aws(config=config):
        code()
        asked = (
            alarms_of_templates,
            topic_policies_of_templates,
            conditions_of_bucket_policies,
            versions_and_aliases,
            failed_updates,
            custom_resources,
            scaling_of_templates,
            queue_policies_of_templates,
            substitutions_of_definitions,
            causes_of_failed_tasks,
            stopped_executions,
            instance_types,
            shadow_variants,
            endpoints,
        )
        # moto prints what it did not find of Docker.
        with redirect_stdout(sys.stderr):
            answers = {ask.__name__: answer(ask) for ask in asked}
        print(json.dumps(answers))


def answer(ask: Callable[[], Any]) -> Any:
    try:
        return ask()
    except Exception as error:
        return f"{type(error).__name__}: {error}"


if __name__ == "__main__":
    main()
