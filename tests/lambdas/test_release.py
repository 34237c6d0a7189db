"""Release: only what serves everything is promoted, and only once."""

import pytest

from lambdas import release
from lambdas.release import NotPromoted
from tests.lambdas.world import conducted
from tests.steelyard.rollout.sample import policy

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


def test_a_pause_that_came_after_the_soak_changes_nothing_any_more(world):
    world.hold(step=2, phase="paused")
    world.endpoint(PROMOTED)

    release.handler(world.event(), None)

    assert world.lock().phase == "promoted"


def test_where_a_person_promotes_nobody_else_does(world):
    world.endpoint(PROMOTED)
    world.hold(step=2, policy=conducted(confirm=["promotion"]), approved=["start"])
    with pytest.raises(NotPromoted, match="nobody approved"):
        release.handler(world.event(), None)

    world.hold(step=2, policy=conducted(confirm=["promotion"]), approved=["promotion"])
    release.handler(world.event(), None)

    assert world.lock().phase == "promoted"


def test_before_the_soak_nothing_is_promoted_whatever_the_weights_are(world):
    world.hold(step=1)
    world.endpoint(PROMOTED)

    with pytest.raises(NotPromoted, match="at step 1"):
        release.handler(world.event(), None)


@pytest.mark.parametrize("phase", ["aborting", "aborted"])
def test_a_rollout_that_was_stopped_is_not_promoted(world, phase):
    world.hold(step=2, phase=phase)
    world.endpoint(PROMOTED)

    with pytest.raises(NotPromoted, match=f"rollout r1 is {phase}"):
        release.handler(world.event(), None)

    assert world.lock().phase == phase


@pytest.mark.parametrize("changes", [{"rollout": "r2"}, {"generation": 2}], ids=str)
def test_another_rollout_s_lock_is_not_given_back(world, changes):
    world.hold(step=2, **changes)
    world.endpoint(PROMOTED)

    with pytest.raises(NotPromoted, match="rollout r1 does not hold the lock"):
        release.handler(world.event(), None)


def shadowed(world, **changes):
    """Let a shadow run be judged, and its shadow variant stand."""
    world.hold(**{"kind": "shadow", "step": 0, "since": world.now - 600, "others": []} | changes)
    world.endpoint({"v1": 1}, shadow="v2")


def test_a_shadow_run_that_passed_leaves_its_evidence_and_moves_nothing(world):
    shadowed(world)

    release.handler(world.event(), None)

    lock = world.lock()
    assert (lock.phase, lock.passed) == ("passed", f"v2 over v1 by {policy().digest()}")
    assert world.weights("DesiredWeight") == {"v1": 1}
    assert world.records()[-1]["weights"] == {"v1": 100, "v2": 0}
    assert world.told() == ["scales-test: passed"]


def test_a_second_release_of_a_shadow_run_tells_nobody(world):
    shadowed(world, phase="passed", passed="v2 over v1 by p")

    assert release.handler(world.event(), None) == {}

    assert (world.records(), world.told()) == ([], [])


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"phase": "aborting"}, "it is aborting at step 0"),
        ({"since": None}, "it is progressing at step 0"),
        ({"step": -1, "since": None}, "it is progressing at step -1"),
        ({"challenger": "v3"}, "its shadow variant is v2, not v3"),
        ({"champion": "v0"}, "the champion v0 does not serve alone"),
    ],
)
def test_what_was_not_judged_to_its_end_has_not_passed(world, changes, why):
    shadowed(world, **changes)

    with pytest.raises(NotPromoted, match=why):
        release.handler(world.event(), None)

    assert world.lock().passed is None
