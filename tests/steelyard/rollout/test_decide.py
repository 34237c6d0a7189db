"""What a tick decides: what goes before the verdict, what holds an advance, what pauses."""

from dataclasses import replace
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.rollout.conduct import GATES
from steelyard.rollout.decide import decide, unapproved
from steelyard.rollout.ledger import Lock
from steelyard.rollout.policy import Policy, canonical
from steelyard.rollout.verdict import Outcome, Verdict
from tests.steelyard.rollout.sample import policy, policy_dict

NOW = 1_800_000_000.0
FREEZE = {"weekly": False, "begin": int(NOW) - 60, "end": int(NOW) + 60}
FRESH: tuple[str, ...] = ()


def conducted(**changes: Any) -> Policy:
    return policy(conduct=policy_dict()["conduct"] | changes)


POLICY = conducted()
GATED = conducted(confirm=list(GATES))
FROZEN = conducted(freeze=[FREEZE])


def lock(**changes: Any) -> Lock:
    given = {
        "endpoint": "scales-test",
        "rollout": "r1",
        "generation": 1,
        "phase": "progressing",
        "champion": "v1",
        "challenger": "v2",
        "others": (),
        "policy": canonical(POLICY.to_dict()),
        "seq": 1,
        "step": 0,
        "deadline": NOW + 86400,
    }
    return Lock(**given | changes)


def verdict(outcome: Outcome) -> Verdict:
    return Verdict(outcome, (f"the judge says {outcome}",), {})


@pytest.mark.parametrize("outcome", get_args(Outcome))
def test_a_rollout_that_nothing_stops_or_holds_goes_by_the_verdict(outcome: Outcome):
    decision = decide(lock(), POLICY, verdict(outcome), (), NOW)

    assert (decision.outcome, decision.gate) == (outcome, None)
    assert decision.reasons == (f"the judge says {outcome}",)


PAUSED = {"phase": "paused", "pause_until": NOW + 60}
OVERDUE = {"phase": "paused", "pause_until": NOW}


@pytest.mark.parametrize(
    ("changes", "outcome", "ringing", "why"),
    [
        ({"deadline": NOW}, "abort", ("an alarm",), "deadline of 2027-01-15 08:00:00 UTC has pass"),
        ({}, "abort", ("a", "b"), "alarm a, b is ringing"),
        (OVERDUE, "abort", (), "the judge says abort"),
        (OVERDUE, "advance", (), "nobody ended the pause by 2027-01-15 08:00:00 UTC"),
        (PAUSED, "abort", (), "the judge says abort"),
        (PAUSED, "continue", ("a",), "alarm a is ringing"),
        ({"approved": ("0",)}, "abort", (), "the judge says abort"),
    ],
)
def test_the_weightiest_reason_to_abort_is_said_first(
    changes: dict[str, Any], outcome: Outcome, ringing: tuple[str, ...], why: str
):
    decision = decide(lock(**changes), POLICY, verdict(outcome), ringing, NOW)

    assert decision.outcome == "abort"
    assert why in decision.reasons[0]


@pytest.mark.parametrize("outcome", ["advance", "continue", "pause"])
def test_a_paused_rollout_says_until_when_and_how_it_ends(outcome: Outcome):
    decision = decide(lock(**PAUSED, approved=("0",)), POLICY, verdict(outcome), (), NOW)

    assert decision.outcome == "continue"
    assert decision.reasons == (
        "paused until 2027-01-15 08:01:00 UTC, then it is aborted: "
        "steelyard resume scales-test, or steelyard abort scales-test",
        f"the judge says {outcome}",
    )


def test_a_step_that_a_person_approved_advances_although_the_evidence_does_not_decide():
    found = decide(lock(approved=("0",)), POLICY, verdict("pause"), (), NOW)

    assert found.outcome == "advance"
    assert found.reasons == ("step 0 is approved as it is", "the judge says pause")


@pytest.mark.parametrize("approved", [("1",), ("start",), ("promotion",), ()])
def test_what_was_approved_of_another_step_or_gate_approves_not_this_step(approved: tuple[str]):
    assert decide(lock(approved=approved), POLICY, verdict("pause"), (), NOW).outcome == "pause"


HELD = "waits for a person: steelyard approve scales-test"


@pytest.mark.parametrize(
    ("changes", "outcome", "decided", "gate"),
    [
        ({"step": -1, "gate": "start"}, "continue", "continue", "start"),
        ({"step": -1, "gate": "start", "approved": ("start",)}, "continue", "advance", "start"),
        ({"step": -1}, "continue", "continue", None),
        ({"step": 0}, "advance", "advance", None),
        ({"step": 1}, "advance", "continue", "promotion"),
        ({"step": 1}, "continue", "continue", None),
        ({"step": 1}, "pause", "pause", None),
        # It was earned once: what is uncertain now is looked at when the gate opens.
        ({"step": 1, "gate": "promotion"}, "pause", "continue", "promotion"),
        (
            {"step": 1, "gate": "promotion", "approved": ("promotion",)},
            "pause",
            "continue",
            "promotion",
        ),
        (
            {"step": 1, "gate": "promotion", "approved": ("promotion",)},
            "advance",
            "advance",
            "promotion",
        ),
        ({"step": 1, "approved": ("1",)}, "pause", "continue", "promotion"),
        ({"step": 1, "approved": ("1", "promotion")}, "pause", "advance", None),
        ({"step": 2}, "advance", "advance", None),
    ],
)
def test_a_gate_holds_what_is_earned_until_a_person_opens_it(
    changes: dict[str, Any], outcome: Outcome, decided: Outcome, gate: str | None
):
    decision = decide(lock(**changes), GATED, verdict(outcome), (), NOW)

    assert (decision.outcome, decision.gate) == (decided, gate)


