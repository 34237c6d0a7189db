"""The containers behind an endpoint: one process per variant, on the artefact its model names."""

import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from steelyard.rehearsal import containers, processes
from steelyard.rehearsal.assembly import CannotPlay
from steelyard.rehearsal.containers import Container
from steelyard.rehearsal.local_aws import LocalAws


def start(
    aws: LocalAws, endpoint: str, folder: Path, command: Callable[[str], Sequence[str]]
) -> dict[str, Container]:
    """
    Start the containers of a deployed endpoint, and return them by variant once they serve.

    `command` gives the module, and its arguments, that a variant's image runs. Raises
    ContainerFailed, and CannotPlay for model data that names no object; nothing is left then.
    """
    started: dict[str, Container] = {}
    with ExitStack() as undo:
        for variant, model in _models(aws, endpoint):
            archive = _artefact(aws, model["ModelDataUrl"])
            environment = model.get("Environment", {})
            container = containers.start(variant, archive, environment, folder, command(variant))
            undo.callback(container.close)
            started[variant] = container
        for container in started.values():
            container.wait_until_ready()
        undo.pop_all()
    return started


def close(running: Iterable[Container]) -> None:
    """Stop containers as SageMaker does, all of them at once."""
    closing = list(running)
    processes.end(*(container.process for container in closing))
    for container in closing:
        container.pool.close()


def score_edges(folder: Path, variant: str) -> list[float]:
    """Return the edges of the score bins of a variant that was started in this folder."""
    manifest = json.loads((folder / variant / "manifest.json").read_text("utf-8"))
    edges: list[float] = manifest["scores"]["score"]["edges"]
    return edges


def _models(aws: LocalAws, endpoint: str) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield each variant's name, and what its model runs."""
    sagemaker = aws.client("sagemaker")
    name = aws.endpoints.describe(endpoint)["EndpointConfigName"]
    config = sagemaker.describe_endpoint_config(EndpointConfigName=name)
    for variant in config["ProductionVariants"] + config.get("ShadowProductionVariants", []):
        model = sagemaker.describe_model(ModelName=variant["ModelName"])
        yield variant["VariantName"], model["PrimaryContainer"]


def _artefact(aws: LocalAws, url: str) -> bytes:
    bucket, key = _s3_place(url)
    content: bytes = aws.client("s3").get_object(Bucket=bucket, Key=key)["Body"].read()
    return content


def _s3_place(url: str) -> tuple[str, str]:
    """Return bucket and key of an artefact's address, s3:// or https://."""
    bare = url.split("://", 1)[1]
    if url.startswith("https://"):
        bare = bare.split("/", 1)[1]
    bucket, _, key = bare.partition("/")
    if not key:
        raise CannotPlay([f"model data {url!r} names no object"])
    return bucket, key
