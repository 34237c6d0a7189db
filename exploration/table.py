"""The ledger's table, as a value: DynamoDB's operations on it, and their refusals."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from exploration.expressions import CannotPlay, Expression, Item
from exploration.values import frozen, thawed


class Refusal(Exception):
    """A service says no: `answer` is what botocore would make a ClientError of."""

    def __init__(self, code: str, message: str = "", **more: Any) -> None:
        super().__init__(f"{code}: {message}")
        self.answer = {"Error": {"Code": code, "Message": message}, **more}


@dataclass(frozen=True, slots=True)
class Table:
    """Items as text, by key; two tables with the same items are equal."""

    items: tuple[tuple[str, str], ...] = ()

    def get(self, key: Mapping[str, Any]) -> Item | None:
        """Return an item."""
        text = self.text(key)
        return None if text is None else thawed(text)

    def text(self, key: Mapping[str, Any]) -> str | None:
        """Return an item as text."""
        place = _place(key)
        return next((text for found, text in self.items if found == place), None)

    def put(self, item: Item) -> "Table":
        """Return the table with an item in it, in the place of one with its key."""
        if item["pk"]["S"].startswith("rollout#"):
            # No handler reads a record: worlds that differ in their words alone are one.
            item = {name: item[name] for name in ("pk", "sk")}
        found = dict(self.items)
        found[_place(item)] = frozen(item)
        return Table(tuple(sorted(found.items())))

    def remove(self, key: Mapping[str, Any]) -> "Table":
        """Return the table without an item."""
        return Table(tuple(pair for pair in self.items if pair[0] != _place(key)))

    def call(self, operation: str, params: Mapping[str, Any]) -> tuple["Table", dict[str, Any]]:
        """Return the table after an operation, and the answer; raises Refusal."""
        if operation == "get_item":
            item = self.get(params["Key"])
            return self, {} if item is None else {"Item": item}
        if operation == "query":
            return self, self._query(params)
        if operation == "transact_write_items":
            return self._transact(params["TransactItems"]), {}
        if operation == "update_item":
            return self._update(params)
        if operation in ("put_item", "delete_item"):
            self._check(params)
            return self._write(operation.split("_")[0].title(), params), {}
        raise CannotPlay(f"dynamodb.{operation} is not known")

    def _update(self, params: Mapping[str, Any]) -> tuple["Table", dict[str, Any]]:
        self._check(params)
        after = self._write("Update", params)
        shown = {"ALL_NEW": after, "ALL_OLD": self}.get(params.get("ReturnValues", "NONE"))
        item = None if shown is None else shown.get(params["Key"])
        return after, {} if item is None else {"Attributes": item}

    def _check(self, params: Mapping[str, Any]) -> None:
        if not self._holds(params):
            old = self.get(params.get("Key") or params["Item"])
            asked = params.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
            more = {"Item": old} if asked and old is not None else {}
            raise Refusal(
                "ConditionalCheckFailedException", "The conditional request failed", **more
            )

    def _transact(self, entries: list[Mapping[str, Any]]) -> "Table":
        reasons = [self._reason(*_only(entry)) for entry in entries]
        if any(reason["Code"] != "None" for reason in reasons):
            codes = ", ".join(reason["Code"] for reason in reasons)
            raise Refusal(
                "TransactionCanceledException",
                f"Transaction cancelled, please refer cancellation reasons for specific reasons "
                f"[{codes}]",
                CancellationReasons=reasons,
            )
        after = self
        for entry in entries:
            kind, params = _only(entry)
            after = after._write(kind, params)
        return after

    def _reason(self, _kind: str, params: Mapping[str, Any]) -> dict[str, Any]:
        if self._holds(params):
            return {"Code": "None"}
        old = self.get(params.get("Key") or params["Item"])
        asked = params.get("ReturnValuesOnConditionCheckFailure") == "ALL_OLD"
        more = {"Item": old} if asked and old is not None else {}
        return {
            "Code": "ConditionalCheckFailed",
            "Message": "The conditional request failed",
            **more,
        }

    def _holds(self, params: Mapping[str, Any]) -> bool:
        condition = params.get("ConditionExpression")
        item = self.get(params.get("Key") or params["Item"])
        return condition is None or _expression(condition, item, params).holds()

    def _write(self, kind: str, params: Mapping[str, Any]) -> "Table":
        if kind == "Put":
            return self.put(params["Item"])
        if kind == "Delete":
            return self.remove(params["Key"])
        if kind == "Update":
            item = self.get(params["Key"])
            changed = _expression(params["UpdateExpression"], item, params).updated()
            return self.put(changed | dict(params["Key"]))
        if kind == "ConditionCheck":
            return self
        raise CannotPlay(f"{kind} in a transaction is not known")

    def _query(self, params: Mapping[str, Any]) -> dict[str, Any]:
        """Return the items of one partition; only `pk = :value` and its order are understood."""
        values = params["ExpressionAttributeValues"]
        names = params.get("ExpressionAttributeNames", {})
        condition = params["KeyConditionExpression"]
        found = [
            item
            for _, text in self.items
            if _expression(condition, item := thawed(text), params).holds()
        ]
        if len(values) != 1 or len(names) > 1 or "FilterExpression" in params:
            raise CannotPlay(f"query {condition!r} is not known")
        ordered = found if params.get("ScanIndexForward", True) else found[::-1]
        limited = ordered[: params.get("Limit")]
        return {"Items": limited, "Count": len(limited)}


def _expression(text: str, item: Item | None, params: Mapping[str, Any]) -> Expression:
    names = params.get("ExpressionAttributeNames", {})
    return Expression(text, item, names, params.get("ExpressionAttributeValues", {}))


def _only(entry: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    ((kind, params),) = entry.items()
    return kind, params


def _place(key: Mapping[str, Any]) -> str:
    return f"{key['pk']['S']}|{key['sk']['S']}"
