"""moto's state machines: on the virtual clock, and ended as Step Functions ends them."""

import datetime
import sys
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

from moto.core.exceptions import AWSError
from moto.core.responses import ActionResult, EmptyResult
from moto.stepfunctions.parser.api import ExecutionStatus, InvalidToken
from moto.stepfunctions.parser.backend.execution import BaseExecutionWorkerCommunication, Execution
from moto.stepfunctions.parser.models import stepfunctions_parser_backends
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


def install(changed: Callable[[Execution], None]) -> None:
    """Mend what moto does otherwise; `changed` is told each new status of an execution."""
    global _changed
    _changed = changed
    for answer in (send_task_failure, send_task_heartbeat, send_task_success, stop_execution):
        replace(StepFunctionResponse, answer)
    replace(Execution, stop)
    replace(Execution, start)
    replace(BaseExecutionWorkerCommunication, terminated)


class Closed(AWSError):
    """A word came for a task that waits no more."""

    TYPE = "TaskTimedOut"
    STATUS = 400

    def __init__(self) -> None:
        super().__init__("Task Timed Out: the task has already been closed")


def _nobody(_execution: Execution) -> None:
    """Tell nobody."""


_changed = _nobody
_start = Execution.start
_reflect: Callable[[Any], None] = BaseExecutionWorkerCommunication._reflect_execution_status


def status(account: str, region: str, arn: str) -> str:
    """Return the status of an execution, without a request."""
    execution: Any = stepfunctions_parser_backends[account][region].describe_execution(arn)
    return str(execution.exec_status.value)


def send_task_failure(response: StepFunctionResponse) -> ActionResult:
    """SendTaskFailure, with its cause, which moto drops."""
    error, cause = map(response._get_param, ("error", "cause"))
    return _tell(response, "send_task_failure", error=error, cause=cause)


def send_task_success(response: StepFunctionResponse) -> ActionResult:
    """SendTaskSuccess."""
    return _tell(response, "send_task_success", outcome=response._get_param("output"))


def send_task_heartbeat(response: StepFunctionResponse) -> ActionResult:
    """SendTaskHeartbeat."""
    return _tell(response, "send_task_heartbeat")


def _tell(response: StepFunctionResponse, what: str, **words: Any) -> ActionResult:
    """
    Give a task its word.

    moto calls the token of a task that is closed an invalid one, and lets a word of failure reach
    an execution that was stopped; for Step Functions it "has already been closed" (botocore,
    TaskTimedOut).
    """
    token = response._get_param("taskToken")
    # The interpreter's backend takes a cause; the type it inherits from does not.
    backend: Any = response.stepfunction_backend
    if not _waits(backend, token):
        raise Closed
    try:
        getattr(backend, what)(token, **words)
    except InvalidToken as error:
        raise Closed from error
    return EmptyResult()


def _waits(backend: Any, token: str) -> bool:
    running = backend._get_executions(ExecutionStatus.RUNNING)
    return any(one.exec_worker.env.callback_pool_manager.get(token) is not None for one in running)


def stop_execution(response: StepFunctionResponse) -> ActionResult:
    """StopExecution, with its error and cause, which moto drops."""
    arn, error, cause = map(response._get_param, ("executionArn", "error", "cause"))
    execution: Any = response.stepfunction_backend.describe_execution(arn)
    stop(execution, datetime.datetime.now(datetime.UTC), error, cause)
    return ActionResult({"stopDate": execution.stop_date})


def start(execution: Execution) -> None:
    """Say that the execution runs, and start it: it may have ended before `_start` returns."""
    execution.exec_status = ExecutionStatus.RUNNING
    _changed(execution)
    _start(execution)


def stop(
    execution: Execution, stop_date: datetime.datetime, error: str | None, cause: str | None
) -> None:
    """End the execution at once, where moto waits for the task it is in."""
    if execution.exec_status != ExecutionStatus.RUNNING:
        return
    execution.exec_status = ExecutionStatus.ABORTED
    execution.stop_date, execution.error, execution.cause = stop_date, error, cause
    worker: Any = execution.exec_worker
    worker.stop(stop_date=stop_date, cause=cause, error=error)
    _changed(execution)


def terminated(communication: BaseExecutionWorkerCommunication) -> None:
    """Take the status in which the interpreter ended, unless the execution was stopped before."""
    if communication.execution.exec_status == ExecutionStatus.RUNNING:
        _reflect(communication)
        _changed(communication.execution)


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
