"""Release: only what serves everything is promoted, and only once."""

import pytest

from lambdas import release
from lambdas.release import NotPromoted

PROMOTED = {"v0": 0, "v1": 0, "v2": 100}


def test_a_challenger_that_serves_everything_becomes_champion_and_people_hear_of_it(world):
    world.hold(step=2)
    world.endpoint(PROMOTED)

    release.handler(world.event(), None)

    assert world.lock().phase == "promoted"
    assert world.records()[-1]["reason"] == "v2 is promoted; v1 stays warm at weight 0"
    assert world.told() == ["scales-test: promoted"]


def test_a_second_release_changes_nothing_and_tells_nobody(world):
    world.hold(step=2)
    world.endpoint(PROMOTED)
    release.handler(world.event(), None)
    world.told()
    before = world.lock()

    release.handler(world.event(), None)

    assert world.lock() == before
    assert world.told() == []


@pytest.mark.parametrize(
    "weights", [{"v0": 0, "v1": 50, "v2": 50}, {"v0": 1, "v1": 0, "v2": 100}, {"v1": 0, "v2": 100}]
)
def test_weights_that_are_not_the_promoted_ones_promote_nobody(world, weights):
    world.hold(step=2)
    world.endpoint(weights)

    with pytest.raises(NotPromoted, match="rollout r1 is progressing and its weights are not"):
        release.handler(world.event(), None)

    assert world.lock().phase == "progressing"


def test_weights_that_are_still_under_way_promote_nobody(world):
    world.hold(step=2)
    world.endpoint(PROMOTED)
    world.busy()

    with pytest.raises(NotPromoted):
        release.handler(world.event(), None)


@pytest.mark.parametrize("phase", ["aborting", "aborted"])
def test_a_rollout_that_was_stopped_is_not_promoted(world, phase):
    world.hold(step=2, phase=phase)
    world.endpoint(PROMOTED)

    with pytest.raises(NotPromoted, match=f"rollout r1 is {phase}"):
        release.handler(world.event(), None)

    assert world.lock().phase == phase


def test_another_rollout_s_lock_is_not_given_back(world):
    world.hold(rollout="r2", step=2)
    world.endpoint(PROMOTED)

    with pytest.raises(NotPromoted, match="rollout r1 does not hold the lock"):
        release.handler(world.event(), None)
