"""MLServer with a runtime of one's own: its V2 protocol has no such body, a custom handler has."""

from mlserver import MLModel
from mlserver.handlers import custom_handler

from benchmarks.serving.peers.work import Answer, Record, Scorer


class Runtime(MLModel):
    """The model as MLServer loads it, in its own process: `parallel_workers` is 0."""

    async def load(self) -> bool:
        """Load the model; MLServer opens the routes below afterwards."""
        self._scorer = Scorer()
        return True

    @custom_handler(rest_path="/invocations")
    async def invocations(self, record: Record) -> Answer:
        """Score one record."""
        return self._scorer.answer(record)

    @custom_handler(rest_path="/ping", rest_method="GET")
    async def ping(self) -> dict[str, str]:
        """Say that the model is loaded."""
        return {}
