"""Real handlers in AWS's own runtime client: results, errors, crashes and time-outs."""

import io
import json
import zipfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from steelyard.rehearsal.clock import Clock
from steelyard.rehearsal.functions import CannotStart, Function, Functions, Runtime

HANDLER = """
import os
import time

calls = 0


def handler(event, context):
    global calls
    calls += 1
    act = event.get("act")
    if act == "raise":
        raise ValueError("not like this")
    if act == "sleep":
        time.sleep(60)
    if act == "crash":
        print("the last words", flush=True)
        os._exit(7)
    if act == "leave":
        import socket
        socket.create_connection(("192.0.2.1", 443), 1)
    return {
        "event": event,
        "calls": calls,
        "arn": context.invoked_function_arn,
        "name": context.function_name,
        "version": context.function_version,
        "memory": context.memory_limit_in_mb,
        "remaining": context.get_remaining_time_in_millis(),
        "setting": os.environ.get("SETTING"),
        "astray": os.environ.get("AWS_ENDPOINT_URL_DYNAMODB"),
        "url": os.environ["AWS_ENDPOINT_URL"],
    }
"""
Made = Callable[..., Runtime]


def archive(source: str) -> bytes:
    content = io.BytesIO()
    with zipfile.ZipFile(content, "w") as code:
        code.writestr("app.py", source)
    return content.getvalue()


def function(source: str = HANDLER, **changes: Any) -> Function:
    fields: dict[str, Any] = {
        "arn": "arn:aws:lambda:eu-central-1:111122223333:function:f:1",
        "name": "f",
        "version": "1",
        "handler": "app.handler",
        "code": archive(source),
        "environment": {
            "SETTING": "ours",
            "AWS_ENDPOINT_URL_DYNAMODB": "https://dynamodb.example.com",
            "AWS_ENDPOINT_URL": "https://example.com",
        },
        "timeout_seconds": 60.0,
        "memory_mb": 512,
    }
    return Function(**fields | changes)


AWS = {"AWS_ENDPOINT_URL": "http://127.0.0.1:1", "AWS_REGION": "eu-central-1"}


@pytest.fixture
def made(tmp_path: Path) -> Iterator[Made]:
    runtimes: list[Runtime] = []

    def make(what: Function, grace_seconds: float = 30.0) -> Runtime:
        runtimes.append(Runtime(what, tmp_path, AWS, grace_seconds))
        return runtimes[-1]

    yield make
    for runtime in runtimes:
        runtime.close()


def ask(runtime: Runtime, **event: Any) -> Any:
    return json.loads(runtime.invoke(json.dumps(event).encode()).payload)


def test_a_handler_sees_its_event_its_context_and_its_own_environment(made: Made) -> None:
    runtime = made(function())

    # Its time is real, whatever the rehearsal's clock says.
    with Clock(1_800_000_000.0):
        answer = ask(runtime, act="say")

    assert answer["event"] == {"act": "say"}
    assert answer["arn"].endswith("function:f:1")
    assert (answer["name"], answer["version"], answer["memory"]) == ("f", "1", "512")
    assert 50_000 < answer["remaining"] <= 60_000
    assert answer["setting"] == "ours"


def test_a_function_cannot_be_led_to_another_aws(made: Made) -> None:
    runtime = made(function())

    answer = ask(runtime)
    left = runtime.invoke(b'{"act": "leave"}')

    assert (answer["url"], answer["astray"]) == ("http://127.0.0.1:1", None)
    assert left.error().startswith("LeftMachine")


def test_a_raised_error_is_a_failed_result_and_the_process_lives_on(made: Made) -> None:
    runtime = made(function())

    failed = runtime.invoke(b'{"act": "raise"}')

    assert failed.failed
    assert failed.error() == "ValueError: not like this"
    assert ask(runtime)["calls"] == 2


def test_a_crash_is_a_failed_result_and_the_next_event_gets_a_new_process(made: Made) -> None:
    runtime = made(function())

    failed = runtime.invoke(b'{"act": "crash"}')

    assert failed.failed
    assert failed.error() == "Runtime.ExitError: the last words"
    assert ask(runtime)["calls"] == 1


def test_a_handler_that_takes_too_long_is_killed_and_its_answer_reaches_nobody(made: Made) -> None:
    runtime = made(function(timeout_seconds=1.0), grace_seconds=1.0)
    runtime.wait_until_ready()

    failed = runtime.invoke(b'{"act": "sleep"}')

    assert failed.failed
    assert failed.error() == "Sandbox.Timedout: no answer in 1 s"
    assert ask(runtime)["event"] == {}


@pytest.mark.parametrize(
    ("source", "handler", "said"),
    [
        ("import nothing_of_that_name", "app.handler", "No module named 'nothing_of_that_name'"),
        (HANDLER, "app.absent", "Handler 'absent' missing on module 'app'"),
        ("def handler(:", "app.handler", "Syntax error"),
    ],
)
def test_a_handler_that_cannot_be_imported_is_named_with_the_cure(
    made: Made, source: str, handler: str, said: str
) -> None:
    runtime = made(function(source, handler=handler))

    with pytest.raises(CannotStart) as refusal:
        runtime.wait_until_ready()

    message = str(refusal.value)
    assert message.startswith(f"function f: handler {handler} cannot be imported: ")
    assert said in message
    assert message.endswith("mend it, then synthesise again")


def test_each_version_has_one_process(tmp_path: Path) -> None:
    functions = Functions(tmp_path, AWS)
    first = functions.start(function())
    second = functions.start(function(version="2"))
    functions.wait_until_ready()

    assert functions.start(function()) is first
    assert [ask(first)["calls"], ask(second)["calls"]] == [1, 1]
    functions.close()
