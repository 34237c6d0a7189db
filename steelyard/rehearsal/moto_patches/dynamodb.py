"""moto's DynamoDB: a transaction costs what it touches, not what its tables hold."""

import copy
import threading
from collections.abc import Callable, Iterator
from typing import Any

from moto.dynamodb.models import DynamoDBBackend, dynamodb_backends
from moto.dynamodb.models.table import Table

from steelyard.rehearsal.moto_patches import replace

Attributes = dict[str, Any]
"""Attributes as DynamoDB spells them, each with its type."""

_one_at_a_time = threading.Lock()
_transact: Callable[[DynamoDBBackend, list[Attributes]], None] = (
    DynamoDBBackend.transact_write_items
)


def install() -> None:
    """Bring back each item of a cancelled transaction, where moto copies whole tables for it."""
    replace(DynamoDBBackend, transact_write_items)
    # moto copies a table for transactions and backups alone; there are no backups here.
    replace(Table, __deepcopy__)


def item(account: str, region: str, table: str, key: Attributes) -> Attributes:
    """Return an item, empty where there is none."""
    found = dynamodb_backends[account][region].get_item(table, key)
    attributes: Attributes = {} if found is None else found.to_json()["Attributes"]
    return attributes


def transact_write_items(backend: DynamoDBBackend, transact_items: list[Attributes]) -> None:
    """TransactWriteItems; whatever it is about is as before when it fails."""
    with _one_at_a_time:
        keys = list(_keys(backend, transact_items))
        before = [copy.deepcopy(backend.get_item(*key)) for key in keys]
        try:
            _transact(backend, transact_items)
        except Exception:
            for (name, key), old in zip(keys, before, strict=True):
                _bring_back(backend, name, key, old)
            raise


def __deepcopy__(table: Table, _memo: dict[int, Any]) -> Table:  # noqa: N807
    """Return the table itself."""
    return table


def _keys(
    backend: DynamoDBBackend, transact_items: list[Attributes]
) -> Iterator[tuple[str, Attributes]]:
    """Yield table and key of each item that a transaction is about, of tables that exist."""
    for asked in transact_items:
        (operation,) = asked.values()
        name = operation["TableName"]
        if name in backend.tables:
            given = operation.get("Key") or operation["Item"]
            names = [backend.tables[name].hash_key_attr, backend.tables[name].range_key_attr]
            yield name, {name: given[name] for name in names if name is not None}


def _bring_back(backend: DynamoDBBackend, name: str, key: Attributes, old: Any) -> None:
    table = backend.tables[name]
    hash_key, range_key = backend.get_keys_value(table, key)
    if old is None:
        table.delete_item(hash_key, range_key)
    elif range_key is None:
        table.items[hash_key] = old
    else:
        table.items[hash_key][range_key] = old
