"""The judge's memory moves forward only, by one policy, and survives its JSON."""

import json

import pytest

from steelyard.rollout import state
from steelyard.rollout.judge import fold, start
from steelyard.rollout.policy import canonical
from steelyard.rollout.state import Learned, State
from tests.steelyard.rollout.sample import Traffic, policy

POLICY = policy()


def baking() -> State:
    """Return a state some minutes into the first step."""
    reached = state.enter(POLICY, start(POLICY), 0, at=0)
    traffic = Traffic()
    for minute in range(5):
        reached = fold(POLICY, reached, traffic.minute(minute))
    return reached


@pytest.mark.parametrize("reached", [start(POLICY), baking()])
def test_a_state_survives_canonical_json(reached: State):
    assert State.from_dict(json.loads(canonical(reached.to_dict()))) == reached


def test_a_step_begins_without_the_requests_of_the_last():
    entered = state.enter(POLICY, baking(), 1, at=300)

    assert entered.challenger.step_requests == 0
    assert entered.challenger.newest is None
    assert entered.step_compared == 0


def test_evidence_is_kept_over_steps():
    before = baking()

    entered = state.enter(POLICY, before, 1, at=300)

    assert entered.wealth == before.wealth
    assert entered.recent == before.recent
    assert entered.challenger.requests == before.challenger.requests
    assert entered.began_at == before.began_at


def test_entering_a_step_twice_at_the_same_time_changes_nothing():
    assert state.enter(POLICY, baking(), 0, at=0) == baking()
    assert state.enter(POLICY, baking(), 0, at=-0.5) == baking()


def test_a_resumed_step_bakes_anew_and_keeps_its_evidence():
    before = baking()

    resumed = state.enter(POLICY, before, 0, at=4000)

    assert (resumed.entered_at, resumed.challenger.step_requests) == (4000, 0)
    assert resumed.wealth == before.wealth
    assert resumed.step_compared == before.step_compared


@pytest.mark.parametrize("step", [-1, 2, 3])
def test_a_step_out_of_order_is_refused(step: int):
    with pytest.raises(ValueError, match=rf"step {step} cannot follow step 0 of 3: .*0, 1"):
        state.enter(POLICY, baking(), step, at=300)


def test_a_rollout_begins_at_the_first_step():
    with pytest.raises(ValueError, match="step 1 cannot follow step None"):
        state.enter(POLICY, start(POLICY), 1, at=0)


def test_nothing_follows_the_soak():
    reached = start(POLICY)
    for step in range(3):
        reached = state.enter(POLICY, reached, step, at=step)

    with pytest.raises(ValueError, match="step 3 cannot follow step 2 of 3"):
        state.enter(POLICY, reached, 3, at=9)


def test_another_policy_is_refused():
    with pytest.raises(ValueError, match="judge a rollout by the policy it started with"):
        state.enter(policy(false_rollback=0.02), baking(), 1, at=300)


def test_a_histogram_in_use_is_renewed_when_twice_as_much_was_seen():
    learned = Learned()
    used = []
    for _ in range(8):
        learned = learned.add((1, 2))
        used.append(sum(learned.used) // 3)

    assert used == [1, 2, 2, 4, 4, 4, 4, 8]
    assert learned.add(()) == learned


def test_a_late_minute_of_an_earlier_step_is_no_request_of_this_one():
    entered = state.enter(POLICY, baking(), 1, at=300)

    after = fold(POLICY, entered, Traffic().minute(5))
    assert (after.challenger.step_requests, after.step_compared) == (0, 0)
    assert after.challenger.requests > entered.challenger.requests
