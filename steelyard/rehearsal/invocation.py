"""How AWS services wake Lambda functions: permission first, then at least once, with retries."""

import fnmatch
import heapq
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from moto.awslambda.exceptions import UnknownFunctionException
from moto.awslambda.models import LambdaFunction

from steelyard.rehearsal.local_aws import LocalAws
from steelyard.rehearsal.moto_patches import awslambda, stacks

# An asynchronous event that fails is tried again after one minute, then after two
# (Lambda developer guide, "How Lambda handles errors and retries with asynchronous invocation").
RETRY_SECONDS = (60.0, 120.0)


@dataclass(order=True)
class _Due:
    at: float
    order: int
    act: Callable[[], None] = field(compare=False)


class Invocations:
    """Asynchronous invocations of one local AWS; `failures` says in words what did not arrive."""

    def __init__(self, aws: LocalAws) -> None:
        self._aws = aws
        self._due: list[_Due] = []
        self._count = 0
        self.failures: list[str] = []

    def send(
        self,
        principal: str,
        source: str,
        function: str,
        event: dict[str, Any],
        dead_letters: str | None = None,
    ) -> None:
        """
        Let a service (`principal`), on behalf of a resource (`source`), wake a function.

        An event that cannot be delivered goes to the queue `dead_letters`, if one is named; one
        that was delivered is the function's, and its failures are tried again.
        """
        if self._permitted(principal, source, function):
            self._try(function, event, 0)
            return
        self.failures.append(f"{source} may not wake {function}: no permission for {principal}")
        if dead_letters is not None:
            self._bury(dead_letters, event)

    def run_due(self) -> None:
        """Try again what failed and is due."""
        while self._due and self._due[0].at <= self._aws.clock.now:
            heapq.heappop(self._due).act()

    def _try(self, function: str, event: dict[str, Any], attempt: int) -> None:
        found = self._found(function)
        result = self._aws.functions.start(awslambda.published(found)).invoke(
            json.dumps(event).encode()
        )
        self._aws.clock.settle()
        if not result.failed:
            return
        if attempt == len(RETRY_SECONDS):
            error = json.loads(result.payload)
            self.failures.append(f"{function} failed for good: {error.get('errorMessage')}")
            if (queue := self._dead_letters(function)) is not None:
                self._bury(queue, event)
            return
        self._count += 1
        later = _Due(
            self._aws.clock.now + RETRY_SECONDS[attempt],
            self._count,
            lambda: self._try(function, event, attempt + 1),
        )
        heapq.heappush(self._due, later)

    def _dead_letters(self, function: str) -> str | None:
        """Return the queue that a function's template names for what failed for good."""
        name = function.split(":function:")[1].partition(":")[0]
        for properties in stacks.deployed(
            self._aws.account, self._aws.region, "AWS::Lambda::Function"
        ):
            if properties["FunctionName"] == name and "DeadLetterConfig" in properties:
                return str(properties["DeadLetterConfig"]["TargetArn"])
        return None

    def _bury(self, queue: str, event: dict[str, Any]) -> None:
        sqs = self._aws.client("sqs")
        url = sqs.get_queue_url(QueueName=queue.rpartition(":")[2])["QueueUrl"]
        sqs.send_message(QueueUrl=url, MessageBody=json.dumps(event))

    def _permitted(self, principal: str, source: str, function: str) -> bool:
        try:
            statements = self._found(function).policy.statements
        except UnknownFunctionException:
            return False
        return any(
            statement["Effect"] == "Allow"
            and statement["Resource"] == function
            and statement["Principal"].get("Service") == principal
            and _holds(statement.get("Condition", {}), source, self._aws.account)
            for statement in statements
        )

    def _found(self, function: str) -> LambdaFunction:
        """Return a function as it is deployed, without a request: schedules wake it each minute."""
        name, _, qualifier = function.split(":function:")[1].partition(":")
        backend = awslambda.backend(self._aws.account, self._aws.region)
        return backend.get_function(name, qualifier or None)


def _holds(conditions: Mapping[str, Mapping[str, str]], source: str, account: str) -> bool:
    """Say whether a statement's conditions let a source in; one that is not known does not."""
    return all(
        key.lower() in ("aws:sourcearn", "aws:sourceaccount")
        and fnmatch.fnmatchcase(source if key.lower() == "aws:sourcearn" else account, value)
        for operator in conditions.values()
        for key, value in operator.items()
    )
