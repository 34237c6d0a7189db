"""BentoML with one worker; what it does beyond the common work, access log and metrics, is off."""

import bentoml
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from benchmarks.serving.peers.work import Answer, Record, Scorer


async def ping(_: Request) -> Response:
    """Say that the model is loaded: BentoML's own probes have other names."""
    return Response()


@bentoml.asgi_app(Starlette(routes=[Route("/ping", ping)]))
@bentoml.service(workers=1, metrics={"enabled": False}, logging={"access": {"enabled": False}})
class Service:
    """The model as BentoML loads it, in a worker process below its supervisor."""

    def __init__(self) -> None:
        self._scorer = Scorer()

    @bentoml.api(route="/invocations", input_spec=Record)
    async def invocations(self, **fields: float) -> Answer:
        """Score one record, which BentoML has checked and taken apart again."""
        return self._scorer.answer(Record.model_construct(**fields))
