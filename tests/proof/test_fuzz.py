"""A hundred thousand bodies, sent to a real container: no 500, no crash, nothing let in."""

import csv
import http.client
import io
import json
from collections.abc import Iterator
from contextlib import closing
from random import Random
from typing import Any

import pytest
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from tests.proof import bodies
from tests.records import Feature, choices_of, records

pytestmark = pytest.mark.proof

REQUESTS = 50_000
TYPES = {"float": float, "integer": int, "boolean": bool, "string": str}


def oracle(features: list[Feature], refuses_unknown: bool) -> type[BaseModel]:
    """Make pydantic's own strict model of a record, which the container does not use."""
    fields: dict[str, Any] = {}
    for index, it in enumerate(features):
        kind: Any = TYPES[it["type"]]
        limits = {"ge": it["range"][0], "le": it["range"][1]} if "range" in it else {}
        plain = Field(alias=it["name"], **limits)
        fields[f"f{index}"] = (kind | None if it["nullable"] else kind, plain)
    extra = "forbid" if refuses_unknown else "ignore"
    config = ConfigDict(strict=True, extra=extra, allow_inf_nan=False)
    return create_model("Record", __config__=config, **fields)


def accepts(model: type[BaseModel], features: list[Feature], text: bytes) -> bool:
    """Say whether pydantic takes one record of JSON, and every listed value is on its list."""
    try:
        values = model.model_validate_json(text).__dict__.values()
    except ValidationError:
        return False
    return all(
        value is None or (choices := choices_of(it)) is None or value in choices
        for it, value in zip(features, values, strict=True)
    )


def parts(kind: str, text: bytes) -> Iterator[bytes] | None:
    """Take a body of JSON apart into its records; None where it has no parts to speak of."""
    if kind.startswith(bodies.LINES):
        return iter(text.rstrip().split(b"\n"))
    content = json.loads(text)
    if "instances" not in content:
        return iter([text])
    return (json.dumps(row).encode() for row in content["instances"])


def table_is_sound(features: list[Feature], text: bytes) -> bool:
    """Say whether every cell of an accepted table is what its column's feature may be."""
    rows = [row for row in csv.reader(io.StringIO(text.decode("utf-8-sig"), newline="")) if row]
    names = [it["name"] for it in features]
    order = rows.pop(0) if sorted(rows[0]) == sorted(names) else names
    known = dict(zip(names, features, strict=True))
    return all(
        len(row) == len(names)
        and all(_cell_is_sound(known[name], cell) for name, cell in zip(order, row, strict=True))
        for row in rows
    )


def _cell_is_sound(it: Feature, cell: str) -> bool:
    if cell == "":
        return bool(it["nullable"])
    choices = choices_of(it)
    if choices is not None:
        return cell in [value if isinstance(value, str) else json.dumps(value) for value in choices]
    return it["range"][0] <= float(cell) <= it["range"][1]


@pytest.mark.parametrize("version", ["classifier", "sample"])
def test_no_body_is_a_500_and_none_is_let_in_that_pydantic_refuses(serve, folder_of, version):
    folder, known = folder_of(version)
    manifest = json.loads((folder / "manifest.json").read_text())
    features = manifest["features"]
    model = oracle(features, manifest.get("unknown_fields", "refuse") == "refuse")
    container = serve(folder)
    chance = Random(20_260_101)
    statuses: dict[int, int] = {}
    with closing(http.client.HTTPConnection("127.0.0.1", container.port, timeout=20)) as line:
        for number in range(REQUESTS):
            kind, text = bodies.body(chance, known)
            line.request("POST", "/invocations", text, {"Content-Type": kind})
            answer = line.getresponse()
            said = answer.read()
            statuses[answer.status] = statuses.get(answer.status, 0) + 1
            where = f"body {number}, {kind}: {text[:2000]!r} -> {answer.status} {said[:500]!r}"
            assert answer.status in (200, 400, 413, 415, 422), where
            json.loads(said)
            if answer.status == 200:
                if kind.startswith(bodies.CSV):
                    assert table_is_sound(features, text), where
                else:
                    assert all(accepts(model, features, part) for part in parts(kind, text)), where
            elif kind == bodies.JSON and answer.status == 422 and b"inst" not in text:
                assert not accepts(model, features, text), where

    assert container.process.poll() is None
    assert container.ask("GET", "/ping")[0] == 200
    assert statuses[200] > REQUESTS / 20
    assert statuses[422] > REQUESTS / 20
    assert statuses[400] > REQUESTS / 20
    counters = container.counters()
    assert counters['steelyard_requests_total{outcome="ok"}'] == statuses[200]
    assert counters['steelyard_requests_total{outcome="client_error"}'] == REQUESTS - statuses[200]


@pytest.fixture
def folder_of(tmp_path, classifier):
    from tests.models import write_version

    def give(version):
        if version == "sample":
            return write_version(tmp_path / "model", unknown_fields="record"), records(200)
        with (classifier / "heldout.csv").open(newline="") as file:
            rows = [
                {name: float(value) for name, value in row.items() if name != "label"}
                for row in csv.DictReader(file)
            ]
        return classifier / "v1-1-0", rows

    return give
