"""
Answer SageMaker's HTTP contract: GET /ping, POST /invocations, and the pages beside them.

Source: SageMaker developer guide, "Custom inference code with hosting services": port 8080, /ping
answers 200 within 2 seconds, /invocations within 60. A 4xx means that the caller is at fault, a 5xx
that the model or its load is; both are passed on to the caller.
"""

from collections.abc import Awaitable, Callable, Mapping
from typing import Any

import orjson

from inference.counting.layout import Layout
from inference.counting.metrics import Metrics
from inference.counting.registry import Registry
from inference.http.body import Receive
from inference.invocation import JSON, Answer, Headers, Invocations
from inference.metadata import execution_parameters, metadata
from inference.output import Streams, standard_streams
from inference.record import Lines, Origin
from inference.scoring.model import Model, load
from inference.settings import Settings

Send = Callable[[Mapping[str, Any]], Awaitable[None]]

TEXT = (b"content-type", b"text/plain; version=0.0.4; charset=utf-8")
PAGE_METHODS = ("GET", "HEAD")


class App:
    """
    The ASGI application of one worker.

    title: name and version of the model. draining: makes /ready say no, while /ping goes on saying
    that the process lives.
    """

    def __init__(
        self, model: Model, settings: Settings, metrics: Metrics, streams: Streams, started: float
    ) -> None:
        self.title = f"{model.manifest.name} {model.version}"
        self.draining = False
        lines = lines_of(model, settings)
        self._invocations = Invocations(model, settings, metrics, lines, streams)
        about = orjson.dumps(metadata(model.manifest, settings, started))
        parameters = orjson.dumps(execution_parameters(settings))
        self._pages: Mapping[str, Callable[[], Answer]] = {
            "/ping": lambda: (200, [], b""),
            "/ready": self._ready,
            "/metrics": lambda: (200, [TEXT], metrics.render().encode()),
            "/metadata": lambda: (200, [JSON], about),
            "/execution-parameters": lambda: (200, [JSON], parameters),
        }

    async def __call__(self, scope: Mapping[str, Any], receive: Receive, send: Send) -> None:
        """Answer one request."""
        method = scope["method"]
        if scope["path"] == "/invocations" and method == "POST":
            answer = await self._invocations.answer(scope["headers"], receive)
            if answer is None:
                return  # the caller has gone
        else:
            answer = self._page(scope["path"], method)
        status, headers, body = answer
        headers.append((b"content-length", b"%d" % len(body)))
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": b"" if method == "HEAD" else body})

    def refused(self, status: int, problem: str) -> None:
        """Record and count a request that was refused before it was whole."""
        self._invocations.refused(status, problem)

    async def close(self) -> None:
        """End what runs beside the requests; every one of them has been answered."""
        self._invocations.close()

    def _page(self, path: str, method: str) -> Answer:
        allowed = ("POST",) if path == "/invocations" else PAGE_METHODS
        if path not in self._pages and path != "/invocations":
            known = ", ".join(["/invocations", *self._pages])
            return _refusal(404, [], f"there is no such page, allowed are {known}")
        if method not in allowed:
            listed = ", ".join(allowed)
            said = f"the method is not allowed here, allowed is {listed}"
            return _refusal(405, [(b"allow", listed.encode())], said)
        return self._pages[path]()

    def _ready(self) -> Answer:
        if self.draining:
            return _refusal(503, [], "this container is about to stop; ask another one")
        return 200, [], b""


def make_app(settings: Settings, registry: Registry, slot: int) -> App:
    """
    Load the model and make the application of the worker that counts in this slot.

    Raises UnusableError, with every problem, for a model that cannot be served.
    """
    model = load(settings.model)
    layout = Layout.of(model.manifest)
    metrics = Metrics(layout, registry, slot, model.version, settings.slo_seconds)
    return App(model, settings, metrics, standard_streams(registry.lock), registry.started)


def lines_of(model: Model, settings: Settings) -> Lines:
    """Part the features of a model into those that its log lines show and those they do not."""
    origin = Origin(settings.endpoint, settings.variant, model.version)
    features = model.manifest.features
    return Lines(
        origin,
        [feature.name for feature in features if not feature.pii],
        [feature.name for feature in features if feature.pii],
    )


def _refusal(status: int, headers: Headers, problem: str) -> Answer:
    return status, [JSON, *headers], orjson.dumps({"errors": [{"field": "", "problem": problem}]})
