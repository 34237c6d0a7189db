"""A rollout as a deployed judge lives through it, and what its ledger then holds."""

import json
from collections.abc import Callable
from typing import Any

from steelyard.rollout import judge
from steelyard.rollout.counters import Measurement
from steelyard.rollout.ledger import Record
from steelyard.rollout.policy import Policy
from steelyard.rollout.weights import weights
from tests.steelyard.rollout.sample import Traffic

BEGIN = 1_780_000_020  # 20 seconds into a minute: weights come into force when they do
Errors = Callable[[int], float]


def live(policy: Policy, errors: Errors) -> tuple[list[Record], list[tuple[int, str]]]:
    """
    Return the records of a rollout, and (epoch second, outcome) of each verdict.

    `errors` is the challenger's error rate by step. Ends when it aborts or is promoted.
    """
    traffic, state = Traffic(seed=4, per_minute=600), judge.start(policy)
    records: list[Record] = []
    verdicts: list[tuple[int, str]] = []

    def add(at: float, kind: Any, actor: str, step: int, reason: str, body: Any) -> None:
        shared = weights("v1", "v2", policy.plan()[step].weight)
        records.append(Record(len(records), at, kind, actor, step, shared, reason, body))

    now = float(BEGIN)
    for step, plan in enumerate(policy.plan()):
        add(now - 5, "acted", "set weights", step, f"asking for weight {plan.weight}", {})
        add(now, "acted", "set weights", step, "weights are in force", {})
        state = judge.enter(policy, state, step, now)
        minute, outcome = int(now) // 60, "continue"
        tick = 60 * (int(now) // 60)
        while outcome in ("continue", "pause"):
            tick += 60
            while minute <= judge.settled(policy, tick):
                measured = _minute(traffic, policy, minute, step, errors)
                add(tick, "measured", "judge", step, f"minute {minute}", measured.to_dict())
                state = judge.fold(policy, state, measured)
                minute += 1
            verdict = judge.verdict(policy, state, tick)
            outcome = verdict.outcome
            body = {"outcome": outcome, "evidence": verdict.evidence}
            add(tick, "decided", "judge", step, "; ".join(verdict.reasons), body)
            verdicts.append((tick, outcome))
        if outcome == "abort":
            add(tick + 9, "acted", "rollback", step, "judge: weights are home", {})
            break
        now = tick + 75.0
    return records, verdicts


def _minute(
    traffic: Traffic, policy: Policy, minute: int, step: int, errors: Errors
) -> Measurement:
    weight = policy.plan()[step].weight
    found = traffic.minute(minute, step, weight, (0.005, errors(step)))
    return found if weight < 100 else Measurement(minute, step, 100, None, found.challenger)


def items(records: list[Record], rollout: str = "r1") -> list[dict[str, Any]]:
    """Return the records as DynamoDB's items, the lock of the endpoint before them."""
    lock = {"pk": {"S": "lock#scales"}, "sk": {"S": "lock"}, "phase": {"S": "promoted"}}
    return [lock] + [
        {
            "pk": {"S": f"rollout#{rollout}"},
            "sk": {"S": f"{record.seq:08d}"},
            "record": {"S": record.to_json()},
        }
        for record in records
    ]


def exported(records: list[Record], rollout: str = "r1") -> str:
    """Return the records as an export of the table to S3 has them."""
    return "\n".join(json.dumps({"Item": item}) for item in items(records, rollout))
