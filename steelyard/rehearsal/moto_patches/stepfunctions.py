"""moto's state machines: on the virtual clock, and with the causes of failed tasks."""

import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from moto.core.responses import ActionResult, EmptyResult
from moto.stepfunctions.parser import models as _models  # noqa: F401  loads the interpreter
from moto.stepfunctions.responses import StepFunctionResponse

from steelyard.rehearsal.clock import Clock
from steelyard.rehearsal.moto_patches import replace

_INTERPRETER = "moto.stepfunctions.parser"


class _Instead:
    """A module with some of its names replaced."""

    def __init__(self, module: ModuleType, **names: Any) -> None:
        self._module = module
        vars(self).update(names)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


def install() -> None:
    """Let SendTaskFailure keep its cause, which moto drops."""

    def send_task_failure(response: StepFunctionResponse) -> ActionResult:
        token, error, cause = map(response._get_param, ("taskToken", "error", "cause"))
        # The interpreter's backend takes a cause; the type it inherits from does not.
        backend: Any = response.stepfunction_backend
        backend.send_task_failure(token, error=error, cause=cause)
        return EmptyResult()

    replace(StepFunctionResponse, send_task_failure)


@contextmanager
def on_clock(clock: Clock) -> Iterator[None]:
    """
    Let the interpreter's threads, waits, time-outs and heartbeats run on `clock`.

    The interpreter has no seam for this, so its modules' names for threading and time are exchanged
    while the context lasts.
    """
    instead = {
        threading: _Instead(threading, Thread=clock.Thread, Event=clock.Event),
        time: _Instead(time, sleep=clock.sleep),
        threading.Thread: clock.Thread,
        threading.Event: clock.Event,
    }
    exchanged: list[tuple[ModuleType, str, Any]] = []
    for name, module in list(sys.modules.items()):
        if not name.startswith(_INTERPRETER):
            continue
        for attribute, value in list(vars(module).items()):
            if isinstance(value, type | ModuleType) and value in instead:
                exchanged.append((module, attribute, value))
                setattr(module, attribute, instead[value])
    try:
        yield
    finally:
        for module, attribute, value in exchanged:
            setattr(module, attribute, value)
