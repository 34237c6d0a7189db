"""Who may do what: every statement of every role is looked at."""

import json

import pytest

from tests.stacks.synthesis import templates

ENDPOINT = "arn:aws:sagemaker:eu-central-1:111122223333:endpoint/tumour-classifier-staging"
SHIFT = "sagemaker:UpdateEndpointWeightsAndCapacities"

HOLD = {
    "application-autoscaling:DescribeScalableTargets",
    "application-autoscaling:RegisterScalableTarget",
    "sagemaker:DescribeEndpointConfig",
}
"""What holding and resuming a variant's scaling takes."""

ANY_RESOURCE = {
    "application-autoscaling:DescribeScalableTargets": "it knows no narrower resource",
    "application-autoscaling:DescribeScalingPolicies": "it knows no narrower resource",
    "cloudwatch:GetMetricData": "PromQL is granted by it, and it knows no narrower resource",
    "cloudwatch:ListMetrics": "PromQL is granted by it, and it knows no narrower resource",
    "ecr:GetAuthorizationToken": "the token is the registry's, not a repository's",
}
"""Actions that may be granted on every resource, and why."""

TRUSTED = {
    "Acquire": "lambda.amazonaws.com",
    "Guard": "lambda.amazonaws.com",
    "Judge": "lambda.amazonaws.com",
    "Operate": "lambda.amazonaws.com",
    "Preflight": "lambda.amazonaws.com",
    "Prepare": "lambda.amazonaws.com",
    "Release": "lambda.amazonaws.com",
    "Rollback": "lambda.amazonaws.com",
    "SetWeights": "lambda.amazonaws.com",
    "Watchdog": "lambda.amazonaws.com",
    "Rollout": "states.amazonaws.com",
    "Serving": "sagemaker.amazonaws.com",
}


def listed(value):
    return value if isinstance(value, list) else [value]


def granted():
    """Return (role, action, resource) of everything that is allowed; the role as in TRUSTED."""
    return [
        (policy.split("Role")[0], action, resource)
        for policy, statement in templates().statements()
        for action in listed(statement["Action"])
        for resource in listed(statement["Resource"])
        if statement["Effect"] == "Allow"
    ]


def actions(role):
    return {action for owner, action, _ in granted() if owner == role}


def test_every_statement_names_actions_and_resources():
    for _, statement in templates().statements():
        assert set(statement) - {"Condition"} == {"Action", "Effect", "Resource"}


def test_only_the_scaling_of_variants_can_be_held_by_those_who_prepare_and_watch():
    register = "application-autoscaling:RegisterScalableTarget"
    found = {
        policy.split("Role")[0]: statement
        for policy, statement in templates().statements()
        if register in listed(statement["Action"])
    }

    assert set(found) == {"Prepare", "Watchdog"}
    for statement in found.values():
        assert statement["Action"] == register
        assert statement["Condition"] == {
            "StringEquals": {
                "application-autoscaling:service-namespace": "sagemaker",
                "application-autoscaling:scalable-dimension": (
                    "sagemaker:variant:DesiredInstanceCount"
                ),
            }
        }


def test_no_action_is_a_pattern():
    assert [grant for grant in granted() if "*" in grant[1]] == []


def test_a_resource_is_named_unless_there_is_a_reason():
    unnamed = {action for _, action, resource in granted() if resource == "*"}

    assert unnamed == set(ANY_RESOURCE)


def test_no_pattern_reaches_beyond_this_endpoint_s_own_things():
    wide = {
        resource
        for _, _, resource in granted()
        if isinstance(resource, str)
        and "*" in resource
        and resource != "*"
        and "tumour-classifier-staging" not in resource
    }

    here = "eu-central-1:111122223333"
    assert wide == {
        # The alarms of one endpoint are asked for by prefix, which no resource can say.
        f"arn:aws:cloudwatch:{here}:alarm:*",
        # A target's name is a number that AWS gives it; the conditions narrow it.
        f"arn:aws:application-autoscaling:{here}:scalable-target/*",
        # A config's name is CloudFormation's; it can only be read.
        f"arn:aws:sagemaker:{here}:endpoint-config/*",
    }


