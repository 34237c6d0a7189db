"""
Faults put into the handlers on purpose: what a careless change could do, and who must notice.

Each is a context in which the real handlers run with one thing wrong. The exploration must find it,
by the invariant that is named, from the scene that is named.
"""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any
from unittest import mock

from exploration.world import OTHER
from lambdas import operate
from lambdas.aws import Bakes, Endpoint, Ledger
from steelyard.rollout.ledger import ACTIVE, Lock, Record
from steelyard.rollout.watch import Action, watch
from steelyard.rollout.weights import home

_BLIND = (*ACTIVE, "aborted")


@dataclass(frozen=True)
class Fault:
    """What is exchanged, by its dotted name; and where, with which events and how deep to look."""

    exchanged: Mapping[str, Any]
    invariant: str
    scene: str
    events: tuple[str, ...]
    depth: int = 8

    def seeded(self) -> ExitStack:
        """Return the context in which the fault is there."""
        stack = ExitStack()
        for name, value in self.exchanged.items():
            stack.enter_context(mock.patch(name, value))
        return stack


def _shift_before_mark(ledger: Ledger, *given: Any) -> Any:
    lock = ledger.read()
    if lock is not None:
        Endpoint(lock.endpoint).shift(home(lock.champion, (lock.challenger, *lock.others)))
    return _MARK(ledger, *given)


def _ask_in_a_pause(_ledger: Ledger, lock: Lock, _now: float) -> None:
    weights = {lock.champion: 90, lock.challenger: 10, **dict.fromkeys(lock.others, 0)}
    Endpoint(lock.endpoint).shift(weights)


def _without_lease(ledger: Ledger, lock: Lock, records: Sequence[Record], **changes: Any) -> None:
    kept = {name: value for name, value in changes.items() if name != "lease_until"}
    _APPEND(ledger, lock, records, **kept)


def _without_condition(ledger: Ledger, items: list[dict[str, Any]]) -> None:
    for item in items:
        if "Put" in item and item["Put"]["Item"]["pk"]["S"].startswith("lock#"):
            item["Put"] = {name: item["Put"][name] for name in ("TableName", "Item")}
    _TRANSACT(ledger, items)


def _taken_back(_lock: Lock, _now: float) -> operate.Effect:
    return operate.Effect("resumed", {"phase": "progressing", "pause_until": None})


def _unchecked(ledger: Ledger) -> dict[str, Any]:
    check = _NO_ROLLOUT(ledger)
    check["ConditionCheck"] |= {
        "ConditionExpression": "attribute_not_exists(nothing)",
    }
    del check["ConditionCheck"]["ExpressionAttributeNames"]
    del check["ConditionCheck"]["ExpressionAttributeValues"]
    return check


def _never(*_given: Any) -> tuple[str, ...]:
    return ()


def _heard(_bakes: Bakes, token: str) -> bool:
    _HEARTBEAT(_bakes, token)
    return True


_MARK, _APPEND, _TRANSACT = Ledger.mark_aborting, Ledger.append, Ledger._transact
_NO_ROLLOUT, _HEARTBEAT = Ledger._no_rollout, Bakes.heartbeat


def _watch_without_resuming(*given: Any) -> Any:
    action = watch(*given)
    return Action("rest", "forgotten") if action.deed == "resume" else action


SEEDED: Mapping[str, Fault] = {
    "the ledger is marked after the weight call": Fault(
        {"lambdas.rollback.Ledger.mark_aborting": _shift_before_mark},
        "I1",
        "10 % is in force",
        ("alarm v2",),
        4,
    ),
    "no look at the phase before a weight is asked for": Fault(
        {"lambdas.set_weights.UNDER_WAY": _BLIND}, "I1", "10 % is asked for", ("abort",), 5
    ),
    "the lease is not written before the call": Fault(
        {"lambdas.set_weights.Ledger.append": _without_lease}, "I2", "it begins", (), 40
    ),
    "the suspension is not undone": Fault(
        {"lambdas.watchdog.watch": _watch_without_resuming}, "I4", "10 % is in force", (), 2
    ),
    "the scaling is not held": Fault(
        {"lambdas.prepare._hold": lambda _ledger, lock, *_: lock}, "I4", "it begins", (), 40
    ),
    "the judge renews the lease of a dead execution": Fault(
        {"lambdas.judge.Bakes.heartbeat": _heard}, "I2", "10 % is in force", ("kill machine",), 3
    ),
    "the watchdog ignores a paused rollout": Fault(
        {"steelyard.rollout.watch.UNDER_WAY": ("progressing",)},
        "I2",
        "10 % is judged",
        ("pause", "kill judge", "kill machine"),
        6,
    ),
    "rollback trusts a stale champion": Fault(
        {"lambdas.rollback.home": lambda _champion, others: home(OTHER, others)},
        "I1",
        "10 % is in force",
        ("alarm v2",),
        4,
    ),
    "rollback names only the champion": Fault(
        {"lambdas.rollback.home": lambda champion, _others: home(champion, ())},
        "I5",
        "10 % is in force",
        ("alarm v2",),
        4,
    ),
    "the lock is taken without a condition": Fault(
        {"lambdas.acquire.Ledger._transact": _without_condition},
        "I3",
        "two begin",
        ("start r2",),
        8,
    ),
    "an abort can be resumed": Fault(
        {
            "lambdas.operate.UNDER_WAY": _BLIND,
            "lambdas.operate.ORDERS": {**operate.ORDERS, "resume": _taken_back},
        },
        "I1",
        "10 % is in force",
        ("alarm v2", "resume"),
        6,
    ),
    "the guard does not look at the lock": Fault(
        {"lambdas.guard.ACTIVE": (), "lambdas.guard.Ledger._no_rollout": _unchecked},
        "I3",
        "10 % is in force",
        ("deploy c2",),
        8,
    ),
    "zero measurements count as success": Fault(
        {"steelyard.rollout.hold.missing": _never, "steelyard.rollout.hold.undecided": _never},
        "I9",
        "10 % is asked for",
        ("health unknown",),
        2,
    ),
    "a pause does not hold the weights": Fault(
        {"lambdas.set_weights._wait": _ask_in_a_pause},
        "I8",
        "10 % is asked for",
        ("pause", "maintain"),
        8,
    ),
    "an abort ends while a call may still be in flight": Fault(
        {"steelyard.rollout.watch._settle": lambda _lock, _now: Action("end", "at home")},
        "I1",
        "10 % is asked for",
        ("alarm v2", "abort", "stall"),
        11,
    ),
}
