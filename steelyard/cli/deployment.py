"""A deployed endpoint: how it is named on the command line, and what stands in the account."""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cached_property, wraps
from typing import Any

import boto3
import click
import yaml
from botocore.config import Config
from botocore.exceptions import ClientError

from lambdas.aws import Endpoint, EndpointGone, Ledger
from steelyard.cli.account import connected
from steelyard.cli.place import Unusable, endpoint_folder
from steelyard.rollout.ledger import Lock, record_key
from steelyard.rollout.live import Live

# A function may take a minute. Throttling and lost answers are tried again: an order that was
# carried out already changes nothing more, or is refused in words.
_FUNCTION = Config(read_timeout=75, retries={"mode": "standard", "total_max_attempts": 3})


class Refused(Exception):
    """A function of the deployment raised an error: `kind` is its name."""

    def __init__(self, kind: str, message: str) -> None:
        super().__init__(f"{kind}: {message}")
        self.kind = kind


@dataclass(frozen=True)
class Deployment:
    """An endpoint's name in the account, its ledger's table and its state machine's ARN."""

    name: str
    table: str
    machine: str

    @cached_property
    def ledger(self) -> Ledger:
        """The endpoint's ledger."""
        return Ledger(self.table, self.name)

    def lock(self, rollout: str | None = None) -> Lock:
        """Return the ledger's lock; raises Unusable where it is not of this rollout, or of none."""
        lock = self.ledger.read()
        if lock is None:
            raise Unusable(
                [
                    f"ENDPOINT: {self.name} has had no rollout, allowed is one that had: start an "
                    f"execution of {self.machine}"
                ]
            )
        if rollout is not None and rollout != lock.rollout:
            raise Unusable(
                [
                    f"--rollout: given {rollout!r}, allowed is the newest one of {self.name}, "
                    f"{lock.rollout}: write it, or leave it out"
                ]
            )
        return lock

    def live(self) -> Live | None:
        """Return the endpoint as it is now, None when there is none."""
        try:
            return Live.from_description(Endpoint(self.name).describe())
        except EndpointGone:
            return None

    def is_running(self, rollout: str) -> bool:
        """Say whether a rollout's execution runs."""
        stepfunctions = boto3.client("stepfunctions")
        arn = f"{self.machine.replace(':stateMachine:', ':execution:')}:{rollout}"
        try:
            answer = stepfunctions.describe_execution(executionArn=arn)
        except stepfunctions.exceptions.ExecutionDoesNotExist:
            return False
        return bool(answer["status"] == "RUNNING")

    def texts(self, rollout: str, newest_first: bool = False) -> Iterator[str]:
        """Yield a rollout's records as they are stored, in order or backwards."""
        pages = (
            boto3.client("dynamodb")
            .get_paginator("query")
            .paginate(
                TableName=self.table,
                KeyConditionExpression="pk = :pk",
                ExpressionAttributeValues={":pk": {"S": record_key(rollout, 0)["pk"]}},
                ConsistentRead=True,
                ScanIndexForward=not newest_first,
            )
        )
        for page in pages:
            yield from (item["record"]["S"] for item in page["Items"])

    def tell(self, handler: str, event: Mapping[str, Any]) -> dict[str, Any]:
        """Hand an event to the function that runs `lambdas/<handler>.py`; raises Refused."""
        answer = boto3.client("lambda", config=_FUNCTION).invoke(
            FunctionName=function_name(self.name, handler),
            Qualifier="live",
            Payload=json.dumps({**event, "now": self.now()}).encode(),
        )
        said: dict[str, Any] = json.loads(answer["Payload"].read())
        if "FunctionError" in answer:
            raise Refused(str(said.get("errorType")), str(said.get("errorMessage")))
        return said

    def now(self) -> str:
        """Return the ledger's own time, as AWS writes it: this machine's clock may be wrong."""
        return datetime.fromtimestamp(self.ledger.now(), UTC).isoformat()


def function_name(endpoint: str, handler: str) -> str:
    """Return what the function of a handler is called: the rule of the deployment's names."""
    return f"{endpoint}-{handler.replace('_', '-')}"


def deployed(command: Callable[..., None]) -> Callable[..., None]:
    """
    Give a command the argument ENDPOINT and the options that lead to it.

    The command is called with the Deployment in their place, while boto3 speaks to its account.
    """

    @wraps(command)
    def run(
        endpoint: str,
        environment: str | None,
        profile: str | None,
        region: str | None,
        endpoint_url: str | None,
        **others: Any,
    ) -> None:
        name, home = named(endpoint, environment)
        with connected(profile, region or home, endpoint_url):
            command(found(name), **others)

    for option in reversed(_OPTIONS):
        run = option(run)
    return run


_OPTIONS = (
    click.argument("endpoint"),
    click.option("--environment", help="the environment of the folder; the first if not given"),
    click.option("--profile", help="as in the AWS command line"),
    click.option("--region", help="as in the AWS command line; the environment's if not given"),
    click.option("--endpoint-url", metavar="URL", help="as in the AWS command line"),
)


def named(endpoint: str, environment: str | None) -> tuple[str, str | None]:
    """
    Return the name of the endpoint in its account, and its region where the file says it.

    `endpoint` is a folder with an endpoint.yaml, of which no more is read than these, so that what
    is wrong with a model keeps nobody from an abort; or the deployed name itself, to which the
    environment is added if it is given. Raises Unusable.
    """
    try:
        path = endpoint_folder(endpoint) / "endpoint.yaml"
    except Unusable:
        return (f"{endpoint}-{environment}" if environment else endpoint), None
    try:
        file = yaml.safe_load(path.read_text("utf-8"))
        name, known = str(file["endpoint"]), dict(file["environments"])
        wanted = next(iter(known)) if environment is None else environment
        region = known[wanted]["region"] if wanted in known else None
    except (OSError, ValueError, TypeError, KeyError, StopIteration, yaml.YAMLError) as error:
        raise Unusable(
            [
                f"ENDPOINT: {path} lacks or mistakes {error}, allowed is a file with endpoint and "
                f"environments: mend it, or write the deployed endpoint's name instead"
            ]
        ) from None
    if wanted not in known:
        raise Unusable(
            [f"--environment: given {wanted!r}, allowed is {', '.join(known)}: write one of these"]
        )
    return f"{name}-{wanted}", region


def found(name: str) -> Deployment:
    """Return what stands in the account for an endpoint; raises Unusable where nothing does."""
    stack = f"{name}-control"
    try:
        answer = boto3.client("cloudformation").describe_stacks(StackName=stack)
    except ClientError as error:
        if "does not exist" not in str(error):
            raise
        raise Unusable(
            [
                f"ENDPOINT: given {name!r}, of which the account has no stack {stack}, allowed is "
                f"an endpoint that was deployed: mend name, --environment, --region or --profile"
            ]
        ) from None
    outputs = {
        entry["OutputKey"]: entry["OutputValue"] for entry in answer["Stacks"][0].get("Outputs", ())
    }
    lacking = sorted({"LedgerName", "RolloutArn"} - outputs.keys())
    if lacking:
        raise Unusable(
            [f"ENDPOINT: stack {stack} has no output {', '.join(lacking)}: deploy it first"]
        )
    return Deployment(name, outputs["LedgerName"], outputs["RolloutArn"])
