"""How a rollout ended, judged against how it should have, as its entry in the report."""

from collections.abc import Iterator, Sequence
from typing import Any

from steelyard.rehearsal import history
from steelyard.rehearsal.journal import Journal
from steelyard.rehearsal.scenario import Scenario


def conclude(
    scenario: Scenario,
    journal: Journal,
    records: list[dict[str, Any]],
    status: str,
    failures: Sequence[str],
) -> dict[str, Any]:
    """
    Judge how a rollout ended, and return its entry in the report.

    `records` are the ledger's, `status` is the execution's, `failures` says what woke nobody.
    """
    caught_by, reason = history.ended_by(records)
    outcome = "promoted" if status == "SUCCEEDED" else "aborted"
    problems = [
        *journal.problems,
        *failures,
        *_serving_problems(scenario, journal, outcome),
        *_step_problems(scenario, journal, outcome),
        *_ending_problems(scenario, journal, outcome, status, caught_by),
    ]
    return {
        "scenario": scenario.name,
        "endpoint": scenario.assembly.endpoint_name,
        "champion": scenario.champion,
        "challenger": scenario.challenger,
        "fault": ", ".join(fault.text for fault in scenario.faults) or None,
        "expected": scenario.expected,
        "outcome": outcome,
        "passed": not problems,
        "problems": problems,
        "reason": reason,
        "caught_by": caught_by,
        "seconds_from_fault_to_safe": _seconds_to_safe(journal, outcome),
        "decisions": history.decisions(records),
        "ledger": history.ledger_lines(records),
        **journal.entry(),
    }


def _serving_problems(scenario: Scenario, journal: Journal, outcome: str) -> Iterator[str]:
    keeper = scenario.challenger if outcome == "promoted" else scenario.champion
    serving = [variant for variant, weight in journal.weights_in_force.items() if weight > 0]
    if serving != [keeper]:
        yield f"{', '.join(serving)} serve at the end, where only {keeper} should"


def _step_problems(scenario: Scenario, journal: Journal, outcome: str) -> Iterator[str]:
    """Yield what is wrong with the weights that were in force: the whole plan, or its beginning."""
    played = [
        entry["weight"]
        for entry in journal.weights
        if entry["variant"] == scenario.challenger and entry["weight"] > 0
    ]
    plan = list(scenario.plan)
    wanted = plan if outcome == "promoted" else plan[: len(played)]
    if played != wanted:
        yield f"{scenario.challenger} had the weights {played}, where the plan is {plan}"


def _ending_problems(
    scenario: Scenario, journal: Journal, outcome: str, status: str, caught_by: str | None
) -> Iterator[str]:
    if status not in ("SUCCEEDED", "FAILED"):
        yield f"its execution ended as {status}, neither SUCCEEDED nor FAILED"
    if outcome != scenario.expected:
        yield f"it was {outcome}, where {scenario.expected} was expected"
    elif outcome == "aborted":
        if caught_by not in ("judge", "alarm"):
            yield f"no judge and no alarm saw the fault: {caught_by or 'nobody'} ended it"
        if journal.t_fault is None and (scenario.faults or scenario.is_worse):
            yield "it was aborted before its fault began, so by something else"


def _seconds_to_safe(journal: Journal, outcome: str) -> float | None:
    if outcome == "promoted" or journal.t_fault is None or journal.t_safe is None:
        return None
    return journal.t_safe - journal.t_fault
