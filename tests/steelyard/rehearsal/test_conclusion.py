"""Every way in which a rehearsed rollout is red."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from steelyard.rehearsal.assembly import Assembly, StackTemplate
from steelyard.rehearsal.conclusion import conclude
from steelyard.rehearsal.events import parse as parse_event
from steelyard.rehearsal.faults import parse
from steelyard.rehearsal.journal import Journal
from steelyard.rehearsal.router import Answer
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


def happening(expected: str, *texts: str) -> Scenario:
    events = tuple(parse_event(text, PLAN) for text in texts)
    return replace(scenario(expected), events=events)


def noted(weights: list[int], **events: bool) -> Journal:
    """The notes of a rollout in which events were carried out, or refused."""
    notes = journal(weights)
    for name, done in events.items():
        notes.note_event(70.0, TEXTS[name], done, "as it was said")
    return notes


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


TEXTS = {
    "pause": "pause@1",
    "deploy": "deploy@1",
    "later": "deploy@end",
    "stop": "stop-execution@1",
    "revert": "revert@end",
}
RELEASED = records("release", "v2 is promoted")
BY_JUDGE = records("rollback", "judge: worse")
BY_ALARM = records("rollback", "alarm: e-v2-ErrorRate: 2 of 3")
BY_WATCHDOG = [
    {
        "seq": 0,
        "t_seconds": 0.0,
        "kind": "acted",
        "actor": "watchdog",
        "reason": "its lease is over",
        "body": {"done": "mark"},
    }
]
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
        (
            promoted(scenario=happening("promoted", "pause@1")),
            "pause@1 did not happen: the rollout never came to it",
        ),
        (
            promoted(
                scenario=happening("promoted", "pause@1"), journal=noted(PROMOTED, pause=False)
            ),
            "pause@1 was not carried out, and must be: as it was said",
        ),
        (
            promoted(
                scenario=happening("promoted", "deploy@1"), journal=noted(PROMOTED, deploy=True)
            ),
            "deploy@1 was carried out, and must not be: as it was said",
        ),
        (
            promoted(
                scenario=happening("promoted", "revert@end"), journal=noted(PROMOTED, revert=True)
            ),
            "v2 serve at the end, where only v1 should",
        ),
        (
            aborted(scenario=happening("aborted", "kill-watchdog@1"), status="ABORTED"),
            "its execution ended as ABORTED",
        ),
        (aborted(records=BY_WATCHDOG), "no judge and no alarm saw the fault: watchdog ended it"),
        (promoted(failures=["x may not wake y"]), "x may not wake y"),
    ],
)
def test_anything_else_is_red(entry: dict[str, Any], said: str) -> None:
    assert not entry["passed"]
    assert said in "\n".join(entry["problems"])


@pytest.mark.parametrize(
    "entry",
    [
        promoted(scenario=happening("promoted", "pause@1"), journal=noted(PROMOTED, pause=True)),
        promoted(scenario=happening("promoted", "deploy@1"), journal=noted(PROMOTED, deploy=False)),
        promoted(scenario=happening("promoted", "deploy@end"), journal=noted(PROMOTED, later=True)),
        promoted(
            scenario=happening("promoted", "revert@end"), journal=noted([*PROMOTED, 0], revert=True)
        ),
        aborted(
            scenario=happening("aborted", "stop-execution@1"),
            journal=noted(ABORTED, stop=True),
            status="ABORTED",
            records=BY_ENGINE,
        ),
        aborted(
            scenario=happening("aborted", "stop-execution@1"),
            journal=noted(ABORTED, stop=True),
            records=BY_WATCHDOG,
        ),
    ],
)
def test_events_that_ended_as_they_must_are_green(entry: dict[str, Any]) -> None:
    assert (entry["passed"], entry["problems"]) == (True, [])


def test_what_was_noted_on_the_way_makes_it_red() -> None:
    notes = journal(PROMOTED)
    notes.problems.append("v2 served before the rollout began")

    assert promoted(journal=notes)["problems"] == ["v2 served before the rollout began"]


def shadowed(expected: str, by: str = "v1", copies: int = 1, **changes: Any) -> dict[str, Any]:
    """Conclude a shadow run in which one client was answered, and so many copies."""
    notes = journal([0])
    copied = tuple(Answer("v2", 500, b"") for _ in range(copies))
    notes.note_answers(0.0, [Answer(by, 503, b"", copies=copied)])
    return promoted(scenario=replace(scenario(expected), is_shadow=True), journal=notes, **changes)


def test_a_shadow_run_passes_while_only_the_champion_answers_clients() -> None:
    entry = shadowed("passed")

    assert (entry["outcome"], entry["problems"]) == ("passed", [])
    assert (entry["requests"], entry["bad_requests"]) == (1, 0)
    # What the shadow answers is nobody's error.
    assert entry["minutes"][0]["variants"] == {
        "v1": {"requests": 1, "errors": 1},
        "v2": {"requests": 0, "errors": 0},
    }


def test_a_shadow_run_that_the_judge_ended_was_expected_to_be() -> None:
    entry = shadowed("aborted", status="FAILED", records=BY_JUDGE)

    assert (entry["outcome"], entry["problems"]) == ("aborted", [])


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (shadowed("passed", by="v2"), "v2 answered 1 clients, where it is to get copies only"),
        (shadowed("passed", copies=0), "v2 got no copy of any request"),
        (shadowed("aborted"), "it was passed, where aborted was expected"),
    ],
)
def test_a_shadow_run_that_is_none_is_red(entry: dict[str, Any], said: str) -> None:
    assert entry["problems"] == [said]
