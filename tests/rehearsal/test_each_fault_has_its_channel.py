"""Whole rollouts with one fault each: the judge sees it, and in the channel that is for it."""

from typing import Any

import pytest

from tests.rehearsal.kit import Kit


def evidence(entry: dict[str, Any]) -> dict[str, float]:
    """Return each channel's evidence at the judge's last verdict."""
    last: dict[str, float] = entry["decisions"][-1]["evidence"]
    return {name: last[name] for name in last if f"{name}_limit" in last and name != "together"}


@pytest.mark.parametrize(
    ("fault", "channels", "said"),
    [
        pytest.param("errors=20%@1", {"errors"}, " errors of ", marks=pytest.mark.proof),
        ("latency=x3@1", {"latency", "stall"}, " slow answers, champion "),
        pytest.param(
            "constant-output@1",
            {"score"},
            "challenger's score distribution is ",
            marks=pytest.mark.proof,
        ),
    ],
)
def test_a_fault_is_caught_in_the_channel_that_is_for_it(
    kit: Kit, fault: str, channels: set[str], said: str
) -> None:
    entry = kit.rehearse("aborted", fault)

    assert entry["passed"], entry["problems"]
    assert entry["caught_by"] == "judge"
    assert said in entry["reason"]
    found = evidence(entry)
    largest = max(found[channel] for channel in channels)
    assert largest > 10 * max(found[other] for other in found.keys() - channels), found


@pytest.mark.proof
def test_answers_that_are_slower_within_the_tolerance_are_promoted(kit: Kit) -> None:
    entry = kit.rehearse("promoted", "latency=x1.1")

    assert entry["passed"], entry["problems"]
    assert 0 < max(decided["evidence"]["latency"] for decided in entry["decisions"]) < 1
