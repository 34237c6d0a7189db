"""The ledger's two kinds of item, as values: the lock of an endpoint and a rollout's records."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, Literal

from steelyard.rollout.policy import canonical

Phase = Literal["progressing", "aborting", "aborted", "promoted"]
Kind = Literal["requested", "measured", "decided", "acted"]

# A rollout in one of these phases holds the endpoint's lock.
ACTIVE: tuple[Phase, ...] = ("progressing", "aborting")


@dataclass(frozen=True)
class Lock:
    """
    Who drives an endpoint's weights, and how far the rollout is.

    `step` is the index in the policy's plan, -1 before the first; `asked_at` is when its weights
    were first asked for and `since` when they were verified (epoch seconds, None until then);
    `token` is the waiting bake's task token; `judge` the judge's state after its last fold and
    `policy` the rollout's policy, both as canonical JSON; `config` is the endpoint config that
    the rollout was started on; `seq` the sequence number of the next record.
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

    @classmethod
    def from_attributes(cls, attributes: Mapping[str, Any]) -> "Lock":
        """Return the lock that an item's attributes describe; attributes of others are ignored."""
        known = {field.name for field in fields(cls)}
        values = {name: value for name, value in attributes.items() if name in known}
        return cls(**values | {"others": tuple(values.get("others", ()))})


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


def record_key(rollout: str, seq: int) -> dict[str, str]:
    """Return the key of a rollout's record; keys sort as the records were written."""
    return {"pk": f"rollout#{rollout}", "sk": f"{seq:08d}"}
