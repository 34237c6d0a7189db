"""DynamoDB: the ledger of one endpoint."""

from collections.abc import Iterable, Mapping
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from steelyard.rollout.ledger import ACTIVE, Lock, Record, lock_key, record_key


class LedgerConflict(Exception):
    """Somebody else wrote the ledger since it was read, or the rollout is no longer the same."""


class LedgerUnreachable(Exception):
    """The ledger could not be asked within its time."""


class Ledger:
    """The ledger of one endpoint: each transition is one conditional write."""

    def __init__(self, table: str, endpoint: str, patience_seconds: float = 5.0) -> None:
        self._table = table
        self._endpoint = endpoint
        retries = 0 if patience_seconds <= 1 else 3
        # Connecting and reading share the patience, so that a mark cannot outlast it.
        config = Config(
            connect_timeout=patience_seconds / 2,
            read_timeout=patience_seconds / 2,
            retries={"max_attempts": retries},
        )
        self._dynamodb = boto3.client("dynamodb", config=config)

    def read(self) -> Lock | None:
        """Return the endpoint's lock, None before its first rollout."""
        answer = self._dynamodb.get_item(
            TableName=self._table, Key=_typed(lock_key(self._endpoint)), ConsistentRead=True
        )
        return Lock.from_attributes(_plain(answer["Item"])) if "Item" in answer else None

    def acquire(self, lock: Lock, record: Record) -> None:
        """
        Take the endpoint's lock for a rollout.

        Raises LedgerConflict while another rollout holds it.
        """
        names = {f":{phase}": phase for phase in ACTIVE}
        put = {
            "TableName": self._table,
            "Item": _typed(lock_key(self._endpoint) | _present(vars(lock))),
            "ConditionExpression": f"attribute_not_exists(pk) OR NOT phase IN ({', '.join(names)})",
            "ExpressionAttributeValues": _typed(names),
        }
        self._transact([{"Put": put}, self._put_record(lock.rollout, record)])

    def append(self, lock: Lock, records: Iterable[Record], **changes: Any) -> None:
        """
        Write records and change the lock, all or nothing.

        Raises LedgerConflict when the rollout, its phase or its history is not `lock`'s any more,
        LedgerUnreachable when the ledger did not take the write for another reason.
        """
        written = list(records)
        changes["seq"] = lock.seq + len(written)
        values = {f":{name}": value for name, value in changes.items()}
        guards = {"rollout": lock.rollout, "seq": lock.seq, "phase": lock.phase}
        names = {f"#{name}": name for name in {*changes, *guards}}
        update = {
            "TableName": self._table,
            "Key": _typed(lock_key(self._endpoint)),
            "UpdateExpression": "SET " + ", ".join(f"#{name} = :{name}" for name in changes),
            "ConditionExpression": " AND ".join(f"#{name} = :was_{name}" for name in guards),
            "ExpressionAttributeNames": names,
            "ExpressionAttributeValues": _typed(
                values | {f":was_{name}": value for name, value in guards.items()}
            ),
        }
        puts = [self._put_record(lock.rollout, record) for record in written]
        self._transact([{"Update": update}, *puts])

    def mark_aborting(self, condition: Mapping[str, str]) -> tuple[Lock | None, bool]:
        """
        Stop the rollout that is progressing, provided the lock's fields are as `condition` says.

        Returns the lock and whether this call stopped it. Raises LedgerUnreachable within the
        ledger's patience.
        """
        guards = {"phase": "progressing", **condition}
        names = {f"#{name}": name for name in {*guards, "phase"}}
        try:
            answer = self._dynamodb.update_item(
                TableName=self._table,
                Key=_typed(lock_key(self._endpoint)),
                UpdateExpression="SET #phase = :aborting",
                ConditionExpression=" AND ".join(f"#{name} = :{name}" for name in guards),
                ExpressionAttributeNames=names,
                ExpressionAttributeValues=_typed(
                    {f":{name}": value for name, value in guards.items()}
                    | {":aborting": "aborting"}
                ),
                ReturnValues="ALL_NEW",
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
            return Lock.from_attributes(_plain(answer["Attributes"])), True
        except ClientError as error:
            if error.response["Error"]["Code"] != "ConditionalCheckFailedException":
                raise LedgerUnreachable(str(error)) from error
            old = error.response.get("Item")
            return (Lock.from_attributes(_plain(old)) if old else None), False
        except BotoCoreError as error:
            raise LedgerUnreachable(str(error)) from error

    def _put_record(self, rollout: str, record: Record) -> dict[str, Any]:
        item = record_key(rollout, record.seq) | {"record": record.to_json()}
        return {
            "Put": {
                "TableName": self._table,
                "Item": _typed(item),
                "ConditionExpression": "attribute_not_exists(pk)",
            }
        }

    def _transact(self, items: list[dict[str, Any]]) -> None:
        try:
            self._dynamodb.transact_write_items(TransactItems=items)
        except self._dynamodb.exceptions.TransactionCanceledException as error:
            raise LedgerConflict(str(error)) from error
        except (BotoCoreError, ClientError) as error:
            raise LedgerUnreachable(str(error)) from error


def _present(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in attributes.items() if value is not None}


def _typed(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _typed_value(value) for name, value in attributes.items()}


def _typed_value(value: Any) -> dict[str, Any]:
    if value is None:
        return {"NULL": True}
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, tuple | list):
        return {"L": [_typed_value(item) for item in value]}
    return {"N": repr(value)}


def _plain(item: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _plain_value(value) for name, value in item.items()}


def _plain_value(value: Mapping[str, Any]) -> Any:
    ((kind, content),) = value.items()
    if kind == "NULL":
        return None
    if kind == "L":
        return [_plain_value(item) for item in content]
    if kind == "N":
        return float(content) if "." in content or "e" in content.lower() else int(content)
    return content
