"""
Run a real handler up to its next AWS call, as a value.

A process is a handler, its event and the answers it has got so far. To learn what it does next, the
handler is run from its start, fed with these answers, until it asks for more than there are: a
process can so be copied, compared, stopped and taken up again anywhere. This rests on handlers
being functions of event, environment and answers, as they are.
"""

import importlib
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, replace
from functools import cache, lru_cache
from types import SimpleNamespace
from typing import Any
from unittest import mock

import boto3
from botocore import exceptions
from botocore.exceptions import ClientError

from exploration.traffic import Health, answer_query
from exploration.values import frozen, moments

SDK = "sdk"
"""The handler of a call that Step Functions or CloudFormation makes itself."""

UNSEEN = frozenset({("sns", "publish"), ("cloudwatch", "put_metric_data")})
"""Calls that change nothing which anybody reads: they are answered without a stop."""


@dataclass(frozen=True, slots=True)
class Process:
    """
    One invocation: what runs, what it was given and has been answered, and whom it answers.

    `caller` is the execution that waits for it, None for an asynchronous one, of which `attempt`
    counts the deliveries; `at` is when it began (epoch seconds), `stalled` whether its next call
    takes so long that time passes.
    """

    handler: str
    event: str
    at: float
    health: Health
    caller: str | None = None
    attempt: int = 0
    stalled: bool = False
    answers: tuple[str, ...] = ()

    def answered(self, answer: str) -> "Process":
        """Return the process with one more answer."""
        return replace(self, answers=(*self.answers, answer))


@dataclass(frozen=True, slots=True)
class Request:
    """An AWS call that a process waits for; `params` as JSON."""

    service: str
    operation: str
    params: str


@dataclass(frozen=True, slots=True)
class Returned:
    """What a handler returned, as JSON."""

    value: str


@dataclass(frozen=True, slots=True)
class Raised:
    """With which error a handler ended."""

    error: str
    message: str


Outcome = Request | Returned | Raised


class _Suspended(BaseException):
    """The handler asks for an answer that is not there yet; no `except Exception` stops this."""

    def __init__(self, request: Request) -> None:
        self.request = request


def outcome(process: Process) -> Outcome:
    """Return the process's next request, or how it ended; inside `aws()` only."""
    return _outcome(process.handler, process.event, process.health, process.answers)


def forget() -> None:
    """Forget what was learnt of handlers: one of them has been changed."""
    _outcome.cache_clear()


@lru_cache(maxsize=100_000)
def _outcome(
    handler: str,
    event: str,
    health: Health,
    answers: tuple[str, ...],
) -> Outcome:
    vars(_RUN).update(answers=iter(answers), health=health, suspended=None)
    try:
        return Returned(frozen(_function(handler)(json.loads(event), None)))
    except _Suspended as suspended:
        return suspended.request
    except Exception as error:
        return Raised(type(error).__name__, str(error))


def _function(handler: str) -> Callable[[dict[str, Any], object], Any]:
    if handler == SDK:
        return _call
    # Looked up at each run: a seeded fault may have put another one in its place.
    function: Callable[[dict[str, Any], object], Any] = importlib.import_module(
        f"lambdas.{handler}"
    ).handler
    return function


def _call(event: dict[str, Any], _context: object) -> Any:
    client = boto3.client(event["service"])
    answer = getattr(client, event["operation"])(**event["params"])
    return {name: value for name, value in answer.items() if name != "ResponseMetadata"}


@dataclass
class _Run:
    """What the handler that runs now gets its answers from."""

    answers: Iterator[str]
    health: Health
    unseen: frozenset[tuple[str, str]]
    suspended: _Suspended | None = None


_RUN = _Run(iter(()), Health(), UNSEEN)


class Client:
    """Stands where boto3's client does: each method is a call that the world answers."""

    def __init__(self, service: str, **_settings: Any) -> None:
        self._service = service
        self.exceptions = _Exceptions()
        self.meta = SimpleNamespace(endpoint_url="http://nowhere", region_name="eu-central-1")

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        return lambda **params: _ask(self._service, operation, params)

    def get_paginator(self, operation: str) -> Any:
        """Return a paginator whose only page is the whole answer."""
        return SimpleNamespace(paginate=lambda **params: [getattr(self, operation)(**params)])


class _Exceptions:
    def __getattr__(self, code: str) -> type[ClientError]:
        return _modelled(code)


@cache
def _modelled(code: str) -> type[ClientError]:
    return type(code, (ClientError,), {})


def _ask(service: str, operation: str, params: dict[str, Any]) -> Any:
    if _RUN.suspended is not None:
        # The handler was stopped at a call, and on its way out a `finally` makes another one.
        raise _RUN.suspended
    if (service, operation) in _RUN.unseen:
        return {}
    answer = next(_RUN.answers, None)
    if answer is None:
        _RUN.suspended = _Suspended(Request(service, operation, frozen(params)))
        raise _RUN.suspended
    content = json.loads(answer)
    if (refusal := content.get("refused")) is not None:
        raise _modelled(refusal["Error"]["Code"])(refusal, operation)
    if (lost := content.get("lost")) is not None:
        raise getattr(exceptions, lost)(endpoint_url="http://nowhere", error=lost)
    return moments(content)


class _Session:
    """Stands where boto3's session does, for requests that are signed by hand."""

    region_name = "eu-central-1"

    def client(self, service: str, **settings: Any) -> Client:
        """Return a client."""
        return Client(service, **settings)

    def get_credentials(self) -> None:
        """Return nothing: nothing is signed."""


@contextmanager
def aws(environment: dict[str, str], unseen: frozenset[tuple[str, str]] = UNSEEN) -> Iterator[None]:
    """Put the stub in the place of AWS for every handler, with these settings."""
    _RUN.unseen = unseen
    settings = {f"STEELYARD_{name}": value for name, value in environment.items()}
    with (
        mock.patch.object(boto3, "client", Client),
        mock.patch.object(boto3, "Session", _Session),
        mock.patch(
            "lambdas.aws.counters.Counters._post",
            lambda _counters, body: answer_query(_RUN.health, body),
        ),
        # A thread of its own bounds the wait for the ledger; here nothing waits.
        mock.patch("lambdas.aws.ledger.within", lambda _seconds, asked: asked()),
        # The guard's answer to CloudFormation; what it returns says the same.
        mock.patch("urllib.request.urlopen", return_value=nullcontext()),
        mock.patch.dict("os.environ", settings),
    ):
        forget()
        yield
    forget()
