"""A server to load."""

from collections.abc import Iterator

import pytest

from tests.steelyard.loadtest.loopback import Server, serving


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as started:
        yield started
