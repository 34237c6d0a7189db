"""DynamoDB: the ledger of one endpoint."""

from collections.abc import Collection, Iterable, Mapping
from email.utils import parsedate_to_datetime
from typing import Any

from botocore.exceptions import BotoCoreError, ClientError

from lambdas.aws.attributes import plain, typed
from lambdas.aws.clients import client
from lambdas.aws.patience import OutOfPatience, within
from steelyard.rollout.ledger import (
    ACTIVE,
    UNDER_WAY,
    Claim,
    Lock,
    Phase,
    Record,
    claim_key,
    lock_key,
    record_key,
)

# In this mode botocore tries a call of DynamoDB again after 0 to 50, 0 to 100 and 0 to 200 ms (the
# delays of this service in its _retry.json); in the standard one the first may take a second.
# A transaction carries a token, so that its repetition is not a second one.
RETRIES = 3
# A write that meets a transaction on the same item is refused, and no SDK tries it again:
# https://docs.aws.amazon.com/amazondynamodb/latest/developerguide/transaction-apis.html
MEETINGS = 3


class LedgerConflict(Exception):
    """Somebody else wrote the ledger since it was read, or the rollout is no longer the same."""


class LedgerUnreachable(Exception):
    """The ledger could not be asked within its time."""


class Ledger:
    """The ledger of one endpoint: each transition is one conditional write."""

    def __init__(self, table: str, endpoint: str, patience_seconds: float = 5.0) -> None:
        self._table = table
        self._endpoint = endpoint
        self._patience = patience_seconds
        # Each wait on the wire has the whole patience: a first connection of a fresh function has
        # name, TCP and TLS to settle on a sliver of a core.
        self._dynamodb = client(
            "dynamodb",
            connect_timeout=patience_seconds,
            read_timeout=patience_seconds,
            retries={"mode": "legacy", "max_attempts": RETRIES},
        )

    def read(self) -> Lock | None:
        """Return the endpoint's lock, None before its first rollout."""
        item = self._item(lock_key(self._endpoint))
        return Lock.from_attributes(item) if item else None

    def now(self) -> float:
        """
        Return the time that the ledger's answer carries, in epoch seconds.

        It is for callers whose event has no time: CloudFormation's and a person's.
        """
        answer = self._ask(lock_key(self._endpoint))
        date = answer["ResponseMetadata"]["HTTPHeaders"]["date"]
        return parsedate_to_datetime(date).timestamp()

    def acquire(self, lock: Lock, record: Record) -> None:
        """
        Take the endpoint's lock for a rollout that begins at `lock.began_at`.

        Raises LedgerConflict while another rollout holds it, when one came between the reading of
        the generation before and this, or while a deploy holds rollouts off.
        """
        put = {
            "TableName": self._table,
            "Item": typed(lock_key(self._endpoint) | _present(vars(lock))),
            **_succeeds(lock),
        }
        no_deploy = {
            "TableName": self._table,
            "Key": typed(claim_key(self._endpoint)),
            "ConditionExpression": "attribute_not_exists(#until) OR #until <= :now",
            "ExpressionAttributeNames": {"#until": "until"},
            "ExpressionAttributeValues": typed({":now": lock.began_at}),
        }
        self._transact(
            [{"Put": put}, self._put_record(lock.rollout, record), {"ConditionCheck": no_deploy}]
        )

    def append(self, lock: Lock, records: Iterable[Record], **changes: Any) -> None:
        """
        Write records and change the lock, all or nothing.

        Raises LedgerConflict when the rollout, its phase or its history is not `lock`'s any more,
        LedgerUnreachable when the ledger did not take the write for another reason.
        """
        self._transact(self._transition(lock, list(records), changes))

    def mark_aborting(
        self,
        condition: Mapping[str, str],
        begun_by: float | None = None,
        phases: Collection[Phase] = UNDER_WAY,
    ) -> tuple[Lock | None, bool]:
        """
        Stop the rollout in one of `phases`, provided the lock's fields are as `condition` says.

        With `begun_by` (epoch seconds), only a rollout that began at that time or before: what
        happened earlier was about another one. Returns the lock and whether this call stopped it.
        Raises LedgerUnreachable within the ledger's patience, whatever the connection does; the
        mark may still take effect afterwards.
        """
        names, values = _phases(phases)
        tests = [f"#phase IN ({names})", *(f"#{name} = :{name}" for name in condition)]
        values |= {f":{name}": value for name, value in condition.items()}
        if begun_by is not None:
            tests.append("#began_at <= :begun_by")
            values[":begun_by"] = begun_by
        compared = {"phase", *condition, *(["began_at"] if begun_by is not None else [])}
        update = {
            "TableName": self._table,
            "Key": typed(lock_key(self._endpoint)),
            "UpdateExpression": "SET #phase = :aborting",
            "ConditionExpression": " AND ".join(tests),
            "ExpressionAttributeNames": {f"#{name}": name for name in sorted(compared)},
            "ExpressionAttributeValues": typed({":aborting": "aborting"} | values),
            "ReturnValues": "ALL_NEW",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
        try:
            return within(self._patience, lambda: self._mark(update))
        except OutOfPatience as error:
            raise LedgerUnreachable(str(error)) from error

    def claimed(self) -> Claim | None:
        """Return the deploy that holds rollouts off, or did until its time ran out."""
        item = self._item(claim_key(self._endpoint))
        return Claim(item["stack"], item["hash"], item["until"]) if "until" in item else None

    def accepted(self, stack: str) -> str | None:
        """Return the hash of a stack's template that was accepted last, None before the first."""
        found: str | None = self._item(claim_key(self._endpoint)).get(_accepted(stack))
        return found

    def claim(self, claim: Claim, over: tuple[Lock, Record] | None = None) -> None:
        """
        Hold rollouts off for a deploy, and remember its template as accepted.

        Raises LedgerConflict while a rollout is in progress, unless it is `over` this one: then its
        record says who overrode it and why, and the conflict is another writer's.
        """
        update = {
            "TableName": self._table,
            "Key": typed(claim_key(self._endpoint)),
            "UpdateExpression": (
                "SET #stack = :stack, #hash = :hash, #until = :until, #accepted = :hash"
            ),
            "ExpressionAttributeNames": {
                **{f"#{name}": name for name in ("stack", "hash", "until")},
                "#accepted": _accepted(claim.stack),
            },
            "ExpressionAttributeValues": typed(
                {f":{name}": value for name, value in vars(claim).items()}
            ),
        }
        guards = [self._no_rollout()] if over is None else self._transition(over[0], [over[1]], {})
        self._transact([{"Update": update}, *guards])

    def give_back(self, stack: str) -> bool:
        """End a stack's deploy claim; False when it holds none any more."""
        try:
            self._dynamodb.update_item(
                TableName=self._table,
                Key=typed(claim_key(self._endpoint)),
                UpdateExpression="REMOVE #stack, #hash, #until",
                ConditionExpression="#stack = :stack",
                ExpressionAttributeNames={"#stack": "stack", "#hash": "hash", "#until": "until"},
                ExpressionAttributeValues=typed({":stack": stack}),
            )
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            return False
        except (BotoCoreError, ClientError) as error:
            raise LedgerUnreachable(str(error)) from error
        return True

    def _ask(self, key: Mapping[str, str]) -> dict[str, Any]:
        try:
            answer: dict[str, Any] = self._dynamodb.get_item(
                TableName=self._table, Key=typed(key), ConsistentRead=True
            )
        except (BotoCoreError, ClientError) as error:
            raise LedgerUnreachable(str(error)) from error
        return answer

    def _item(self, key: Mapping[str, str]) -> dict[str, Any]:
        return plain(self._ask(key).get("Item", {}))

    def _mark(
        self, update: Mapping[str, Any], meetings: int = MEETINGS
    ) -> tuple[Lock | None, bool]:
        try:
            answer = self._dynamodb.update_item(**update)
        except ClientError as error:
            code = error.response["Error"]["Code"]
            if code == "TransactionConflictException" and meetings > 0:
                return self._mark(update, meetings - 1)
            if code != "ConditionalCheckFailedException":
                raise LedgerUnreachable(str(error)) from error
            old = error.response.get("Item")
            return (Lock.from_attributes(plain(old)) if old else None), False
        except BotoCoreError as error:
            raise LedgerUnreachable(str(error)) from error
        return Lock.from_attributes(plain(answer["Attributes"])), True

    def _transition(
        self, lock: Lock, records: list[Record], changes: Mapping[str, Any]
    ) -> list[dict[str, Any]]:
        changed = dict(changes) | {"seq": lock.seq + len(records)}
        guards = {"rollout": lock.rollout, "seq": lock.seq, "phase": lock.phase}
        values = {f":{name}": value for name, value in changed.items()}
        values |= {f":was_{name}": value for name, value in guards.items()}
        update = {
            "TableName": self._table,
            "Key": typed(lock_key(self._endpoint)),
            "UpdateExpression": "SET " + ", ".join(f"#{name} = :{name}" for name in changed),
            "ConditionExpression": " AND ".join(f"#{name} = :was_{name}" for name in guards),
            "ExpressionAttributeNames": {f"#{name}": name for name in {*changed, *guards}},
            "ExpressionAttributeValues": typed(values),
        }
        return [{"Update": update}, *(self._put_record(lock.rollout, one) for one in records)]

    def _no_rollout(self) -> dict[str, Any]:
        active, values = _phases(ACTIVE)
        return {
            "ConditionCheck": {
                "TableName": self._table,
                "Key": typed(lock_key(self._endpoint)),
                "ConditionExpression": f"attribute_not_exists(pk) OR NOT #phase IN ({active})",
                "ExpressionAttributeNames": {"#phase": "phase"},
                "ExpressionAttributeValues": typed(values),
            }
        }

    def _put_record(self, rollout: str, record: Record) -> dict[str, Any]:
        item = record_key(rollout, record.seq) | {"record": record.to_json()}
        return {
            "Put": {
                "TableName": self._table,
                "Item": typed(item),
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


def _succeeds(lock: Lock) -> dict[str, Any]:
    """Return the condition that `lock` follows on the generation before it, which has ended."""
    if lock.generation == 1:
        return {"ConditionExpression": "attribute_not_exists(pk)"}
    active, values = _phases(ACTIVE)
    return {
        "ConditionExpression": f"#generation = :before AND NOT #phase IN ({active})",
        "ExpressionAttributeNames": {"#phase": "phase", "#generation": "generation"},
        "ExpressionAttributeValues": typed(values | {":before": lock.generation - 1}),
    }


def _phases(phases: Iterable[Phase]) -> tuple[str, dict[str, Any]]:
    """Return how a condition names these phases, and the values that it needs for them."""
    values = {f":{phase}": phase for phase in phases}
    return ", ".join(values), dict(values)


def _accepted(stack: str) -> str:
    # An attribute of its own for each stack: a map would have to be made before the first.
    return f"accepted {stack}"
