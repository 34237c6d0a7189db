"""The example's records."""

import pytest


@pytest.fixture(scope="session")
def records(classifier) -> list[dict[str, float]]:
    """Give the held-out records, without their labels."""
    lines = (classifier / "heldout.csv").read_text().splitlines()
    names = lines[0].split(",")[:-1]
    return [dict(zip(names, map(float, line.split(",")[:-1]), strict=True)) for line in lines[1:]]
