"""
A steppable interpreter for the states that our state machine uses, as values.

An execution stands still where it waits: for a call's answer, for a moment, or for a token. Each
function here takes it on from there, until it stands still again.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from exploration.execution import AT_WORK, Call, Execution, Frame, ended, out_of_map, still
from exploration.expressions import CannotPlay
from exploration.paths import NoSuchPath, chosen, fill, look, place
from exploration.values import frozen, iso, thawed

Definition = Mapping[str, Any]

_KNOWN = {
    *("Type", "Comment", "Next", "End", "Resource", "Parameters", "ResultSelector", "ResultPath"),
    *("Retry", "Catch", "HeartbeatSeconds", "TimeoutSeconds", "TimeoutSecondsPath", "Choices"),
    *("Default", "Seconds", "ItemsPath", "ItemSelector", "MaxConcurrency", "ItemProcessor"),
    *("ErrorPath", "CausePath", "Error", "Cause", "OutputPath"),
}
_LAMBDA = "arn:aws:states:::lambda:invoke"
_SDK = re.compile(r"arn:aws:states:::aws-sdk:(\w+):(\w+?)(\.waitForTaskToken)?")
# The optimised names of services in errors; others are capitalised.
_SERVICES = {"dynamodb": "DynamoDb", "sagemaker": "SageMaker"}


Step = tuple[Execution, Call | None]


@dataclass(frozen=True)
class Machine:
    """A state machine: its definition, and the Lambdas by the names it calls them."""

    name: str
    definition: Definition

    def begin(self, execution: str, given: Any, now: float) -> Step:
        """Return a new execution at its first stop, and what it asks for there."""
        fresh = Execution(execution, self.name, frozen(given), now)
        return self._enter(fresh, self.definition["StartAt"], given, now)

    def returned(self, execution: Execution, result: Any, now: float) -> Step:
        """Take an execution on whose call was answered, or whose token succeeded."""
        if execution.waits == "call" and self._wants_token(execution):
            return replace(execution, waits="token"), None
        if execution.waits == "call" and self._state(execution)["Resource"] == _LAMBDA:
            result = {"Payload": result}
        return self._done(execution, result, now)

    def failed(self, execution: Execution, error: str, cause: str, now: float) -> Step:
        """Take an execution on whose call or token failed: retry, catch, or end."""
        state = self._state(execution)
        retriers = state.get("Retry", [])
        for index, retrier in enumerate(retriers):
            if not _matches(retrier["ErrorEquals"], error):
                continue
            counts = execution.retries or (0,) * len(retriers)
            if counts[index] >= retrier.get("MaxAttempts", 3):
                break
            pause = (
                retrier.get("IntervalSeconds", 1) * retrier.get("BackoffRate", 2) ** counts[index]
            )
            spent = tuple(n + (i == index) for i, n in enumerate(counts))
            return still(execution, "retry", now + pause, retries=spent), None
        for catcher in state.get("Catch", []):
            if _matches(catcher["ErrorEquals"], error):
                caught = {"Error": error, "Cause": cause}
                data = place(catcher.get("ResultPath", "$"), thawed(execution.data), caught)
                return self._enter(execution, catcher["Next"], data, now)
        if execution.frames:
            return self.failed(out_of_map(execution), error, cause, now)
        return ended(execution, "FAILED", error, cause), None

    def time(self, execution: Execution, now: float) -> Step:
        """Take an execution on whose moment has come."""
        if execution.waits == "wait":
            return self._done(execution, thawed(execution.data), now)
        if execution.waits == "retry":
            return self._work(execution, thawed(execution.data), now)
        is_beat = execution.beat_until is not None and now >= execution.beat_until
        return self.failed(
            execution, "States.HeartbeatTimeout" if is_beat else "States.Timeout", "", now
        )

    def redriven(self, execution: Execution, now: float) -> Step:
        """Take an execution that was stopped up again, at the state that it was in."""
        running = replace(execution, status="RUNNING", error=None, cause=None)
        return self._enter(running, execution.state, thawed(execution.data), now)

    def beat(self, execution: Execution, now: float) -> Execution:
        """Return the execution with a new heartbeat of its token."""
        seconds = self._state(execution).get("HeartbeatSeconds")
        return execution if seconds is None else replace(execution, beat_until=now + seconds)

    def _scope(self, execution: Execution) -> Mapping[str, Any]:
        states: Mapping[str, Any] = self.definition["States"]
        for frame in execution.frames:
            states = states[frame.state]["ItemProcessor"]["States"]
        return states

    def _state(self, execution: Execution) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self._scope(execution)[execution.state]
        if foreign := set(found) - _KNOWN:
            raise CannotPlay(f"state {execution.state} has {sorted(foreign)}")
        return found

    def _enter(self, execution: Execution, name: str, data: Any, now: float) -> Step:
        there = replace(
            execution, state=name, data=frozen(data), entered_at=now, retries=(), **AT_WORK
        )
        return self._work(there, data, now)

    def _work(self, execution: Execution, data: Any, now: float) -> Step:
        # A retry does not enter the state anew: its EnteredTime stays what it was.
        execution = replace(execution, **AT_WORK)
        state = self._state(execution)
        kind = state["Type"]
        try:
            if kind == "Task":
                return self._task(execution, state, data, now)
            if kind == "Map":
                return self._map(execution, state, data, now)
            if kind == "Choice":
                rules = (r for r in state["Choices"] if chosen(r, data, self._context(execution)))
                found = next(rules, None)
                to = state["Default"] if found is None else found["Next"]
                return self._enter(execution, to, data, now)
            if kind == "Fail":
                return ended(execution, "FAILED", *_failure(state, data)), None
        except NoSuchPath as error:
            # A path that leads nowhere is not caught by States.ALL: the execution fails.
            return ended(execution, "FAILED", "States.Runtime", str(error)), None
        if kind == "Wait":
            return still(execution, "wait", now + state["Seconds"]), None
        if kind == "Succeed":
            return ended(execution, "SUCCEEDED", None, None), None
        raise CannotPlay(f"state {execution.state} is a {kind}")

    def _task(self, execution: Execution, state: Definition, data: Any, now: float) -> Step:
        token = f"{execution.name}/{execution.state}/{now:.0f}/{sum(execution.retries)}"
        context = self._context(execution) | {"Task": {"Token": token}}
        params = fill(state.get("Parameters", {}), data, context)
        if state["Resource"] == _LAMBDA:
            call = Call(params["FunctionName"], frozen(params["Payload"]))
            return replace(execution, waits="call"), call
        found = _SDK.fullmatch(state["Resource"])
        if found is None:
            raise CannotPlay(f"resource {state['Resource']} is not known")
        operation = re.sub(r"([A-Z])", lambda m: f"_{m[1].lower()}", found[2])
        call = Call("sdk", frozen({"service": found[1], "operation": operation, "params": params}))
        asking = replace(execution, waits="call")
        return (self._with_token(asking, state, data, token, now) if found[3] else asking), call

    def _with_token(
        self, execution: Execution, state: Definition, data: Any, token: str, now: float
    ) -> Execution:
        limit = state.get("TimeoutSeconds")
        if (path := state.get("TimeoutSecondsPath")) is not None:
            limit = look(path, data, self._context(execution))
        beat = state.get("HeartbeatSeconds")
        return replace(
            execution,
            token=token,
            until=None if limit is None else now + limit,
            beat_until=None if beat is None else now + beat,
        )

    def _wants_token(self, execution: Execution) -> bool:
        return bool(self._state(execution)["Resource"].endswith(".waitForTaskToken"))

    def _map(self, execution: Execution, state: Definition, data: Any, now: float) -> Step:
        items = look(state.get("ItemsPath", "$"), data, {})
        if state.get("MaxConcurrency") != 1:
            raise CannotPlay("a Map that runs items side by side is not known")
        if not items:
            return self._done(execution, [], now)
        frame = Frame(execution.state, execution.data, frozen(items), 0, (), execution.retries)
        inside = replace(execution, frames=(*execution.frames, frame))
        return self._item(inside, state, now)

    def _item(self, execution: Execution, state: Definition, now: float) -> Step:
        frame = execution.frames[-1]
        value = thawed(frame.items)[frame.index]
        context = self._context(execution) | {
            "Map": {"Item": {"Index": frame.index, "Value": value}}
        }
        given = value
        if "ItemSelector" in state:
            given = fill(state["ItemSelector"], thawed(frame.data), context)
        return self._enter(execution, state["ItemProcessor"]["StartAt"], given, now)

    def _done(self, execution: Execution, result: Any, now: float) -> Step:
        state = self._state(execution)
        data = thawed(execution.data)
        try:
            if "ResultSelector" in state:
                result = fill(state["ResultSelector"], result, self._context(execution))
        except NoSuchPath as error:
            return ended(execution, "FAILED", "States.Runtime", str(error)), None
        after = place(state.get("ResultPath", "$"), data, result)
        after = look(state.get("OutputPath", "$"), after, {})
        if not state.get("End"):
            return self._enter(execution, state["Next"], after, now)
        if not execution.frames:
            return ended(execution, "SUCCEEDED", None, None), None
        return self._next_item(execution, after, now)

    def _next_item(self, execution: Execution, made: Any, now: float) -> Step:
        *outer, frame = execution.frames
        made_all = (*frame.made, frozen(made))
        around = out_of_map(execution)
        if len(made_all) == len(thawed(frame.items)):
            return self._done(around, [thawed(text) for text in made_all], now)
        further = replace(frame, index=frame.index + 1, made=made_all)
        inside = replace(execution, frames=(*outer, further))
        return self._item(inside, self._state(around), now)

    def _context(self, execution: Execution) -> dict[str, Any]:
        return {
            "Execution": {
                "Name": execution.name,
                "Id": f"arn:aws:states:::execution:{self.name}:{execution.name}",
                "Input": thawed(execution.given),
                "StartTime": iso(execution.began_at),
            },
            "State": {"EnteredTime": iso(execution.entered_at), "Name": execution.state},
        }


def sdk_error(service: str, code: str) -> str:
    """Return what an SDK integration calls a service's error."""
    name = code if code.endswith("Exception") else f"{code}Exception"
    return f"{_SERVICES.get(service, service.title())}.{name}"


def _matches(patterns: list[str], error: str) -> bool:
    if error == "States.Runtime":
        return False
    is_timeout = error == "States.HeartbeatTimeout" and "States.Timeout" in patterns
    is_task = "States.TaskFailed" in patterns and error not in ("States.Timeout",)
    return "States.ALL" in patterns or error in patterns or is_timeout or is_task


def _failure(state: Definition, data: Any) -> tuple[str | None, str | None]:
    error, cause = state.get("Error"), state.get("Cause")
    if "ErrorPath" in state:
        error = look(state["ErrorPath"], data, {})
    if "CausePath" in state:
        cause = look(state["CausePath"], data, {})
    return error, cause
