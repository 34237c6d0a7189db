"""
Answer SageMaker's HTTP contract: GET /ping, POST /invocations, and GET /metrics for its collector.

Source: SageMaker developer guide, "Custom inference code with hosting services": port 8080, /ping
answers 200 within 2 seconds, /invocations within 60. A 4xx means that the caller is at fault, a 5xx
that the model is; both are passed on to the caller.
"""

import logging
import time
from collections.abc import Sequence
from dataclasses import asdict

from starlette.applications import Starlette
from starlette.requests import ClientDisconnect, Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from inference.metrics import Metrics, Outcome
from inference.model import Model, Prediction, is_sound
from inference.schema import Problem, RefusedError

MEDIA_TYPE = "application/json"
LONGEST_BODY = 1024 * 1024
"""Bytes, some 1,300 records: one request must not hold the only loop for long, or /ping starves."""

log = logging.getLogger("inference")


class NotAProbabilityError(Exception):
    """The model answered, but with no probability."""


def create_app(model: Model) -> Starlette:
    """Make the application that serves one loaded model, with its counters at zero."""
    server = Server(model, Metrics(model.edges, model.version))
    return Starlette(
        routes=[
            Route("/invocations", server.invocations, methods=["POST"]),
            Route("/ping", server.ping),
            Route("/metrics", server.metrics),
        ]
    )


class Server:
    """The routes; one event loop runs them, and a model call is short enough not to leave it."""

    def __init__(self, model: Model, metrics: Metrics) -> None:
        self._model = model
        self._metrics = metrics

    async def ping(self, _: Request) -> Response:
        """Say that the model is loaded: the process listens only when it is."""
        return Response()

    async def metrics(self, _: Request) -> Response:
        """Give all counters in Prometheus text format."""
        return PlainTextResponse(
            self._metrics.render(), media_type="text/plain; version=0.0.4; charset=utf-8"
        )

    async def invocations(self, request: Request) -> Response:
        """
        Score one record or a batch; every answer is counted, with the time since its head came.

        A batch is one request, but each of its predictions is counted in the bins.
        """
        started = time.perf_counter()
        try:
            outcome, response = self._answer(await _body(request))
        except ClientDisconnect:
            return Response()  # nobody is left to read an answer: none is counted
        except RefusedError as refused:
            outcome, response = "client_error", _refusal(refused.status, refused.problems)
        self._metrics.answered(outcome, time.perf_counter() - started)
        return response

    def _answer(self, body: bytes) -> tuple[Outcome, Response]:
        rows = self._model.schema.rows(body)
        try:
            predictions = self._predictions(rows)
        except Exception as error:  # whatever a model raises is a model error, never a crash
            log.error("the model failed: %s: %s", type(error).__name__, error)
            return "model_error", _refusal(500, [Problem("", "the model failed; try again later")])
        return "ok", JSONResponse(
            {"predictions": predictions, "model_version": self._model.version}
        )

    def _predictions(self, rows: Sequence[Sequence[float]]) -> list[Prediction]:
        predictions = self._model.predict(rows)
        unsound = [prediction for prediction in predictions if not is_sound(prediction)]
        for prediction in unsound or predictions:
            self._metrics.predicted(prediction["score"], prediction["confidence"])
        if unsound:
            raise NotAProbabilityError("a score is not a number from 0 to 1")
        return predictions


async def _body(request: Request) -> bytes:
    """Read the body; raises RefusedError: 415 for another media type, 413 when it is too long."""
    given = request.headers.get("content-type", "")
    if given.partition(";")[0].strip().lower() != MEDIA_TYPE:
        problem = f"the content type is not supported, allowed is {MEDIA_TYPE}; send JSON"
        raise RefusedError(415, [Problem("", problem)])
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > LONGEST_BODY:
            problem = f"the body is too long, allowed are {LONGEST_BODY} bytes; send fewer records"
            raise RefusedError(413, [Problem("", problem)])
    return body


def _refusal(status: int, problems: Sequence[Problem]) -> Response:
    return JSONResponse({"errors": [asdict(problem) for problem in problems]}, status)
