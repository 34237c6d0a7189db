"""The application of one worker, asked without a socket; its lines go to files."""

import asyncio
import json
import os
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

from inference.counting.layout import Layout
from inference.counting.metrics import Metrics
from inference.counting.registry import Registry
from inference.http.server import App
from inference.output import Output, Streams
from inference.scoring.model import load
from inference.settings import Settings

JSON = "application/json"


class Answer(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes

    @property
    def content(self) -> Any:
        return json.loads(self.body)


@dataclass
class Asked:
    """An application and its two streams of lines."""

    app: App
    folder: Path

    def ask(self, *requests: tuple[str, str, bytes, dict[str, str]]) -> list[Answer]:
        """Send requests (method, path, body, headers) all at once; answers in their order."""

        async def together() -> list[Answer]:
            return await asyncio.gather(*(self._one(*request) for request in requests))

        return asyncio.run(together())

    def get(self, path: str, method: str = "GET") -> Answer:
        return self.ask((method, path, b"", {}))[0]

    def post(self, body: object, media_type: str | None = JSON, **headers: str) -> Answer:
        return self.ask(post(body, media_type, **headers))[0]

    def counters(self) -> dict[str, float]:
        lines = self.get("/metrics").body.decode().splitlines()
        pairs = (line.rsplit(" ", 1) for line in lines if not line.startswith("#"))
        return {series: float(value) for series, value in pairs}

    def lines(self, stream: str = "predictions") -> list[dict[str, Any]]:
        return [json.loads(line) for line in (self.folder / stream).read_text().splitlines()]

    async def _one(self, method: str, path: str, body: bytes, headers: dict[str, str]) -> Answer:
        sent: list[Any] = []
        pairs = [(name.lower().encode(), value.encode()) for name, value in headers.items()]
        scope = {"type": "http", "method": method, "path": path, "headers": pairs}
        await self.app(scope, _body(body), _into(sent))
        start, end = sent
        given = {name.decode(): value.decode() for name, value in start["headers"]}
        return Answer(start["status"], given, end["body"])


def post(
    body: object, media_type: str | None = JSON, **headers: str
) -> tuple[str, str, bytes, dict[str, str]]:
    """Give a request to /invocations; headers are written `Accept="text/csv"`, `_` for `-`."""
    content = body if isinstance(body, bytes) else json.dumps(body).encode()
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    kind = {} if media_type is None else {"content-type": media_type}
    return "POST", "/invocations", content, {"content-length": str(len(content))} | kind | named


def serve(model: Path, folder: Path, **settings: Any) -> Asked:
    """Load a version folder into an application; its lines go to files in `folder`."""
    loaded = load(model)
    layout = Layout.of(loaded.manifest)
    metrics = Metrics(layout, registry := Registry(layout.size), 0, loaded.version)
    streams = Streams(*(Output(_opened(folder / name)) for name in ("predictions", "others")))
    given = replace(Settings(model=model, endpoint="sample-test", variant="v1-0-0"), **settings)
    return Asked(App(loaded, given, metrics, streams, registry.started), folder)


def _opened(path: Path) -> int:
    return os.open(path, os.O_WRONLY | os.O_CREAT | os.O_APPEND)


def _body(body: bytes) -> Callable[[], Awaitable[dict[str, Any]]]:
    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    return receive


def _into(sent: list[Any]) -> Callable[[Any], Awaitable[None]]:
    async def send(message: Any) -> None:
        sent.append(message)

    return send
