"""Calls of AWS that fail, struck where botocore sends them: the handlers notice no difference."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import SimpleNamespace
from typing import Any

import boto3
import botocore.endpoint
import pytest
from botocore.awsrequest import AWSPreparedRequest, AWSResponse
from botocore.exceptions import ReadTimeoutError
from botocore.httpsession import URLLib3Session

Fault = Callable[[AWSPreparedRequest], AWSResponse | None]


def _answer(status: int, code: str, message: str) -> Fault:
    as_json = json.dumps({"__type": code, "message": message})
    as_xml = f"<R><Error><Code>{code}</Code><Message>{message}</Message></Error></R>"

    def answer(request: AWSPreparedRequest) -> AWSResponse:
        is_json = "X-Amz-Target" in request.headers
        body = (as_json if is_json else as_xml).encode()
        raw = SimpleNamespace(stream=lambda: iter([body]))
        return AWSResponse(request.url, status, {}, raw)

    return answer


def _lost_before(request: AWSPreparedRequest) -> None:
    raise ReadTimeoutError(endpoint_url=request.url)


def _lost_after(request: AWSPreparedRequest) -> None:
    URLLib3Session().send(request)
    raise ReadTimeoutError(endpoint_url=request.url)


FAULTS: dict[str, Fault] = {
    "throttled": _answer(400, "ThrottlingException", "Rate exceeded"),
    "500": _answer(500, "InternalFailure", "an internal error"),
    "timed out before": _lost_before,
    "timed out after": _lost_after,
    "in progress": _answer(400, "ValidationException", 'Cannot update in-progress endpoint "it".'),
}


class Faults:
    """Strikes calls of the handlers' own clients; the test's clients are left alone."""

    def __init__(self) -> None:
        self._struck: dict[str, tuple[Fault, float]] = {}
        self._before: dict[str, Callable[[], None]] = {}
        self.sent: list[str] = []

    @contextmanager
    def at_work(self) -> Iterator["Faults"]:
        """Strike while the context lasts."""
        session = boto3.Session()
        session.events.register("before-send", self._send)
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(boto3, "DEFAULT_SESSION", session)
            # Between its attempts botocore sleeps for real.
            patch.setattr(botocore.endpoint, "time", SimpleNamespace(sleep=lambda _seconds: None))
            yield self

    def strike(self, operation: str, fault: str, times: float = float("inf")) -> None:
        """Let the next `times` attempts of an operation fail."""
        self._struck[operation] = (FAULTS[fault], times)

    def before(self, operation: str, happens: Callable[[], None]) -> None:
        """Let something happen just before the next attempt of an operation."""
        self._before[operation] = happens

    def lift(self) -> None:
        """Let every call through again."""
        self._struck.clear()

    def _send(self, request: AWSPreparedRequest, event_name: str, **_: Any) -> AWSResponse | None:
        operation = event_name.rsplit(".", 1)[1]
        self.sent.append(operation)
        if operation in self._before:
            self._before.pop(operation)()
        fault, times = self._struck.get(operation, (None, 0.0))
        if fault is None or times <= 0:
            return None
        self._struck[operation] = (fault, times - 1)
        return fault(request)