def test_only_four_may_change_weights_and_counts_and_only_this_endpoint_s():
    found = {(role, resource) for role, action, resource in granted() if action == SHIFT}

    assert found == {(role, ENDPOINT) for role in ("Prepare", "Rollback", "SetWeights", "Watchdog")}


def test_nobody_may_create_change_or_delete_anything_of_sagemaker_or_pass_a_role():
    everything = {action for _, action, _ in granted()}

    assert {action for action in everything if action.startswith("sagemaker:")} == {
        "sagemaker:DescribeEndpoint",
        "sagemaker:DescribeEndpointConfig",
        SHIFT,
    }
    assert {action.split(":")[0] for action in everything} == {
        "application-autoscaling",
        "cloudwatch",
        "dynamodb",
        "ecr",
        "lambda",
        "logs",
        "s3",
        "sagemaker",
        "sns",
        "sqs",
        "states",
    }


def test_the_state_machine_may_only_call_its_functions_and_write_the_ledger():
    found = {(action, json.dumps(it)) for role, action, it in granted() if role == "Rollout"}
    prefix = "arn:aws:lambda:eu-central-1:111122223333:function:tumour-classifier-staging-"
    names = ("acquire", "preflight", "prepare", "set-weights", "release", "rollback")

    # Any version: an execution that began before a deploy ends with the functions it began with.
    assert {it for action, it in found if action == "lambda:InvokeFunction"} == {
        json.dumps(f"{prefix}{name}:*") for name in names
    }
    assert {action for action, _ in found} == {"lambda:InvokeFunction", "dynamodb:UpdateItem"}


@pytest.mark.parametrize(
    ("role", "more"),
    [
        ("Acquire", {"sagemaker:DescribeEndpoint", "dynamodb:ConditionCheckItem"}),
        ("Guard", {"dynamodb:ConditionCheckItem"}),
        ("Operate", set()),
        (
            "Preflight",
            {
                "sagemaker:DescribeEndpoint",
                "cloudwatch:DescribeAlarms",
                "cloudwatch:GetMetricData",
                "application-autoscaling:DescribeScalableTargets",
                "application-autoscaling:DescribeScalingPolicies",
            },
        ),
        ("Prepare", {"sagemaker:DescribeEndpoint", SHIFT, *HOLD}),
        (
            "Watchdog",
            {
                "sagemaker:DescribeEndpoint",
                SHIFT,
                *HOLD,
                "sns:Publish",
                "states:SendTaskFailure",
            },
        ),
        ("SetWeights", {"sagemaker:DescribeEndpoint", SHIFT, "cloudwatch:DescribeAlarms"}),
        ("Release", {"sagemaker:DescribeEndpoint", "sns:Publish"}),
        (
            "Rollback",
            {
                "sagemaker:DescribeEndpoint",
                SHIFT,
                "sns:Publish",
                "states:SendTaskFailure",
                "sqs:SendMessage",
            },
        ),
        (
            "Judge",
            {
                "cloudwatch:DescribeAlarms",
                "cloudwatch:GetMetricData",
                "cloudwatch:ListMetrics",
                "states:SendTaskSuccess",
                "states:SendTaskFailure",
                "states:SendTaskHeartbeat",
            },
        ),
    ],
)
def test_each_function_may_do_what_its_calls_need_and_nothing_more(role, more):
    ledger = {"dynamodb:GetItem", "dynamodb:PutItem", "dynamodb:UpdateItem"}
    log = {"logs:CreateLogStream", "logs:PutLogEvents"}

    assert actions(role) == ledger | log | more


def test_the_ledger_of_this_endpoint_is_the_only_table_anybody_reaches():
    tables = {
        json.dumps(resource) for _, action, resource in granted() if action.startswith("dynamodb:")
    }

    assert tables == {json.dumps({"Fn::GetAtt": ["LedgerB7379752", "Arn"]})}


def test_each_role_trusts_one_service_and_carries_no_other_policy():
    roles = {}
    for stack in templates().text:
        for key, role in templates().resources(stack, "AWS::IAM::Role").items():
            (trust,) = role["Properties"]["AssumeRolePolicyDocument"]["Statement"]
            assert trust["Action"] == "sts:AssumeRole"
            assert not {"ManagedPolicyArns", "Policies"} & set(role["Properties"])
            roles[key.split("Role")[0]] = trust["Principal"]["Service"]

    assert roles == TRUSTED
