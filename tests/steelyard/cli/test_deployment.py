"""Which deployed endpoint a command means, and what it says where there is none."""

import os
from pathlib import Path

import boto3
import pytest

from stacks.names import Names
from steelyard.cli.deployment import function_name, named
from steelyard.cli.place import Unusable
from tests.lambdas.world import ENDPOINT

EXAMPLE = "tumour-classifier"
REGION = "eu-central-1"
COMMANDS = ["status", "audit", "pause", "resume", "approve", "abort", "revert", "repair"]
REASONED = [*COMMANDS[2:-1]]


def folder(tmp_path: Path, text: str) -> str:
    (tmp_path / "endpoint.yaml").write_text(text, "utf-8")
    return str(tmp_path)


@pytest.mark.parametrize(
    ("endpoint", "environment", "expected"),
    [
        (EXAMPLE, None, ("tumour-classifier-staging", REGION)),
        (EXAMPLE, "production", ("tumour-classifier-production", REGION)),
        ("scales-test", None, ("scales-test", None)),
        ("scales", "test", ("scales-test", None)),
    ],
)
def test_a_folder_and_its_environment_or_the_deployed_name_say_which_endpoint(
    endpoint, environment, expected
):
    assert named(endpoint, environment) == expected


def test_what_is_wrong_with_a_model_keeps_nobody_from_an_abort(tmp_path):
    text = "endpoint: scales\nvariants: broken\nenvironments: {test: {region: eu-west-1}}\n"

    assert named(folder(tmp_path, text), None) == ("scales-test", "eu-west-1")


@pytest.mark.parametrize(
    "text", ["", "endpoint: x", "- a", "{", "{endpoint: x, environments: {}}", "\x00"]
)
def test_a_file_that_names_no_endpoint_is_refused_with_the_cure(tmp_path, text):
    with pytest.raises(Unusable, match="or write the deployed endpoint's name instead"):
        named(folder(tmp_path, text), None)


def test_an_environment_that_the_file_does_not_have_is_refused():
    with pytest.raises(Unusable, match="given 'prod', allowed is staging, production"):
        named(EXAMPLE, "prod")


def test_functions_are_called_as_the_deployment_calls_them():
    names = Names("scales", "test", "111122223333", REGION)

    for handler in ("rollback", "operate", "set_weights"):
        assert function_name("scales-test", handler) == names.function(handler)


@pytest.mark.parametrize("command", COMMANDS)
def test_an_endpoint_that_was_not_deployed_is_refused_by_every_command(operated, command):
    given = ["--reason", "why"] if command not in ("status", "audit") else []
    more = ["--to", "aborted"] if command == "repair" else []

    result = operated.run(command, *given, *more, endpoint="nope-test")

    assert result.exit_code == 2
    assert "ENDPOINT: given 'nope-test', of which the account has no stack" in result.stderr


@pytest.mark.parametrize("command", [it for it in COMMANDS if it != "status"])
def test_before_the_first_rollout_there_is_nothing_to_do(operated, command):
    given = ["--reason", "why"] if command != "audit" else []
    more = ["--to", "aborted"] if command == "repair" else []

    result = operated.run(command, *given, *more)

    assert result.exit_code == 2
    assert f"{ENDPOINT} has had no rollout" in result.stderr


def test_a_stack_of_another_kind_is_refused(operated):
    operated.stack("other-control", {"LedgerName": "x"})

    result = operated.run("status", endpoint="other")

    assert result.exit_code == 2
    assert "stack other-control has no output RolloutArn: deploy it first" in result.stderr


@pytest.mark.parametrize("command", REASONED)
def test_another_rollout_than_the_newest_is_refused(operated, command):
    operated.world.hold()

    result = operated.run(command, "--reason", "why", "--rollout", "r0")

    assert result.exit_code == 2
    assert "--rollout: given 'r0', allowed is the newest one of scales-test, r1" in result.stderr


WRONG = {
    "--profile": ("nobody", "The config profile (nobody) could not be found"),
    "--endpoint-url": ("http://127.0.0.1:9", "Could not connect to the endpoint URL"),
}


@pytest.mark.parametrize("option", WRONG)
def test_an_account_that_cannot_be_reached_is_refused_with_the_cure(operated, option, monkeypatch):
    value, said = WRONG[option]
    monkeypatch.setenv("AWS_MAX_ATTEMPTS", "1")

    result = operated.run("status", option, value)

    assert result.exit_code == 2
    assert said in result.stderr
    assert option in result.stderr


def test_without_credentials_the_command_says_where_they_come_from(operated, monkeypatch, tmp_path):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.delenv(name)
    for name in ("AWS_SHARED_CREDENTIALS_FILE", "AWS_CONFIG_FILE"):
        monkeypatch.setenv(name, str(tmp_path / "absent"))
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)

    result = operated.run("status")

    assert result.exit_code == 2
    assert "Unable to locate credentials" in result.stderr
    assert "sign in, or choose others with --profile" in result.stderr


def test_without_a_region_the_command_takes_the_folder_s_or_asks_for_one(
    operated, monkeypatch, tmp_path
):
    for name in ("AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "absent"))
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", None)

    assert "--region: given none" in operated.run("status").stderr
    assert operated.run("status", "--region", REGION).exit_code == 0
    text = f"endpoint: scales\nenvironments: {{test: {{region: {REGION}}}}}\n"
    assert operated.run("status", endpoint=folder(tmp_path, text)).exit_code == 0


def test_another_error_of_aws_ends_the_command_with_1_and_its_words(operated):
    operated.stack("gone-control", {"LedgerName": "gone", "RolloutArn": "arn"})

    result = operated.run("status", endpoint="gone")

    assert result.exit_code == 1
    assert "Error: AWS: " in result.stderr
    assert "ResourceNotFoundException" in result.stderr


def test_a_command_leaves_the_session_and_the_environment_as_they_were(operated, monkeypatch):
    before = boto3.DEFAULT_SESSION
    monkeypatch.delenv("AWS_ENDPOINT_URL")

    result = operated.run(
        "status", "--endpoint-url", operated.world.aws.url, "--region", "eu-central-1"
    )

    assert result.exit_code == 0, result.output
    assert boto3.DEFAULT_SESSION is before
    assert "AWS_ENDPOINT_URL" not in os.environ
