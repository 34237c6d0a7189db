"""The ledger as the report tells it."""

import json
from typing import Any

import pytest

from steelyard.rehearsal import history
from steelyard.rehearsal.local_aws import LocalAws

KEYS = {"pk": "HASH", "sk": "RANGE"}


def record(seq: int, **changes: Any) -> dict[str, Any]:
    fields: dict[str, Any] = {
        "seq": seq,
        "at": 1_800_000_000.0 + 60 * seq,
        "kind": "acted",
        "actor": "set weights",
        "step": 0,
        "reason": f"reason {seq}",
        "body": {},
    }
    return fields | changes


@pytest.fixture
def table(aws: LocalAws) -> str:
    aws.client("dynamodb").create_table(
        TableName="ledger",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in KEYS.items()],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in KEYS],
    )
    return "ledger"


def write(aws: LocalAws, table: str, rollout: str, records: list[dict[str, Any]]) -> None:
    for entry in records:
        item = {
            "pk": {"S": f"rollout#{rollout}"},
            "sk": {"S": f"{entry['seq']:08d}"},
            "record": {"S": json.dumps(entry)},
        }
        aws.client("dynamodb").put_item(TableName=table, Item=item)


def test_records_come_in_their_order_with_virtual_times(aws: LocalAws, table: str) -> None:
    write(aws, table, "r", [record(10), record(2), record(0)])
    write(aws, table, "other", [record(1)])

    found = history.records(aws, table, "r")

    assert [entry["seq"] for entry in found] == [0, 2, 10]
    assert history.ledger_lines(found)[1] == {
        "seq": 2,
        "t_seconds": 120.0,
        "kind": "acted",
        "actor": "set weights",
        "reason": "reason 2",
    }


def test_a_long_history_is_read_to_its_end(aws: LocalAws, table: str) -> None:
    # A page of DynamoDB holds one megabyte.
    write(aws, table, "r", [record(seq, body={"x": "x" * 300_000}) for seq in range(8)])

    assert len(history.records(aws, table, "r")) == 8


def test_the_newest_verdict_is_the_last_record(aws: LocalAws, table: str) -> None:
    decided = record(1, kind="decided", actor="judge", body={"outcome": "continue"})
    write(aws, table, "r", [record(0), decided])

    assert history.newest_verdict(aws, table, {"rollout": "r", "seq": 2}) == (
        "continue",
        "reason 1",
    )
    write(aws, table, "r", [record(2, actor="rollback")])
    assert history.newest_verdict(aws, table, {"rollout": "r", "seq": 3}) == (
        "rollback",
        "reason 2",
    )


@pytest.mark.parametrize("lock", [{}, {"rollout": "unknown"}])
def test_before_the_first_verdict_there_is_none(
    aws: LocalAws, table: str, lock: dict[str, Any]
) -> None:
    assert history.newest_verdict(aws, table, lock) == ("", "")


def test_the_lock_is_read_plainly(aws: LocalAws, table: str) -> None:
    before = history.lock(aws, table, "e")
    item = {"pk": {"S": "lock#e"}, "sk": {"S": "lock"}, "step": {"N": "2"}, "rollout": {"S": "r"}}
    aws.client("dynamodb").put_item(TableName=table, Item=item)

    assert before == {}
    assert history.lock(aws, table, "e") == {
        "pk": "lock#e",
        "sk": "lock",
        "step": "2",
        "rollout": "r",
    }


def test_only_verdicts_are_decisions() -> None:
    body = {"outcome": "abort", "evidence": {"errors": 300.0}}
    decided = record(1, kind="decided", actor="judge", reason="a; b", body=body, t_seconds=60.0)

    assert history.decisions([record(0), decided]) == [
        {
            "t_seconds": 60.0,
            "step": 0,
            "outcome": "abort",
            "reasons": ["a", "b"],
            "evidence": {"errors": 300.0},
        }
    ]


@pytest.mark.parametrize(
    ("records", "ended"),
    [
        ([], (None, "the rollout left no record")),
        ([record(0), record(1, actor="release", reason="promoted")], (None, "promoted")),
        (
            [
                record(0),
                record(1, actor="rollback", reason="alarm: e-v-Errors: 2 of 3"),
                record(2, actor="rollback", reason="judge: worse"),
            ],
            ("alarm", "e-v-Errors: 2 of 3"),
        ),
        (
            [
                record(0),
                record(1, actor="watchdog", reason="its lease is over", body={"done": "mark"}),
                record(2, actor="rollback", reason="engine: States.Timeout"),
            ],
            ("watchdog", "its lease is over"),
        ),
        (
            [
                record(0),
                record(1, actor="release", reason="promoted"),
                record(2, actor="watchdog", reason="may scale again", body={"done": "resume"}),
            ],
            (None, "promoted"),
        ),
    ],
)
def test_who_ended_a_rollout_is_who_woke_the_rollback_first(
    records: list[dict[str, Any]], ended: tuple[str | None, str]
) -> None:
    assert history.ended_by(records) == ended
