"""Every way in which a rehearsed rollout is red."""

from pathlib import Path
from typing import Any

import pytest

from steelyard.rehearsal.assembly import Assembly, StackTemplate
from steelyard.rehearsal.conclusion import conclude
from steelyard.rehearsal.faults import parse
from steelyard.rehearsal.journal import Journal
from steelyard.rehearsal.scenario import Scenario

PLAN = (25, 100)
ENDPOINT = {"E": {"Type": "AWS::SageMaker::Endpoint", "Properties": {"EndpointName": "e"}}}
ASSEMBLY = Assembly(
    Path(), "111122223333", "eu-central-1", (StackTemplate("s", {"Resources": ENDPOINT}, ()),)
)
PROMOTED = [0, 25, 100]
ABORTED = [0, 25, 0]


def scenario(expected: str, *faults: str, is_worse: bool = False) -> Scenario:
    parsed = tuple(parse(fault, PLAN) for fault in faults)
    return Scenario("s", ASSEMBLY, "v1", "v2", PLAN, parsed, is_worse, expected, 60.0)


def journal(weights: list[int], t_fault: float | None = None) -> Journal:
    notes = Journal("v1", "v2", [0.0, 1.0], t_fault=t_fault)
    for minute, weight in enumerate(weights):
        notes.note_weights(60.0 * minute, {"v1": 100 - weight, "v2": weight})
    return notes


def alone() -> Journal:
    """The challenger serves everything, but before the plan has ended."""
    notes = journal([0, 25])
    notes.note_weights(120.0, {"v1": 0, "v2": 25})
    return notes


def records(actor: str, reason: str) -> list[dict[str, Any]]:
    return [{"seq": 0, "t_seconds": 0.0, "kind": "acted", "actor": actor, "reason": reason}]


RELEASED = records("release", "v2 is promoted")
BY_JUDGE = records("rollback", "judge: worse")
BY_ALARM = records("rollback", "alarm: e-v2-ErrorRate: 2 of 3")
BY_ENGINE = records("rollback", "engine: States.Timeout")


def promoted(**changes: Any) -> dict[str, Any]:
    usual: dict[str, Any] = {
        "scenario": scenario("promoted"),
        "journal": journal(PROMOTED),
        "records": RELEASED,
        "status": "SUCCEEDED",
        "failures": [],
    }
    return conclude(**usual | changes)


def aborted(**changes: Any) -> dict[str, Any]:
    usual: dict[str, Any] = {
        "scenario": scenario("aborted", "errors=5%"),
        "journal": journal(ABORTED, t_fault=60.0),
        "records": BY_JUDGE,
        "status": "FAILED",
        "failures": [],
    }
    return conclude(**usual | changes)


def test_a_promotion_that_was_expected_is_green() -> None:
    entry = promoted()

    assert (entry["passed"], entry["problems"]) == (True, [])
    assert (entry["outcome"], entry["caught_by"]) == ("promoted", None)
    assert entry["seconds_from_fault_to_safe"] is None


@pytest.mark.parametrize(("ended", "by"), [(BY_JUDGE, "judge"), (BY_ALARM, "alarm")])
def test_an_abort_by_judge_or_alarm_that_was_expected_is_green(
    ended: list[dict[str, Any]], by: str
) -> None:
    entry = aborted(records=ended)

    assert (entry["passed"], entry["problems"]) == (True, [])
    assert (entry["outcome"], entry["caught_by"]) == ("aborted", by)
    assert entry["seconds_from_fault_to_safe"] == 60.0


def test_a_fault_at_the_very_beginning_of_time_has_its_seconds_too() -> None:
    entry = aborted(journal=journal([25, 0], t_fault=0.0))

    assert entry["seconds_from_fault_to_safe"] == 60.0


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (
            promoted(scenario=scenario("aborted", "errors=5%")),
            "it was promoted, where aborted was expected",
        ),
        (
            aborted(scenario=scenario("promoted")),
            "it was aborted, where promoted was expected",
        ),
        (
            promoted(journal=journal([0, 25, 75])),
            "v1, v2 serve at the end, where only v2 should",
        ),
        (
            aborted(journal=journal([0, 25], t_fault=60.0)),
            "v1, v2 serve at the end, where only v1 should",
        ),
        (
            promoted(journal=journal([0, 100])),
            "v2 had the weights [100], where the plan is [25, 100]",
        ),
        (
            promoted(journal=alone()),
            "v2 had the weights [25], where the plan is [25, 100]",
        ),
        (
            promoted(journal=journal([0, 25, 60, 100])),
            "v2 had the weights [25, 60, 100], where the plan is [25, 100]",
        ),
        (
            aborted(journal=journal([0, 50, 0], t_fault=60.0)),
            "v2 had the weights [50], where the plan is [25, 100]",
        ),
        (
            aborted(records=BY_ENGINE),
            "no judge and no alarm saw the fault: engine ended it",
        ),
        (aborted(records=[]), "no judge and no alarm saw the fault: nobody ended it"),
        (
            aborted(journal=journal([0])),
            "it was aborted before its fault began, so by something else",
        ),
        (
            aborted(scenario=scenario("aborted", is_worse=True), journal=journal([0])),
            "it was aborted before its fault began, so by something else",
        ),
        (aborted(status="RUNNING"), "its execution ended as RUNNING"),
        (aborted(status="TIMED_OUT"), "its execution ended as TIMED_OUT"),
        (promoted(failures=["x may not wake y"]), "x may not wake y"),
    ],
)
def test_anything_else_is_red(entry: dict[str, Any], said: str) -> None:
    assert not entry["passed"]
    assert said in "\n".join(entry["problems"])


def test_what_was_noted_on_the_way_makes_it_red() -> None:
    notes = journal(PROMOTED)
    notes.problems.append("v2 served before the rollout began")

    assert promoted(journal=notes)["problems"] == ["v2 served before the rollout began"]
