"""
SageMaker's runtime API on the local AWS: InvokeEndpoint, answered by the endpoint's containers.

moto answers every invocation with the same words, of any endpoint or none.

Sources, by the mark at each rule (botocore = the service model's own text):
[invoke] botocore, InvokeEndpoint: its members' headers, lengths and patterns; TargetVariant goes
    before the weights; what custom attributes the container leaves out comes back empty; of the
    caller's headers only the API's own reach the container.
[model] botocore, ModelError: the container returned 4xx or 5xx; status, message and log are told.
[size] botocore, Body: 6,291,456 bytes. The developer guide's "Model Hosting FAQs" says 25 MB for
    real-time endpoints by now: the smaller one is played, since what passes here passes there.
[status] the endpoint model, which requests reach an endpoint in which state.
[sentence] what clients were told, as users report it: aws/amazon-sagemaker-examples 293 (not
    found), 799 (no answer, with status 0), 1026 (a parameter for other endpoints), 1809 (the
    container's error); aws/sagemaker-python-sdk 171 (too large); opensearch-project/skills,
    PPLToolTests (the log's ARN, which is its group's).
[house] not documented: a rule of this project, on the strict side.
"""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cache
from http import HTTPStatus
from typing import Any

import botocore.session
from werkzeug import Request

from steelyard.rehearsal.containers import UNANSWERED
from steelyard.rehearsal.endpoint_request import Refused
from steelyard.rehearsal.endpoints import Endpoints
from steelyard.rehearsal.router import Answer, Router

# What reaches the container, by the names that it has there, too.
FORWARDED = ("ContentType", "Accept", "CustomAttributes", "InferenceId")
# What is played beside; every other parameter is for endpoints of another kind.
TARGET = "TargetVariant"
# The name of a model's only container, in the sentences [sentence].
CONTAINER = "primary"
NO_ANSWER = (
    f"Your invocation timed out while waiting for a response from container {CONTAINER}. Review "
    "the latency metrics for each container in Amazon CloudWatch, resolve the issue, and try again."
)
_PATH = re.compile(
    r"/endpoints/([^/]+)/(invocations|invocations-response-stream|async-invocations)"
)


