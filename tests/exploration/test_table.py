"""The table answers every call that the handlers and the state machine make as moto's does."""

from typing import Any

import pytest
from botocore.exceptions import ClientError

from exploration import services
from exploration.expressions import CannotPlay, Expression
from exploration.replay import aws
from exploration.scenes import SCENES
from exploration.search import Search
from exploration.table import Refusal, Table
from exploration.values import thawed
from exploration.world import SETTINGS

KEY = {"pk": {"S": "lock#a"}, "sk": {"S": "lock"}}
ITEM = {**KEY, "phase": {"S": "progressing"}, "seq": {"N": "7"}, "began_at": {"N": "1.5"}}


def calls_of_a_search(monkeypatch):
    """Return one call of each kind: its table, operation and parameters, by expression and end."""
    found: dict[Any, tuple[Table, str, Any]] = {}

    def recorded(world, operation, params):
        key = [operation, str(expressions(params))]
        try:
            answer = services._dynamodb(world, operation, params)
        except Refusal as refusal:
            found.setdefault((*key, str(refusal)), (world.table, operation, params))
            raise
        found.setdefault((*key, sorted(answer[1]).__repr__()), (world.table, operation, params))
        return answer

    monkeypatch.setitem(services._SERVICES, "dynamodb", recorded)
    for name in ("10 % is judged", "it is promoted"):
        scene = SCENES[name]
        with aws(SETTINGS | scene.settings):
            Search(scene.start()).walks(4, 200, seed=3)
    return list(found.values())


def expressions(params):
    """Return all expressions of a call, at whatever depth they stand."""
    if isinstance(params, dict):
        return [
            value if name.endswith("Expression") else expressions(value)
            for name, value in params.items()
        ]
    return [expressions(one) for one in params] if isinstance(params, list) else None


def test_every_call_of_a_search_is_answered_alike(moto, monkeypatch):
    calls = calls_of_a_search(monkeypatch)
    dynamodb = moto.client("dynamodb")

    assert {operation for _, operation, _ in calls} == {
        "get_item",
        "update_item",
        "transact_write_items",
    }
    codes = set()
    for table, operation, params in calls:
        filled(dynamodb, table)
        ours = by_table(table, operation, params)
        codes.add(ours[0][0])
        assert ours == by_moto(dynamodb, operation, params), params
    assert codes == {None, "ConditionalCheckFailedException", "TransactionCanceledException"}


def by_table(table, operation, params):
    try:
        after, answer = table.call(operation, params)
    except Refusal as refusal:
        return normal(refusal.answer), normal_items(table)
    return normal(answer), normal_items(after)


def by_moto(dynamodb, operation, params):
    try:
        answer = getattr(dynamodb, operation)(**params)
    except ClientError as error:
        answer = error.response
    items = dynamodb.scan(TableName=SETTINGS["LEDGER"])["Items"]
    # The exploration keeps of a record that it is there.
    kept = [
        {"pk": item["pk"], "sk": item["sk"]} if item["pk"]["S"].startswith("rollout#") else item
        for item in items
    ]
    return normal(answer), sorted(map(str, map(number, kept)))


def normal(answer):
    """Return what an answer says: its refusal's code, a transaction's reasons, its item."""
    reasons = [reason["Code"] for reason in answer.get("CancellationReasons", [])]
    item = answer.get("Item") or answer.get("Attributes")
    return answer.get("Error", {}).get("Code"), reasons, str(number(item)) if item else None


def normal_items(table):
    return sorted(str(number(thawed(text))) for _, text in table.items)


def number(value):
    """Return a value with its numbers as numbers and its names in order."""
    if isinstance(value, dict):
        return {
            name: float(one) if name == "N" else number(one) for name, one in sorted(value.items())
        }
    return [number(one) for one in value] if isinstance(value, list) else value


def filled(dynamodb, table):
    """Give moto a table with these items."""
    name = SETTINGS["LEDGER"]
    if name in dynamodb.list_tables()["TableNames"]:
        dynamodb.delete_table(TableName=name)
    dynamodb.create_table(
        TableName=name,
        KeySchema=[
            {"AttributeName": "pk", "KeyType": "HASH"},
            {"AttributeName": "sk", "KeyType": "RANGE"},
        ],
        AttributeDefinitions=[{"AttributeName": it, "AttributeType": "S"} for it in ("pk", "sk")],
        BillingMode="PAY_PER_REQUEST",
    )
    for _, text in table.items:
        dynamodb.put_item(TableName=name, Item=thawed(text))


def holds(text, **values):
    typed = {f":{name}": value for name, value in values.items()}
    return Expression(text, ITEM, {"#phase": "phase"}, typed).holds()


@pytest.mark.parametrize(
    ("text", "values", "wanted"),
    [
        ("seq = :n", {"n": {"N": "7.0"}}, True),
        ("seq = :n", {"n": {"S": "7"}}, False),
        ("gone = :n", {"n": {"N": "7"}}, False),
        ("gone <> :n", {"n": {"N": "7"}}, True),
        ("began_at <= :n AND seq > :n", {"n": {"N": "1.5"}}, True),
        ("gone <= :n", {"n": {"N": "1.5"}}, False),
        (
            "attribute_exists(gone) OR NOT #phase IN (:a, :b)",
            {"a": {"S": "x"}, "b": {"S": "y"}},
            True,
        ),
        ("NOT (attribute_not_exists(gone) AND #phase = :a)", {"a": {"S": "progressing"}}, False),
    ],
)
def test_a_condition_holds_when_it_says_so(text, values, wanted):
    assert holds(text, **values) is wanted


@pytest.mark.parametrize(
    "text", ["begins_with(pk)", "seq BETWEEN :n", "seq = :n seq", "seq = :n AND", "a.b = :n", "["]
)
def test_a_condition_that_it_does_not_know_is_refused(text):
    with pytest.raises(CannotPlay):
        holds(text, n={"N": "7"})


def test_an_update_that_it_does_not_know_is_refused():
    with pytest.raises(CannotPlay):
        Expression("ADD seq :n", ITEM, {}, {":n": {"N": "1"}}).updated()


@pytest.mark.parametrize("operation", ["scan", "batch_get_item"])
def test_an_operation_that_it_does_not_know_is_refused(operation):
    with pytest.raises(CannotPlay):
        Table().call(operation, {})
