"""Event patterns: what they let through, and which of their parts are not played."""

from typing import Any

import pytest

from steelyard.rehearsal.patterns import matches, unplayed

EVENT = {"source": "aws.states", "resources": ["a", "b"], "detail": {"status": "FAILED"}}


@pytest.mark.parametrize(
    ("pattern", "is_let_through"),
    [
        ({}, True),
        ({"source": ["aws.states"]}, True),
        ({"source": ["aws.ec2", "aws.states"]}, True),
        ({"source": ["aws.ec2"]}, False),
        ({"resources": ["b"]}, True),
        ({"resources": ["c"]}, False),
        ({"detail": {"status": ["FAILED"]}}, True),
        ({"detail": {"status": ["ABORTED"]}}, False),
        ({"detail": {"name": ["x"]}}, False),
        ({"detail": {"status": {"deep": ["x"]}}}, False),
        ({"source": ["aws.states"], "detail": {"status": ["ABORTED"]}}, False),
    ],
)
def test_every_field_must_hold_one_of_its_values(
    pattern: dict[str, Any], is_let_through: bool
) -> None:
    assert matches(pattern, EVENT) is is_let_through


def test_what_compares_otherwise_is_named() -> None:
    pattern = {
        "source": ["aws.states"],
        "detail": {"status": [{"prefix": "F"}], "name": "x", "ok": ["y"]},
    }

    assert list(unplayed(pattern)) == ["detail.status", "detail.name"]
