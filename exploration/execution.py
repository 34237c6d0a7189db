"""One execution of a state machine, as a value: where it stands and what it waits for."""

from dataclasses import dataclass, replace
from typing import Any


@dataclass(frozen=True, slots=True)
class Frame:
    """Where a Map stands: its state, its input, its items, how far it is, and what it has made."""

    state: str
    data: str
    items: str
    index: int
    made: tuple[str, ...]
    retries: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Call:
    """What an execution asks for: a Lambda by its handler, or an AWS call of its own."""

    handler: str
    event: str
    is_heard: bool = True


@dataclass(frozen=True, slots=True)
class Execution:
    """
    One execution of a state machine.

    `waits` says for what: "call", "wait", "retry", "token", or "" once it has ended; `until` ends
    a wait, a retry's pause and a token's time limit, `beat_until` a token's heartbeat; `retries`
    counts by retrier what the present state used up.
    """

    name: str
    machine: str
    given: str
    began_at: float
    status: str = "RUNNING"
    state: str = ""
    data: str = "{}"
    entered_at: float = 0.0
    frames: tuple[Frame, ...] = ()
    retries: tuple[int, ...] = ()
    waits: str = ""
    until: float | None = None
    beat_until: float | None = None
    token: str | None = None
    error: str | None = None
    cause: str | None = None

    @property
    def due(self) -> float | None:
        """When time itself takes the execution on; None when it never does."""
        found = [at for at in (self.until, self.beat_until) if at is not None]
        return min(found, default=None)


AT_WORK: dict[str, Any] = {"waits": "", "until": None, "beat_until": None, "token": None}
"""What an execution that waits for nothing says of its waiting."""


def stopped(execution: Execution) -> Execution:
    """Return an execution that somebody stopped."""
    return ended(execution, "ABORTED", None, None)


def ended(execution: Execution, status: str, error: str | None, cause: str | None) -> Execution:
    """Return the execution at its end."""
    return replace(execution, status=status, error=error, cause=cause, **AT_WORK)


def out_of_map(execution: Execution) -> Execution:
    """Return the execution at the Map around it."""
    *outer, frame = execution.frames
    return replace(
        execution,
        frames=tuple(outer),
        state=frame.state,
        data=frame.data,
        retries=frame.retries,
        **AT_WORK,
    )


def still(execution: Execution, waits: str, until: float, **changes: Any) -> Execution:
    """Return the execution at a stop of which a moment is the end."""
    return replace(execution, **{**AT_WORK, "waits": waits, "until": until, **changes})
