"""
A deployment of the endpoint's stack, as CloudFormation plays it, in the state language.

The guard is asked first and told at the end; a refused deployment ends, and one whose update fails
goes back to the content before, of which the guard is asked again.
"""

from typing import Any

from exploration.world import ENDPOINT

BEFORE = "content-before"
SETTLE_SECONDS = 480


def _guard(role: str, content: str, old: str, then: str) -> dict[str, Any]:
    given = {f"{name}.$": "$$.Execution.Name" for name in ("StackId", "RequestId")}
    properties = {"Role": role, "Stack": "Endpoint"}
    return {
        "Type": "Task",
        "Resource": "arn:aws:states:::lambda:invoke",
        "Parameters": {
            "FunctionName": "guard",
            "Payload": {
                "RequestType": "Update",
                "LogicalResourceId": role,
                "ResponseURL": "http://nowhere",
                "ResourceProperties": {**properties, **_hash(content)},
                "OldResourceProperties": {**properties, **_hash(old)},
                **given,
            },
        },
        "ResultSelector": {"status.$": "$.Payload.status"},
        "ResultPath": "$.guard",
        "Retry": [{"ErrorEquals": ["States.ALL"], "IntervalSeconds": 60, "MaxAttempts": 2}],
        "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Failed"}],
        "Next": then,
    }


def _hash(content: str) -> dict[str, str]:
    return {"Hash": content} if content == BEFORE else {"Hash.$": content}


_NEW = "$$.Execution.Name"

DEPLOY: dict[str, Any] = {
    "StartAt": "Take",
    "States": {
        "Take": _guard("take", _NEW, BEFORE, "IsTaken"),
        "IsTaken": {
            "Type": "Choice",
            "Choices": [
                {"Variable": "$.guard.status", "StringEquals": "SUCCESS", "Next": "Update"}
            ],
            "Default": "Failed",
        },
        "Update": {
            "Type": "Task",
            "Resource": "arn:aws:states:::aws-sdk:sagemaker:updateEndpoint",
            "Parameters": {
                "EndpointName": ENDPOINT,
                "EndpointConfigName.$": "$$.Execution.Name",
                "RetainAllVariantProperties": True,
            },
            "ResultPath": None,
            "Catch": [{"ErrorEquals": ["States.ALL"], "ResultPath": "$.error", "Next": "Undo"}],
            "Next": "Settle",
        },
        "Settle": {"Type": "Wait", "Seconds": SETTLE_SECONDS, "Next": "Give"},
        "Give": _guard("give", _NEW, BEFORE, "Deployed"),
        "Deployed": {"Type": "Succeed"},
        "Undo": _guard("take", BEFORE, _NEW, "Failed"),
        "Failed": {"Type": "Fail", "Error": "Refused", "Cause": "the guard or the endpoint"},
    },
}
"""The deployment whose name is its content's and its endpoint config's."""