@pytest.mark.parametrize(
    ("changes", "outcome", "decided"),
    [
        ({"step": 0}, "advance", "continue"),
        ({"step": 0}, "continue", "continue"),
        ({"step": 0}, "pause", "continue"),
        ({"step": 0, "approved": ("0",)}, "pause", "continue"),
        ({"step": -1, "gate": "start"}, "continue", "continue"),
        ({"step": 0}, "abort", "abort"),
        # After the soak no weight rises, so nothing holds it.
        ({"step": 2}, "advance", "advance"),
        ({"step": 2}, "pause", "pause"),
    ],
)
def test_in_a_freeze_no_weight_rises_and_nobody_is_asked(
    changes: dict[str, Any], outcome: Outcome, decided: Outcome
):
    decision = decide(lock(**changes), FROZEN, verdict(outcome), (), NOW)

    assert decision.outcome == decided
    after = decide(lock(**changes), FROZEN, verdict(outcome), (), NOW + 60)
    assert after.outcome == decide(lock(**changes), POLICY, verdict(outcome), (), NOW + 60).outcome


def test_what_holds_an_advance_is_said_with_all_that_ends_it():
    both = conducted(confirm=["promotion"], freeze=[FREEZE])

    decision = decide(lock(step=1), both, verdict("advance"), (), NOW)

    assert decision.reasons == (
        f"promotion {HELD}",
        "no weight is raised before 2027-01-15 08:01:00 UTC, when the freeze ends",
        "the judge says advance",
    )


@pytest.mark.parametrize(
    ("step", "gate"), [(-1, None), (0, "start"), (1, None), (2, "promotion"), (3, None)]
)
def test_each_gate_stands_before_one_step(step: int, gate: str | None):
    assert unapproved(lock(), GATED, step) == gate
    assert unapproved(lock(), POLICY, step) is None
    assert unapproved(lock(approved=GATES), GATED, step) is None


MOMENTS = st.none() | st.sampled_from([NOW - 1, NOW, NOW + 1])
LOCKS = st.builds(
    lambda **changes: lock(**changes),
    phase=st.sampled_from(["progressing", "paused"]),
    step=st.integers(-1, 2),
    gate=st.sampled_from([None, *GATES]),
    approved=st.sets(st.sampled_from(["0", "1", "2", *GATES])).map(tuple),
    pause_until=MOMENTS,
    deadline=MOMENTS,
)
POLICIES = st.builds(
    lambda confirm, freeze: conducted(confirm=confirm, freeze=freeze),
    st.lists(st.sampled_from(GATES), unique=True),
    st.sampled_from([[], [FREEZE]]),
)
VERDICTS = st.sampled_from(get_args(Outcome)).map(verdict)
RINGING = st.sampled_from([(), ("an alarm",)])
MISSING = st.sampled_from([(), ("challenger data is 300 s old",)])


@given(LOCKS, POLICIES, VERDICTS, RINGING, MISSING)
def test_a_reason_to_abort_is_never_overruled(
    held: Lock, by: Policy, found: Verdict, ringing: tuple[str, ...], missing: tuple[str, ...]
):
    overdue = held.phase == "paused" and held.pause_until is not None and held.pause_until <= NOW
    late = held.deadline is not None and held.deadline <= NOW

    outcome = decide(held, by, found, ringing, NOW, missing).outcome

    assert (outcome == "abort") == bool(ringing or found.outcome == "abort" or overdue or late)


@given(LOCKS, POLICIES, VERDICTS)
def test_missing_data_never_advances(held: Lock, by: Policy, found: Verdict):
    held = replace(held, step=max(held.step, 0))

    assert decide(held, by, found, (), NOW, ("no data",)).outcome != "advance"


@given(LOCKS, POLICIES, VERDICTS, MISSING)
def test_a_paused_rollout_never_advances(
    held: Lock, by: Policy, found: Verdict, missing: tuple[str, ...]
):
    paused = replace(held, phase="paused")

    assert decide(paused, by, found, (), NOW, missing).outcome in ("continue", "abort")


@given(LOCKS, POLICIES, VERDICTS, RINGING, MISSING)
def test_nothing_advances_past_a_gate_that_nobody_opened_or_in_a_freeze(
    held: Lock, by: Policy, found: Verdict, ringing: tuple[str, ...], missing: tuple[str, ...]
):
    if decide(held, by, found, ringing, NOW, missing).outcome == "advance":
        assert unapproved(held, by, held.step + 1) is None
        assert held.step == len(by.steps) or by.conduct.frozen_until(NOW) is None


@given(LOCKS, POLICIES, VERDICTS, MISSING)
def test_every_decision_says_why(held: Lock, by: Policy, found: Verdict, missing: tuple[str, ...]):
    assert all(decide(held, by, found, (), NOW, missing).reasons)
