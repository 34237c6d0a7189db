"""The endpoint as clients see it: requests go to variants by weight, and leave native metrics."""

import math
import random
import threading
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace

from steelyard.rehearsal.containers import JSON, UNANSWERED, Container
from steelyard.rehearsal.metrics import MetricStore

NAMESPACE = "AWS/SageMaker"
# The seeded latency model: what a small container behind an endpoint takes, log-normally spread.
MEDIAN_SECONDS = 0.020
SPREAD = 0.35


@dataclass(frozen=True)
class Answer:
    """
    What one request got: who answered, or should have, and the container's reply.

    `copies` are what shadow variants answered to a copy of it, which nobody is given.
    """

    variant: str
    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    copies: tuple["Answer", ...] = ()

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
        copies: Callable[[], Iterable[str]] = tuple,
    ) -> None:
        self._endpoint = endpoint
        self._containers = containers
        self._shares = shares
        self._copies = copies
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
        """Let a variant's container answer, and then each shadow variant's, to a copy."""
        answer = Answer(variant, *self._containers[variant].invoke(body, headers))
        copies = tuple(
            Answer(shadow, *self._containers[shadow].invoke(body, headers))
            for shadow in self._copies()
        )
        return replace(answer, copies=copies)

    def record(self, answer: Answer) -> None:
        """
        Publish what SageMaker publishes of an invocation, and of each copy of it.

        Counts are 0 or 1 per request; ModelLatency is in microseconds (SageMaker developer guide,
        "Monitor with CloudWatch"). Where nothing answered, the sources differ on the server
        errors: it counts as one here. The latency is drawn from the seeded model, since wall time
        on a busy machine is noise, and is what the container's own counters tell of this answer.
        """
        with self._lock:
            for one in (answer, *answer.copies):
                self._put(one)

    def _put(self, answer: Answer) -> None:
        seconds = self._draw(answer)
        for name, value in (
            ("Invocations", 1.0),
            ("Invocation4XXErrors", float(400 <= answer.status < 500)),
            ("Invocation5XXErrors", float(answer.failed)),
            ("InvocationModelErrors", float(answer.status != 200)),
            ("ModelLatency", seconds * 1_000_000),
        ):
            self._store.put(
                NAMESPACE,
                name,
                {"EndpointName": self._endpoint, "VariantName": answer.variant},
                self._now(),
                value,
            )

    def _draw(self, answer: Answer) -> float:
        """Return what an answer took, in seconds, and let its container's counters tell it."""
        container = self._containers[answer.variant]
        spread = math.exp(self._random.gauss(0.0, SPREAD))
        seconds = container.slowdown * MEDIAN_SECONDS * spread
        if answer.status != UNANSWERED:
            container.durations.note(seconds)
        return seconds
