"""The ledger's two kinds of item, as values: the lock of an endpoint and a rollout's records."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

from steelyard.rollout.conduct import Gate
from steelyard.rollout.policy import canonical

Phase = Literal["progressing", "paused", "aborting", "aborted", "promoted", "passed"]
Run = Literal["rollout", "shadow"]
Kind = Literal["requested", "measured", "decided", "acted"]

# A rollout in one of these phases holds the endpoint's lock.
ACTIVE: tuple[Phase, ...] = ("progressing", "paused", "aborting")
# In one of these it may have weight, and can still be aborted.
UNDER_WAY: tuple[Phase, ...] = ("progressing", "paused")


@dataclass(frozen=True)
class Lock:
    """
    Who drives an endpoint's weights, and how far the rollout is.

    `kind` says what holds it: a rollout, or a shadow run, whose challenger gets copies of requests
    and no client's traffic; `passed` is the evidence of the newest shadow run that passed.
    `step` is the index in the policy's plan, -1 before the first; `asked_at` is when its weights
    were first asked for and `since` when they were verified (epoch seconds, None until then);
    `token` is the waiting bake's task token; `judge` the judge's state after its last fold and
    `policy` the rollout's policy, both as canonical JSON; `config` is the endpoint config that
    the rollout was started on; `seq` the sequence number of the next record; `began_at` is when the
    lock was taken and `deadline` when the rollout must have ended; `lease_until` is when the
    challenger's weight expires unless somebody who drives the rollout renews it (None before its
    first weight); `gate` is what a person is waited for; `approved` is what was approved, a gate or
    the number of an undecided step; `pause_until` is when a pause ends in an abort; `suspended`
    names the variants whose scaling the rollout holds; while it aborts, `home_at` is when all
    weight was first seen at home and `page_at` when a person is told that it cannot come there.
    """

    endpoint: str
    rollout: str
    generation: int
    phase: Phase
    champion: str
    challenger: str
    others: tuple[str, ...]
    policy: str
    seq: int
    step: int = -1
    config: str | None = None
    asked_at: float | None = None
    since: float | None = None
    token: str | None = None
    judge: str | None = None
    reason: str | None = None
    began_at: float = 0.0
    deadline: float | None = None
    lease_until: float | None = None
    gate: Gate | None = None
    approved: tuple[str, ...] = ()
    pause_until: float | None = None
    suspended: tuple[str, ...] = ()
    home_at: float | None = None
    page_at: float | None = None
    kind: Run = "rollout"
    passed: str | None = None

    @property
    def moved(self) -> bool:
        """Whether a weight of the challenger's was asked for: a shadow run never asks for one."""
        return self.kind == "rollout" and self.step >= 0

    @classmethod
    def from_attributes(cls, attributes: Mapping[str, Any]) -> "Lock":
        """Return the lock that an item's attributes describe; attributes of others are ignored."""
        known = {field.name for field in fields(cls)}
        values = {name: value for name, value in attributes.items() if name in known}
        lists = {
            name: tuple(values.get(name) or ()) for name in ("others", "approved", "suspended")
        }
        return cls(**values | lists)


@dataclass(frozen=True)
class Claim:
    """A deploy of a stack that holds rollouts off until `until` (epoch seconds)."""

    stack: str
    hash: str
    until: float


@dataclass(frozen=True)
class Record:
    """One append-only line of a rollout's history; `at` is in epoch seconds."""

    seq: int
    at: float
    kind: Kind
    actor: str
    step: int
    weights: Mapping[str, int]
    reason: str
    body: Mapping[str, Any]

    def to_json(self) -> str:
        """Return the record as canonical JSON, the same bytes on every machine."""
        return canonical({"schema": 1} | vars(self) | {"weights": dict(self.weights)})


def lock_key(endpoint: str) -> dict[str, str]:
    """Return the key of an endpoint's lock."""
    return {"pk": f"lock#{endpoint}", "sk": "lock"}


def claim_key(endpoint: str) -> dict[str, str]:
    """Return the key of the item by which a deploy of an endpoint's stacks holds rollouts off."""
    return {"pk": f"lock#{endpoint}", "sk": "deploy"}


def record_key(rollout: str, seq: int) -> dict[str, str]:
    """Return the key of a rollout's record; keys sort as the records were written."""
    return {"pk": f"rollout#{rollout}", "sk": f"{seq:08d}"}
