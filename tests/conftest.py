"""What many tests share: serving processes, and the example's folder."""

import os
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.container import ROOT, Container, start

# Some tests call onnxruntime by themselves, before anything of ours is imported.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"

CLASSIFIER = ROOT / "endpoints" / "tumour-classifier"


@pytest.fixture(scope="module")
def serve(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., Container]]:
    """Start containers as `tests.container.start` does; they end with the module."""
    with ExitStack() as stack:

        def start_one(model: Path = CLASSIFIER / "v1-0-0", **rest: object) -> Container:
            container = start(model, tmp_path_factory.mktemp("container"), **rest)
            stack.callback(container.process.wait)
            stack.callback(container.process.kill)
            return container

        yield start_one


@pytest.fixture(scope="session")
def classifier() -> Path:
    """Give the folder of the example endpoint."""
    return CLASSIFIER
