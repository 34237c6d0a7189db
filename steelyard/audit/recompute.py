"""Recompute each verdict of a rollout from what was stored, by the judge's own fold."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from steelyard.audit.reading import Difference, policy_of
from steelyard.rollout import judge
from steelyard.rollout.counters import Measurement
from steelyard.rollout.judge import State
from steelyard.rollout.ledger import Record
from steelyard.rollout.policy import Policy, canonical
from steelyard.rollout.verdict import Verdict

IN_FORCE = ("set weights", "weights are in force")
"""Actor and reason of the record that says that a step's bake begins."""


class Bake(NamedTuple):
    """Which step bakes, and since when (epoch seconds)."""

    step: int
    since: float


def differences(records: Sequence[Record]) -> Iterator[Difference]:
    """
    Yield each verdict whose canonical JSON is not, byte for byte, what was stored.

    A record that cannot be folded is the last one yielded. Raises Unreadable without a policy.
    """
    policy = policy_of(records)
    state, bake = judge.start(policy), None
    for record in records:
        bake = begun(record) or bake
        try:
            state = _after(policy, state, bake, record)
            text = _recomputed(policy, state, record)
        except ValueError as error:  # a step out of turn, histograms of another length
            yield Difference(record.seq, record.kind, record.to_json(), f"no state: {error}")
            return
        if text is not None and text != stored(record):
            yield Difference(record.seq, "verdict", stored(record), text)


def begun(record: Record) -> Bake | None:
    """Return the bake that begins with a record: its weights are in force, or it was resumed."""
    is_begin = record.kind == "acted" and (
        (record.actor, record.reason) == IN_FORCE or record.body.get("order") == "resume"
    )
    return Bake(record.step, record.at) if is_begin and record.step >= 0 else None


def stored(record: Record) -> str:
    """Return the verdict and the evidence that a record holds, as canonical JSON."""
    return canonical({name: record.body.get(name) for name in ("verdict", "evidence")})


def _after(policy: Policy, state: State, bake: Bake | None, record: Record) -> State:
    """Return the state after a record; a bake is entered at the tick that first sees it."""
    if record.kind not in ("measured", "decided"):
        return state
    if bake is not None:
        state = judge.enter(policy, state, bake.step, bake.since)
    if record.kind == "decided":
        return state
    return judge.fold(policy, state, Measurement.from_dict(record.body))


def _recomputed(policy: Policy, state: State, record: Record) -> str | None:
    """Return the verdict that the state gives, as it is stored; None where none was asked for."""
    if record.kind != "decided":
        return None
    found: Verdict = judge.verdict(policy, state, record.at)
    return canonical({"verdict": found.to_dict(), "evidence": found.evidence})
