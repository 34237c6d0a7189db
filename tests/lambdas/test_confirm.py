"""Confirm, as the deployed state machine writes it: the lock then says who waits, and for what."""

import pytest


@pytest.mark.parametrize("phase", ["progressing", "paused"])
def test_a_rollout_under_way_waits_for_a_person_at_its_start(world, phase):
    world.hold(step=-1, phase=phase)

    assert world.baked(world.confirm())[0] == "RUNNING"

    assert world.lock().gate == "start"
    assert world.lock().token


@pytest.mark.parametrize(
    "changes",
    [{"generation": 2}, {"generation": 11}, {"rollout": "r2"}, {"phase": "aborting"}],
    ids=str,
)
def test_an_execution_whose_rollout_is_no_longer_that_of_the_lock_waits_for_nobody(world, changes):
    world.hold(step=-1, **changes)

    assert world.baked(world.confirm())[0] == "FAILED"

    assert (world.lock().gate, world.lock().token) == (None, None)
