"""Requests by weight, and the native metrics that they leave."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field

import pytest

from steelyard.rehearsal.containers import UNANSWERED, Reply
from steelyard.rehearsal.durations import BINS, Durations
from steelyard.rehearsal.metrics import MetricStore
from steelyard.rehearsal.router import Answer, Router


@dataclass
class Served:
    """A container that answers with what it got, and counts what took less than 20 ms, or not."""

    status: int
    slowdown: float = 1.0
    durations: Durations = field(default_factory=lambda: Durations([0.020], 1.0))

    def invoke(self, body: bytes, headers: Mapping[str, str]) -> Reply:
        return Reply(self.status, body, headers)


def router(
    shares: dict[str, float],
    store: MetricStore | None = None,
    seed: int = 7,
    containers: Mapping[str, Served] | None = None,
) -> Router:
    return Router(
        "e",
        containers or {name: Served(200) for name in shares},  # type: ignore[arg-type]
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


def latency(store: MetricStore, variant: str, statistic: str) -> float | None:
    dimensions = {"EndpointName": "e", "VariantName": variant}
    return store.statistic("AWS/SageMaker", "ModelLatency", dimensions, statistic, 0, 60)


def fast_and_slow(container: Served) -> tuple[float, float]:
    fast, slow = (container.durations.told(BINS, {"bin": name}, 0.0) for name in ("00", "01"))
    return fast, slow


def test_latency_is_in_microseconds_around_its_stated_median() -> None:
    store = MetricStore()
    recorder = router({"a": 1.0}, store)
    for _ in range(2_000):
        recorder.record(Answer("a", 200, b""))

    assert latency(store, "a", "p50") == pytest.approx(20_000, rel=0.05)


@pytest.mark.parametrize("status", [200, 422, 500, 503])
def test_what_an_answer_took_is_counted_by_its_container_as_in_the_native_metric(
    status: int,
) -> None:
    store = MetricStore()
    containers = {"a": Served(status), "b": Served(status)}
    recorder = router({"a": 1.0, "b": 1.0}, store, containers=containers)

    recorder.record(Answer("a", status, b""))

    took = latency(store, "a", "Maximum")
    assert took is not None
    assert fast_and_slow(containers["a"]) == ((1, 0) if took < 20_000 else (0, 1))
    assert fast_and_slow(containers["b"]) == (0, 0)


def test_a_request_that_nothing_answered_is_in_no_containers_counters() -> None:
    containers = {"a": Served(UNANSWERED)}

    router({"a": 1.0}, containers=containers).record(Answer("a", UNANSWERED, b""))

    assert fast_and_slow(containers["a"]) == (0, 0)


def test_a_slowed_container_takes_so_many_times_as_long_and_the_others_do_not() -> None:
    stores = [MetricStore(), MetricStore()]
    for store, slowdown in zip(stores, (1.0, 3.0), strict=True):
        containers = {"a": Served(200, slowdown), "b": Served(200)}
        recorder = router({"a": 0.5, "b": 0.5}, store, containers=containers)
        for variant in "abba":
            recorder.record(Answer(variant, 200, b""))

    usual, slowed = ({name: latency(store, name, "Sum") for name in "ab"} for store in stores)
    assert usual["a"] is not None
    assert slowed["a"] == pytest.approx(3 * usual["a"])
    assert slowed["b"] == usual["b"]


def test_a_shadow_answers_a_copy_that_nobody_is_given() -> None:
    store = MetricStore()
    containers = {"a": Served(200), "b": Served(500)}
    sender = Router(
        "e",
        containers,  # type: ignore[arg-type]
        lambda: {"a": 1.0},
        lambda: 30.0,
        store,
        7,
        lambda: ["b"],
    )

    answer = sender.send(sender.choose(), b"body")
    sender.record(answer)

    assert (answer.variant, answer.status, answer.failed) == ("a", 200, False)
    assert [(copy.variant, copy.status, copy.body) for copy in answer.copies] == [
        ("b", 500, b"body")
    ]
    of_shadow = {"EndpointName": "e", "VariantName": "b"}
    counted = {
        name: store.statistic("AWS/SageMaker", name, of_shadow, "Sum", 0, 60)
        for name in ("Invocations", "Invocation5XXErrors")
    }
    assert counted == {"Invocations": 1, "Invocation5XXErrors": 1}
    assert sum(fast_and_slow(containers["b"])) == 1
