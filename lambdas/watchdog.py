"""Watchdog: each minute, bring weights home that nobody answers for; it raises no challenger."""

import contextlib
from dataclasses import replace
from typing import Any

from lambdas.aws import (
    Bakes,
    Endpoint,
    EndpointBusy,
    EndpointGone,
    EndpointRefused,
    Ledger,
    LedgerConflict,
    LedgerUnreachable,
    Scaling,
    Topic,
)
from lambdas.event import epoch
from lambdas.setting import setting
from steelyard.rollout.ledger import Lock, Record
from steelyard.rollout.live import Live
from steelyard.rollout.watch import Action, hindered, watch
from steelyard.rollout.weights import home

# The judge and others write the ledger in the same minute: whoever loses looks again.
ATTEMPTS = 3


def handler(event: dict[str, Any], _context: object) -> dict[str, Any]:
    """
    Do what the ledger and the endpoint ask for as of the event's time.

    It needs neither the state machine nor the rollback Lambda, and finishes what they left. Returns
    the deed, its reason and whether, at rest, the endpoint differs from the ledger. Raises
    LedgerUnreachable and EndpointRefused: the next minute tries again.
    """
    now = epoch(event["time"])
    for _ in range(ATTEMPTS):
        # What was read may be old by the time it is acted on: each write is on condition of it.
        with contextlib.suppress(LedgerConflict):
            action = _Tick(now).act()
            return {"deed": action.deed, "reason": action.reason, "differs": action.differs}
    return {"deed": "wait", "reason": "others write the ledger", "differs": False}


class _Tick:
    """One look at ledger and endpoint, and what follows from it."""

    def __init__(self, now: float) -> None:
        self._now = now
        self._ledger = Ledger(setting("LEDGER"), setting("ENDPOINT"))
        self._endpoint = Endpoint(setting("ENDPOINT"))
        # The ledger first: weights that were raised after it was read change its number, too.
        self._lock = self._ledger.read()
        self._live = self._look()

    def _look(self) -> Live | None:
        try:
            return Live.from_description(self._endpoint.describe())
        except EndpointGone:
            return None

    def act(self) -> Action:
        """Do what is to be done, and return it."""
        action = watch(self._lock, self._live, self._now, setting("CHAMPION"))
        if action.deed == "mark" and self._lock is not None:
            self._mark(self._lock, action)
            return action
        try:
            if action.deed == "shift":
                return self._shift(action)
            if self._lock is not None:
                self._write(self._lock, action)
            return action
        finally:
            self._end_bake()

    def _end_bake(self) -> None:
        """Let nobody wait for a rollout that aborts: whoever marked it may have died since."""
        lock = self._lock
        if lock is not None and lock.phase == "aborting" and lock.token is not None:
            Bakes().fail(lock.token, "Aborted", lock.reason or "the rollout was aborted")

    def _write(self, lock: Lock, action: Action) -> None:
        """Do what begins with the ledger."""
        if action.deed == "note":
            self._record(lock, action, **action.changes)
        elif action.deed == "page":
            self._record(lock, action, **action.changes)
            self._tell("rollback needs a person", action.reason)
        elif action.deed == "end":
            self._record(lock, action, phase="aborted", token=None)
            self._tell("rollout has ended", action.reason)
        elif action.deed == "resume":
            for variant in lock.suspended:
                Scaling(lock.endpoint).resume(variant)
            self._record(lock, action, suspended=())

    def _mark(self, lock: Lock, action: Action) -> None:
        """Stop a rollout: the mark, the weights, and only then the rest."""
        reason = f"watchdog: {action.reason}"
        try:
            self._record(lock, action, phase="aborting", reason=reason)
        except LedgerUnreachable:
            self._go_home(lock)
            raise
        self._lock = replace(lock, phase="aborting", reason=reason, seq=lock.seq + 1)
        try:
            self.act()
        finally:
            self._tell("rollout aborted", reason)

    def _go_home(self, lock: Lock) -> None:
        """Send the weights home without a mark: the ledger was read and cannot be written."""
        if lock.moved and self._live is not None and lock.champion in self._live.weights:
            with contextlib.suppress(EndpointRefused):
                self._endpoint.shift(home(lock.champion, self._live.weights))

    def _shift(self, action: Action) -> Action:
        """Ask for the weights; say so afterwards."""
        try:
            self._endpoint.shift(action.weights)
        except EndpointBusy as busy:
            if self._lock is None or self._lock.phase != "aborting":
                return Action("wait", str(busy))
            action = hindered(self._lock, self._now, str(busy))
            self._write(self._lock, action)
            return action
        if self._lock is None or self._lock.phase != "aborting":
            self._tell("traffic given to the champion", action.reason)
            return action
        with contextlib.suppress(LedgerConflict):
            self._record(self._lock, action)
        return action

    def _record(self, lock: Lock, action: Action, **changes: Any) -> None:
        record = Record(
            seq=lock.seq,
            at=self._now,
            kind="acted",
            actor="watchdog",
            step=lock.step,
            weights=action.weights,
            reason=action.reason,
            body={"done": action.deed},
        )
        self._ledger.append(lock, [record], **changes)

    def _tell(self, what: str, why: str) -> None:
        Topic(setting("TOPIC")).tell(f"{self._endpoint.name}: {what}", why)
