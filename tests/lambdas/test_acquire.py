"""Acquire, on a real ledger."""

import pytest

from lambdas import acquire
from lambdas.acquire import NothingOnTrial, RolloutInProgress
from steelyard.rollout.policy import canonical
from tests.steelyard.rollout.sample import policy


def test_the_lock_says_who_is_on_trial_and_on_which_config(world):
    acquire.handler(world.event(), None)

    lock = world.lock()
    assert (lock.rollout, lock.phase, lock.generation) == ("r1", "progressing", 1)
    assert (lock.champion, lock.challenger, lock.others) == ("v1", "v2", ("v0",))
    assert (lock.config, lock.step, lock.token) == ("config-1", -1, None)
    assert lock.policy == canonical(policy().to_dict())


def test_the_request_is_the_first_record_with_the_whole_policy(world):
    acquire.handler(world.event(), None)

    (record,) = world.records()
    assert (record["seq"], record["kind"], record["at"]) == (0, "requested", world.now)
    assert record["body"]["policy"] == policy().to_dict()
    assert record["reason"] == "promote v2 over v1"


def test_the_steps_end_with_the_soak_and_outlast_the_judge(world):
    steps = acquire.handler(world.event(), None)["steps"]

    assert [(step["index"], step["weight"]) for step in steps] == [(0, 10), (1, 50), (2, 100)]
    # Longest, pause and bake of this step, and a quarter of an hour in which to say so.
    assert [step["timeout_seconds"] for step in steps] == [6900, 6900, 7200]


def test_the_same_rollout_may_ask_twice_and_changes_nothing(world):
    first = acquire.handler(world.event(), None)
    again = acquire.handler(world.event(), None)

    assert again == first
    assert len(world.records()) == 1


@pytest.mark.parametrize("phase", ["progressing", "aborting"])
def test_a_rollout_that_is_not_over_refuses_another(world, phase):
    world.hold(rollout="r0", phase=phase)

    with pytest.raises(RolloutInProgress, match=f"rollout r0 of scales-test is {phase}: wait"):
        acquire.handler(world.event(), None)

    assert world.lock().rollout == "r0"
    assert world.records() == []


@pytest.mark.parametrize("phase", ["aborted", "promoted"])
def test_after_a_rollout_that_is_over_the_next_begins_afresh(world, phase):
    world.hold(rollout="r0", phase=phase, generation=4, step=2, since=1.5, judge="{}", reason="x")

    acquire.handler(world.event(), None)

    lock = world.lock()
    assert (lock.rollout, lock.generation, lock.step) == ("r1", 5, -1)
    assert (lock.since, lock.judge, lock.reason) == (None, None, None)


@pytest.mark.parametrize("phase", ["aborting", "aborted", "promoted"])
def test_the_name_of_an_ended_rollout_is_not_used_again(world, phase):
    world.hold(phase=phase)

    with pytest.raises(RolloutInProgress, match="a rollout's name is used once"):
        acquire.handler(world.event(), None)


def test_a_name_of_long_ago_does_not_write_over_its_records(world):
    acquire.handler(world.event(), None)
    world.hold(rollout="r2", phase="promoted")

    with pytest.raises(RolloutInProgress):
        acquire.handler(world.event(), None)

    assert world.lock().rollout == "r2"
    assert len(world.records()) == 1


def test_without_a_challenger_there_is_nothing_to_roll_out(world, monkeypatch):
    monkeypatch.delenv("STEELYARD_CHALLENGER")

    with pytest.raises(NothingOnTrial, match="scales-test was deployed without a challenger"):
        acquire.handler(world.event(), None)