@dataclass(frozen=True)
class Response:
    """What the client gets."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


class Runtime:
    """The endpoints that can be invoked, each through its router."""

    def __init__(self, endpoints: Endpoints, account: str, region: str) -> None:
        self._endpoints = endpoints
        self._account = account
        self._region = region
        self._routers: dict[str, Router] = {}

    def route(self, endpoint: str, router: Router) -> None:
        """Send the invocations of an endpoint through a router from now on."""
        self._routers[endpoint] = router

    def respond(self, environ: dict[str, Any]) -> Response | None:
        """Answer a WSGI request, None if it is not for this API."""
        path = _PATH.fullmatch(environ["PATH_INFO"])
        if path is None or environ["REQUEST_METHOD"] != "POST":
            return None
        request = Request(environ)
        if path[2] != "invocations":  # [house]
            request.get_data()
            return _error(400, "ValidationError", Message=f"{path[2]} is not played.")
        given = {
            name: request.headers[header]
            for name, header in _headers().items()
            if header in request.headers
        }
        return self.invoke(path[1], given, request.get_data())

    def invoke(self, endpoint: str, given: Mapping[str, str], body: bytes) -> Response:
        """
        Answer an InvokeEndpoint; `given` holds its parameters by their names in the API.

        What reached a container leaves the native metrics, and what was refused before does not.
        """
        if len(body) > (limit := largest_body()):  # [size]
            said = f"HTTP content length exceeded {limit} bytes."  # [sentence]
            return Response(413, said.encode(), {"Content-Type": "text/plain"})
        try:
            _check(endpoint, given)
            variant = self._variant(endpoint, given.get(TARGET))
        except Refused as refused:
            return _error(400, refused.code, Message=refused.message)
        router = self._routers[endpoint]
        headers = {_headers()[name]: given[name] for name in FORWARDED if name in given}
        answer = router.send(variant, body, headers)
        router.record(answer)
        return _passed_on(answer) if answer.status == 200 else self._model_error(endpoint, answer)

    def _variant(self, endpoint: str, target: str | None) -> str:
        """Return the variant that is to answer; raises Refused."""
        shares = self._shares(endpoint)
        if endpoint not in self._routers:
            raise Refused("ValidationError", f"No container was started for endpoint {endpoint}.")
        if target is None:
            return self._routers[endpoint].choose()
        if target not in shares:  # [house], the sentence
            raise Refused("ValidationError", f"Variant {target} of endpoint {endpoint} not found.")
        return target  # [invoke]

    def _shares(self, endpoint: str) -> Mapping[str, float]:
        try:
            return self._endpoints.shares(endpoint)  # [status]
        except Refused as refused:
            if refused.code == "ValidationError":
                raise
            said = f"Endpoint {endpoint} of account {self._account} not found."  # [sentence]
            raise Refused("ValidationError", said) from refused

    def _model_error(self, endpoint: str, answer: Answer) -> Response:
        """Return the error for what is no 200, or no answer at all [model] [sentence]."""
        group = f"/aws/sagemaker/Endpoints/{endpoint}"
        said = NO_ANSWER if answer.status == UNANSWERED else answer.body.decode("utf-8", "replace")
        whose = "client" if 400 <= answer.status < 500 else "server"
        return _error(
            424,
            "ModelError",
            Message=f"Received {whose} error ({answer.status}) from {CONTAINER} with message "
            f'"{said}". See https://{self._region}.console.aws.amazon.com/cloudwatch/home?region='
            f"{self._region}#logEventViewer:group={group} in account {self._account} for more "
            "information.",
            OriginalStatusCode=answer.status,
            OriginalMessage=said,
            LogStreamArn=f"arn:aws:logs:{self._region}:{self._account}:log-group:{group}",
        )


def largest_body() -> int:
    """Return how many bytes a request may have [size]."""
    return int(_members()["Body"].metadata["max"])


def to_wsgi(response: Response, start: Any) -> Iterable[bytes]:
    """Begin a response, and return its body."""
    length = {"Content-Length": str(len(response.body))}
    phrase = HTTPStatus(response.status).phrase
    start(f"{response.status} {phrase}", [*{**response.headers, **length}.items()])
    return [response.body]


def _check(endpoint: str, given: Mapping[str, str]) -> None:
    """Check the parameters by their shapes, and by what is played; raises Refused."""
    problems = [
        problem
        for name, value in {"EndpointName": endpoint, **given}.items()
        for problem in _problems(name, value)
    ]
    if problems:
        plural = "s" if len(problems) > 1 else ""
        listed = "; ".join(problems)
        raise Refused(
            "ValidationError", f"{len(problems)} validation error{plural} detected: {listed}"
        )
    if others := [name for name in given if name not in (*FORWARDED, TARGET)]:  # [house]
        raise Refused(
            "ValidationError",
            f"Endpoint {endpoint} does not support {', '.join(others)}: each of its variants is "
            "one model in one container, without explainer, sessions and inference components.",
        )


def _problems(name: str, value: str) -> Iterable[str]:
    """Yield what a parameter's shape forbids [invoke]; never the value, which may be personal."""
    rules = _members()[name].metadata  # what must not be empty has a pattern that says so
    where = f"Value at '{name[0].lower()}{name[1:]}' failed to satisfy constraint: Member must"
    if len(value) > rules.get("max", len(value)):
        yield f"{where} have length less than or equal to {rules['max']}"
    if not re.fullmatch(_translated(rules.get("pattern", ".*")), value):
        yield f"{where} satisfy regular expression pattern: {rules['pattern']}"


def _translated(pattern: str) -> str:
    """Return a pattern of Java's in the words of Python."""
    for theirs, ours in (
        (r"\p{ASCII}", r"[\x00-\x7f]"),
        (r"[\p{Print}]", r"[\x20-\x7e]"),
        (r"\z", r"\Z"),
    ):
        pattern = pattern.replace(theirs, ours)
    return pattern


def _passed_on(answer: Answer) -> Response:
    """Return a container's answer as the API gives it back [invoke]."""
    headers = {
        "X-Amzn-SageMaker-Custom-Attributes": "",
        **{
            name: answer.headers[name]
            for name in ("Content-Type", "X-Amzn-SageMaker-Custom-Attributes")
            if name in answer.headers
        },
        "x-Amzn-Invoked-Production-Variant": answer.variant,
    }
    return Response(200, answer.body, headers)


def _error(status: int, code: str, **members: Any) -> Response:
    headers = {"Content-Type": "application/json", "x-amzn-ErrorType": code}
    return Response(status, json.dumps(members).encode(), headers)


@cache
def _headers() -> Mapping[str, str]:
    """Return the header of each parameter that travels in one."""
    places = {name: member.serialization for name, member in _members().items()}
    return {name: at["name"] for name, at in places.items() if at.get("location") == "header"}


@cache
def _members() -> Mapping[str, Any]:
    """Return the parameters of InvokeEndpoint by name, as the service model has them."""
    model = botocore.session.get_session().get_service_model("sagemaker-runtime")
    members: Mapping[str, Any] = model.operation_model("InvokeEndpoint").input_shape.members
    return members
