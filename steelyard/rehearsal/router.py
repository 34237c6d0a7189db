"""The endpoint as clients see it: requests go to variants by weight, and leave native metrics."""

import math
import random
import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from steelyard.rehearsal.containers import JSON, UNANSWERED, Container
from steelyard.rehearsal.metrics import MetricStore

NAMESPACE = "AWS/SageMaker"
# The seeded latency model: what a small container behind an endpoint takes, log-normally spread.
MEDIAN_SECONDS = 0.020
SPREAD = 0.35


@dataclass(frozen=True)
class Answer:
    """What one request got: who answered, or should have, and the container's reply."""

    variant: str
    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def failed(self) -> bool:
        """Whether the model failed; a client's own mistake is not its failure."""
        return self.status == UNANSWERED or self.status >= 500


class Router:
    """Chooses a variant for each request, as SageMaker does: at random, by current weights."""

    def __init__(
        self,
        endpoint: str,
        containers: Mapping[str, Container],
        shares: Callable[[], Mapping[str, float]],
        now: Callable[[], float],
        store: MetricStore,
        seed: int,
    ) -> None:
        self._endpoint = endpoint
        self._containers = containers
        self._shares = shares
        self._now = now
        self._store = store
        self._random = random.Random(seed)
        # Clients of the local AWS come in threads of their own; neither chance nor store bears it.
        self._lock = threading.Lock()

    def choose(self) -> str:
        """Return the variant for the next request."""
        shares = self._shares()
        with self._lock:
            return self._random.choices(list(shares), list(shares.values()))[0]

    def send(self, variant: str, body: bytes, headers: Mapping[str, str] = JSON) -> Answer:
        """Let a variant's container answer."""
        return Answer(variant, *self._containers[variant].invoke(body, headers))

    def record(self, answer: Answer) -> None:
        """
        Publish what SageMaker publishes of an invocation.

        Counts are 0 or 1 per request; ModelLatency is in microseconds and comes from the seeded
        model, since wall time on a busy machine is noise (SageMaker developer guide, "Monitor
        with CloudWatch"). Where nothing answered, the sources differ on the server errors: it
        counts as one here.
        """
        with self._lock:
            self._put(answer)

    def _put(self, answer: Answer) -> None:
        latency = MEDIAN_SECONDS * math.exp(self._random.gauss(0.0, SPREAD)) * 1_000_000
        for name, value in (
            ("Invocations", 1.0),
            ("Invocation4XXErrors", float(400 <= answer.status < 500)),
            ("Invocation5XXErrors", float(answer.failed)),
            ("InvocationModelErrors", float(answer.status != 200)),
            ("ModelLatency", latency),
        ):
            self._store.put(
                NAMESPACE,
                name,
                {"EndpointName": self._endpoint, "VariantName": answer.variant},
                self._now(),
                value,
            )
