"""How a rollout ended, judged against how it should have, as its entry in the report."""

from collections.abc import Iterator, Sequence
from typing import Any

from steelyard.rehearsal import history
from steelyard.rehearsal.events import ENDED_BY
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
    good = "passed" if scenario.is_shadow else "promoted"
    outcome = good if status == "SUCCEEDED" else "aborted"
    problems = [
        *journal.problems,
        *failures,
        *_event_problems(scenario, journal),
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


def _event_problems(scenario: Scenario, journal: Journal) -> Iterator[str]:
    """Yield each event that did not happen, and each whose outcome is not what it must be."""
    noted = {entry["event"]: entry for entry in journal.events}
    for event in scenario.events:
        if (entry := noted.get(event.text)) is None:
            yield f"{event.text} did not happen: the rollout never came to it"
        elif entry["done"] != event.must_be_done:
            was, must = ("was", "not ") if entry["done"] else ("was not", "")
            yield f"{event.text} {was} carried out, and must {must}be: {entry['said']}"


def _serving_problems(scenario: Scenario, journal: Journal, outcome: str) -> Iterator[str]:
    is_reverted = "revert" in _kinds(scenario)
    promoted = outcome == "promoted" and not is_reverted
    keeper = scenario.challenger if promoted else scenario.champion
    serving = [variant for variant, weight in journal.weights_in_force.items() if weight > 0]
    if serving != [keeper]:
        yield f"{', '.join(serving)} serve at the end, where only {keeper} should"


def _step_problems(scenario: Scenario, journal: Journal, outcome: str) -> Iterator[str]:
    """Yield what is wrong with the weights that were in force: the whole plan, or its beginning."""
    if scenario.is_shadow:
        yield from _shadow_problems(scenario, journal)
        return
    played = [
        entry["weight"]
        for entry in journal.weights
        if entry["variant"] == scenario.challenger and entry["weight"] > 0
    ]
    plan = list(scenario.plan)
    wanted = plan if outcome == "promoted" else plan[: len(played)]
    if played != wanted:
        yield f"{scenario.challenger} had the weights {played}, where the plan is {plan}"


def _shadow_problems(scenario: Scenario, journal: Journal) -> Iterator[str]:
    """Yield what no client may have seen of a challenger that only answers copies."""
    served = journal.served(scenario.challenger)
    if served:
        yield f"{scenario.challenger} answered {served} clients, where it is to get copies only"
    if journal.copies == 0:
        yield f"{scenario.challenger} got no copy of any request"


def _ending_problems(
    scenario: Scenario, journal: Journal, outcome: str, status: str, caught_by: str | None
) -> Iterator[str]:
    kinds = _kinds(scenario)
    is_stopped = status == "ABORTED" and "stop-execution" in kinds
    if status not in ("SUCCEEDED", "FAILED") and not is_stopped:
        yield f"its execution ended as {status}, neither SUCCEEDED nor FAILED"
    if outcome != scenario.expected:
        yield f"it was {outcome}, where {scenario.expected} was expected"
    elif outcome == "aborted":
        known = {"judge", "alarm"}.union(*(ENDED_BY.get(kind, frozenset()) for kind in kinds))
        if caught_by not in known:
            yield f"no judge and no alarm saw the fault: {caught_by or 'nobody'} ended it"
        if journal.t_fault is None and (scenario.faults or scenario.is_worse):
            yield "it was aborted before its fault began, so by something else"


def _kinds(scenario: Scenario) -> set[str]:
    return {event.kind for event in scenario.events}


def _seconds_to_safe(journal: Journal, outcome: str) -> float | None:
    if outcome != "aborted" or journal.t_fault is None or journal.t_safe is None:
        return None
    return journal.t_safe - journal.t_fault
