"""The serving container as a process: it serves, it fails on command, it dies, it says why."""

import io
import json
import tarfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from steelyard.rehearsal.containers import UNANSWERED, Container, ContainerFailed, start
from steelyard.rehearsal.faults import IMAGE, Fault, parse

ROOT = Path(__file__).resolve().parents[3]
MODEL = ROOT / "endpoints" / "tumour-classifier" / "v1-0-0"
HELD_OUT = ROOT / "endpoints" / "tumour-classifier" / "heldout.csv"
Serve = Callable[..., Container]


def archive(folder: Path) -> bytes:
    content = io.BytesIO()
    with tarfile.open(fileobj=content, mode="w:gz") as tar:
        for path in sorted(folder.iterdir()):
            tar.add(path, path.name)
    return content.getvalue()


def body(number: int = 0) -> bytes:
    lines = HELD_OUT.read_text("utf-8").splitlines()
    names, values = (line.split(",") for line in (lines[0], lines[1 + number]))
    row = {name: float(value) for name, value in zip(names, values, strict=True)}
    del row["label"]
    return json.dumps(row).encode()


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Serve]:
    started: list[Container] = []

    def begin(image: Any = IMAGE, content: bytes | None = None) -> Container:
        artefact = archive(MODEL) if content is None else content
        environment = {"STEELYARD_VARIANT": "v1-0-0"}
        started.append(start("v1-0-0", artefact, environment, tmp_path / "here", image))
        return started[-1]

    yield begin
    for container in started:
        container.close()


def errors(container: Container, count: int) -> int:
    return sum(container.invoke(body()).status >= 500 for _ in range(count))


def scores(container: Container) -> list[float]:
    replies = [container.invoke(body(number)) for number in range(6)]
    return [json.loads(reply.body)["predictions"][0]["score"] for reply in replies]


def fault(text: str) -> Fault:
    return parse(text, (50, 100))


def test_it_serves_the_artefact_and_counts(serve: Serve) -> None:
    container = serve()
    container.wait_until_ready()

    reply = container.invoke(body())

    assert (reply.status, reply.headers["content-type"]) == (200, "application/json")
    assert 0 <= json.loads(reply.body)["predictions"][0]["score"] <= 1
    assert "requests" in (container.metrics() or "")


def test_half_of_the_requests_fail_from_the_signal_on_and_none_before(serve: Serve) -> None:
    half = fault("errors=50%")
    container = serve(half.command())
    container.wait_until_ready()

    before = errors(container, 60)
    half.strike(container)
    after = errors(container, 200)

    assert before == 0
    assert 70 < after < 130
    assert container.process.poll() is None


def test_from_the_signal_on_every_row_gets_the_same_score_and_none_before(serve: Serve) -> None:
    constant = fault("constant-output")
    container = serve(constant.command())
    container.wait_until_ready()

    before = scores(container)
    constant.strike(container)
    after = scores(container)

    assert len(set(before)) > 1
    assert len(set(after)) == 1


def test_one_container_can_have_several_faults_whichever_it_was_started_for(serve: Serve) -> None:
    some, constant = fault("errors=50%"), fault("constant-output")
    container = serve(constant.command())
    container.wait_until_ready()

    some.strike(container)
    constant.strike(container)

    replies = [container.invoke(body(number)) for number in range(40)]
    sound = {json.loads(it.body)["predictions"][0]["score"] for it in replies if it.status == 200}
    assert 8 < sum(reply.status >= 500 for reply in replies) < 32
    assert len(sound) == 1


def test_a_slow_container_is_slow_by_the_model_only_and_answers_as_ever(serve: Serve) -> None:
    container = serve()
    container.wait_until_ready()
    before = scores(container)

    fault("latency=x3").strike(container)

    assert container.slowdown == 3.0
    assert scores(container) == before


def test_a_dead_container_answers_nothing(serve: Serve) -> None:
    container = serve()
    container.wait_until_ready()

    fault("dead").strike(container)

    assert container.invoke(body()).status == UNANSWERED
    assert container.metrics() is None


def test_one_that_cannot_serve_its_model_says_why(serve: Serve, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    container = serve(content=archive(tmp_path / "empty"))

    with pytest.raises(ContainerFailed, match=r"container of v1-0-0 did not come up: .*model"):
        container.wait_until_ready()


def test_it_is_gone_when_it_is_closed(serve: Serve) -> None:
    container = serve()
    container.wait_until_ready()

    container.close()

    assert container.process.poll() is not None
    assert container.invoke(body()).status == UNANSWERED


def test_it_does_not_outlive_whoever_started_it(serve: Serve) -> None:
    container = serve()
    container.wait_until_ready()
    assert container.process.stdin is not None

    container.process.stdin.close()

    end = time.monotonic() + 30
    while container.process.poll() is None and time.monotonic() < end:
        time.sleep(0.02)
    assert container.process.poll() is not None
