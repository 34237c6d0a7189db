"""A deployed endpoint on the local AWS, for the commands that speak to an account."""

import pytest

from tests.lambdas.conftest import local, world
from tests.steelyard.cli.operated import Operated

__all__ = ["local", "operated", "world"]


@pytest.fixture
def operated(world, monkeypatch) -> Operated:
    """Give an endpoint whose stack, functions and ledger stand, and a command line."""
    return Operated(world, monkeypatch)
