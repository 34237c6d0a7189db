"""Requests by weight, and the native metrics that they leave."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass

import pytest

from steelyard.rehearsal.containers import UNANSWERED, Reply
from steelyard.rehearsal.metrics import MetricStore
from steelyard.rehearsal.router import Answer, Router


@dataclass
class Served:
    """A container that answers with what it got."""

    status: int

    def invoke(self, body: bytes, headers: Mapping[str, str]) -> Reply:
        return Reply(self.status, body, headers)


def router(shares: dict[str, float], store: MetricStore | None = None, seed: int = 7) -> Router:
    containers = {name: Served(200) for name in shares}
    return Router(
        "e",
        containers,  # type: ignore[arg-type]
        lambda: shares,
        lambda: 30.0,
        store if store is not None else MetricStore(),
        seed,
    )


def test_traffic_follows_the_weights() -> None:
    chooser = router({"a": 0.95, "b": 0.05})

    counts = Counter(chooser.choose() for _ in range(20_000))

    assert counts["b"] / 20_000 == pytest.approx(0.05, abs=0.005)


def test_a_variant_of_weight_zero_is_never_chosen() -> None:
    chooser = router({"a": 0.0, "b": 1.0, "c": 0.0})

    assert {chooser.choose() for _ in range(5_000)} == {"b"}


def test_the_same_seed_chooses_the_same_variants() -> None:
    def chosen(seed: int) -> list[str]:
        chooser = router({"a": 0.5, "b": 0.5}, seed=seed)
        return [chooser.choose() for _ in range(50)]

    assert chosen(1) == chosen(1)
    assert chosen(1) != chosen(2)


def test_an_answer_is_the_containers() -> None:
    sent = {"Content-Type": "text/csv"}

    assert router({"a": 1.0}).send("a", b"body", sent) == Answer("a", 200, b"body", sent)


@pytest.mark.parametrize(
    ("status", "client", "server", "model"),
    [
        (200, 0, 0, 0),
        (400, 1, 0, 1),
        (415, 1, 0, 1),
        (500, 0, 1, 1),
        (503, 0, 1, 1),
        (UNANSWERED, 0, 1, 1),
    ],
)
def test_metrics_tell_the_clients_mistakes_from_the_models_failures(
    status: int, client: int, server: int, model: int
) -> None:
    store = MetricStore()
    answer = Answer("a", status, b"")

    router({"a": 1.0}, store).record(answer)

    def total(name: str) -> float | None:
        dimensions = {"EndpointName": "e", "VariantName": "a"}
        return store.statistic("AWS/SageMaker", name, dimensions, "Sum", 0, 60)

    assert total("Invocations") == 1
    assert total("Invocation4XXErrors") == client
    assert total("Invocation5XXErrors") == server
    assert total("InvocationModelErrors") == model
    assert answer.failed is (server == 1)


def test_latency_is_in_microseconds_around_its_stated_median() -> None:
    store = MetricStore()
    recorder = router({"a": 1.0}, store)
    for _ in range(2_000):
        recorder.record(Answer("a", 200, b""))

    dimensions = {"EndpointName": "e", "VariantName": "a"}
    median = store.statistic("AWS/SageMaker", "ModelLatency", dimensions, "p50", 0, 60)

    assert median == pytest.approx(20_000, rel=0.05)
