"""An endpoint that is deployed and served, and stand-ins for its containers."""

import csv
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest
from botocore.exceptions import ClientError

from steelyard.rehearsal.containers import Container, Reply
from steelyard.rehearsal.durations import Durations
from steelyard.rehearsal.local_aws import LocalAws
from steelyard.rehearsal.metrics import MetricStore
from steelyard.rehearsal.router import Router
from tests.steelyard.rehearsal.two_versions import FOLDER, NAME

START = 1_800_000_000.0


@dataclass
class Served:
    """An endpoint that is deployed and served, and what it has left in the metrics."""

    aws: LocalAws
    containers: Mapping[str, Container]
    store: MetricStore

    def invoke(self, body: bytes | str, endpoint: str = NAME, **parameters: str) -> Any:
        client = self.aws.client("sagemaker-runtime")
        answer = client.invoke_endpoint(EndpointName=endpoint, Body=body, **parameters)
        return answer | {"Body": answer["Body"].read()}

    def refusal(self, body: bytes | str, endpoint: str = NAME, **parameters: str) -> Any:
        with pytest.raises(ClientError) as refusal:
            self.invoke(body, endpoint, **parameters)
        return refusal.value.response

    def counted(self, variant: str) -> dict[str, float]:
        dimensions = {"EndpointName": NAME, "VariantName": variant}
        names = ("Invocations", "Invocation4XXErrors", "Invocation5XXErrors")
        found = {
            name: self.store.statistic("AWS/SageMaker", name, dimensions, "Sum", 0, 2 * START)
            for name in (*names, "InvocationModelErrors")
        }
        return {name: value or 0.0 for name, value in found.items()}

    def route(self, containers: Mapping[str, Any], **shares: float) -> None:
        """Let other containers answer, by fixed shares where they are given."""
        live = {name.replace("_", "-"): share for name, share in shares.items()}
        self.aws.runtime.route(
            NAME,
            Router(
                NAME,
                containers,
                lambda: live or self.aws.endpoints.shares(NAME),
                lambda: self.aws.clock.now,
                self.store,
                seed=7,
            ),
        )


@dataclass
class Fixed:
    """A container that always answers the same, and keeps what it got."""

    reply: Reply
    durations: Durations = field(default_factory=lambda: Durations([1.0], 1.0))
    slowdown: float = 1.0

    def invoke(self, body: bytes, headers: Mapping[str, str]) -> Reply:
        self.got = body, headers
        return self.reply


def held_out(count: int) -> list[dict[str, float]]:
    with (FOLDER / "heldout.csv").open(newline="", encoding="utf-8") as file:
        rows = [row for row, _ in zip(csv.DictReader(file), range(count), strict=False)]
    return [{name: float(text) for name, text in row.items() if name != "label"} for row in rows]


RECORD = json.dumps(held_out(1)[0])


def scores(body: bytes) -> list[float]:
    return [prediction["score"] for prediction in json.loads(body)["predictions"]]


def chosen(served: Served, count: int) -> list[str]:
    return [served.invoke(b"")["InvokedProductionVariant"] for _ in range(count)]
