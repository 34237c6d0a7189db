"""A deployed endpoint: its control stack's outputs, its functions, and the command line."""

import importlib
import json
from typing import Any

from click.testing import CliRunner, Result
from moto.cloudformation.models import cloudformation_backends

from steelyard.cli import main
from steelyard.rehearsal.functions import Function
from steelyard.rehearsal.functions import Result as Answer
from tests.lambdas.world import ENDPOINT, TABLE, World
from tests.steelyard.rehearsal.local import archive

TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": "sts:AssumeRole",
            "Principal": {"Service": "lambda.amazonaws.com"},
        }
    ],
}
MACHINE = f"arn:aws:states:eu-central-1:111122223333:stateMachine:{ENDPOINT}-rollout"
OUTPUTS = {"LedgerName": TABLE, "RolloutArn": MACHINE}


class InProcess:
    """Runs the handlers of functions in this process, where Lambda gives each one its own."""

    def start(self, function: Function) -> "InProcess":
        """Take the handler that the next event is for."""
        module, _, name = function.handler.rpartition(".")
        self._handler = getattr(importlib.import_module(module), name)
        return self

    def invoke(self, event: bytes) -> Answer:
        """Run the handler; an error is told in Lambda's form."""
        try:
            return Answer(json.dumps(self._handler(json.loads(event), None)).encode(), failed=False)
        except Exception as error:
            said = {"errorType": type(error).__name__, "errorMessage": str(error)}
            return Answer(json.dumps(said).encode(), failed=True)

    def close(self) -> None:
        """End nothing: no process was started."""


class Operated:
    """The endpoint of a World as the command line finds it, and the commands' results."""

    def __init__(self, world: World, monkeypatch: Any) -> None:
        self.world = world
        monkeypatch.setattr(world.aws, "functions", InProcess())
        self.stack(f"{ENDPOINT}-control", OUTPUTS)
        role = world.aws.client("iam").create_role(
            RoleName="functions", AssumeRolePolicyDocument=json.dumps(TRUST)
        )
        for handler in ("operate", "rollback"):
            self._function(handler, role["Role"]["Arn"])

    def run(self, command: str, *arguments: object, endpoint: str = ENDPOINT) -> Result:
        """Run a command on the endpoint."""
        return CliRunner().invoke(main, [command, endpoint, *map(str, arguments)])

    def json(self, command: str, *arguments: object) -> dict[str, Any]:
        """Run a command that prints JSON, and return what it said."""
        result = self.run(command, *arguments, "--json")
        assert result.exit_code in (0, 1), result.output
        found: dict[str, Any] = json.loads(result.stdout)
        return found

    def stack(self, name: str, outputs: dict[str, str]) -> None:
        """Let a stack with these outputs stand."""
        template = {
            "Resources": {"Topic": {"Type": "AWS::SNS::Topic"}},
            "Outputs": {key: {"Value": value} for key, value in outputs.items()},
        }
        self.world.aws.client("cloudformation").create_stack(
            StackName=name, TemplateBody=json.dumps(template)
        )

    def status(self, name: str, status: str) -> None:
        """Let a stack be in this status."""
        stacks = cloudformation_backends["111122223333"]["eu-central-1"].stacks
        (found,) = [stack for stack in stacks.values() if stack.name == name]
        found.status = status

    def _function(self, handler: str, role: str) -> None:
        client, name = self.world.aws.client("lambda"), f"{ENDPOINT}-{handler}"
        client.create_function(
            FunctionName=name,
            Runtime="python3.13",
            Role=role,
            Handler=f"lambdas.{handler}.handler",
            Code={"ZipFile": archive("empty", "")},
            Publish=True,
        )
        client.create_alias(FunctionName=name, Name="live", FunctionVersion="1")
