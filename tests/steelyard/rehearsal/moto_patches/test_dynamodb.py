"""A transaction leaves everything or nothing behind, and costs what it touches."""

from typing import Any

import pytest
from botocore.exceptions import ClientError
from moto.dynamodb.models import dynamodb_backends
from moto.dynamodb.models.table import Table

from steelyard.rehearsal.local_aws import LocalAws
from steelyard.rehearsal.moto_patches import dynamodb
from tests.steelyard.rehearsal.local import ACCOUNT, REGION

FREE = "attribute_not_exists(pk)"


def key(name: str, is_sorted: bool = True) -> dict[str, Any]:
    return {"pk": {"S": name}} | ({"sk": {"S": "0"}} if is_sorted else {})


def put(name: str, is_sorted: bool = True, **attributes: str) -> dict[str, Any]:
    item = key(name, is_sorted) | {one: {"S": value} for one, value in attributes.items()}
    return {"Put": {"TableName": "t", "Item": item, "ConditionExpression": FREE}}


def change(name: str, is_sorted: bool = True) -> dict[str, Any]:
    update = {
        "TableName": "t",
        "Key": key(name, is_sorted),
        "UpdateExpression": "SET a = :a",
        "ExpressionAttributeValues": {":a": {"S": "new"}},
    }
    return {"Update": update}


def create(client: Any, is_sorted: bool = True) -> None:
    keys = {"pk": "HASH"} | ({"sk": "RANGE"} if is_sorted else {})
    client.create_table(
        TableName="t",
        BillingMode="PAY_PER_REQUEST",
        KeySchema=[{"AttributeName": name, "KeyType": kind} for name, kind in keys.items()],
        AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in keys],
    )


def condition(name: str, is_sorted: bool = True) -> dict[str, Any]:
    check = {"Key": key(name, is_sorted), "ConditionExpression": "attribute_exists(pk)"}
    return {"ConditionCheck": {"TableName": "t"} | check}


@pytest.mark.parametrize("is_sorted", [True, False])
def test_a_cancelled_transaction_leaves_everything_as_it_was(
    aws: LocalAws, is_sorted: bool
) -> None:
    client = aws.client("dynamodb")
    create(client, is_sorted)
    client.transact_write_items(TransactItems=[put("old", is_sorted, a="old")])
    asked = [change("old", is_sorted), put("new", is_sorted), condition("absent", is_sorted)]

    with pytest.raises(ClientError, match="TransactionCanceledException") as refusal:
        client.transact_write_items(TransactItems=asked)

    codes = [reason["Code"] for reason in refusal.value.response["CancellationReasons"]]
    assert codes == ["None", "None", "ConditionalCheckFailed"]
    assert client.scan(TableName="t")["Items"] == [key("old", is_sorted) | {"a": {"S": "old"}}]


def test_a_transaction_is_carried_out_whole(aws: LocalAws) -> None:
    client = aws.client("dynamodb")
    create(client)
    client.transact_write_items(TransactItems=[put("old", a="old"), put("other", a="0")])

    client.transact_write_items(
        TransactItems=[change("old"), put("new", a="1"), condition("other")]
    )

    found = {item["pk"]["S"]: item["a"]["S"] for item in client.scan(TableName="t")["Items"]}
    assert found == {"old": "new", "other": "0", "new": "1"}


def test_a_table_that_is_unknown_is_moto_s_to_refuse(aws: LocalAws) -> None:
    with pytest.raises(ClientError, match="ResourceNotFound"):
        aws.client("dynamodb").transact_write_items(TransactItems=[put("old")])


def test_an_item_is_read_with_its_types(aws: LocalAws) -> None:
    client = aws.client("dynamodb")
    create(client)
    client.put_item(TableName="t", Item=key("k") | {"n": {"N": "7"}})

    assert dynamodb.item(ACCOUNT, REGION, "t", key("k")) == key("k") | {"n": {"N": "7"}}
    assert dynamodb.item(ACCOUNT, REGION, "t", key("absent")) == {}


def test_moto_still_copies_whole_tables(aws: LocalAws, monkeypatch: pytest.MonkeyPatch) -> None:
    create(aws.client("dynamodb"))
    copied: list[Table] = []

    def noted(table: Table, _memo: dict[int, Any]) -> Table:
        copied.append(table)
        return table

    monkeypatch.setattr(Table, "__deepcopy__", noted)

    dynamodb._transact(dynamodb_backends[ACCOUNT][REGION], [put("k")])

    assert copied, "moto no longer copies a table for each transaction: remove the patch"
