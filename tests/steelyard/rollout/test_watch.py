"""The watchdog's decision: a table of cases, and what holds in all of them."""

from dataclasses import replace

import pytest
from hypothesis import event, given
from hypothesis import strategies as st

from steelyard.rollout.ledger import ACTIVE, UNDER_WAY, Lock
from steelyard.rollout.live import Live
from steelyard.rollout.policy import canonical
from steelyard.rollout.watch import (
    IN_FLIGHT_SECONDS,
    NEWBORN_SECONDS,
    PAGE_SECONDS,
    PATIENCE_SECONDS,
    watch,
)
from tests.steelyard.rollout.sample import policy

NOW = 1_800_000_000.0
HOME = {"v0": 0, "v1": 100, "v2": 0}
FIRST = {"v0": 0, "v1": 90, "v2": 10}
SECOND = {"v0": 0, "v1": 50, "v2": 50}
FULL = {"v0": 0, "v1": 0, "v2": 100}

LOCK = Lock(
    endpoint="scales",
    rollout="r1",
    generation=1,
    phase="progressing",
    champion="v1",
    challenger="v2",
    others=("v0",),
    policy=canonical(policy().to_dict()),
    seq=5,
    step=0,
    config="config-1",
    since=NOW - 60,
    began_at=NOW - 600,
    deadline=NOW + 3600,
    lease_until=NOW + 60,
)
LIVE = Live("InService", "config-1", NOW - 86400, FIRST, True)
ABORTING = replace(LOCK, phase="aborting")


def lock(**changes):
    return replace(LOCK, **changes)


def live(weights=FIRST, **changes):
    return replace(LIVE, weights=weights, **changes)


def deed(lock, live, champion="v1"):
    return watch(lock, live, NOW, champion).deed


@pytest.mark.parametrize(
    ("lock", "live"),
    [
        (lock(), live()),
        (lock(phase="paused"), live()),
        (lock(lease_until=NOW), live()),
        (lock(deadline=NOW), live()),
        (lock(step=-1, since=None, lease_until=None), live(HOME)),
        (lock(step=-1, since=None, lease_until=None), live({"v0": 0, "v1": 1, "v2": 0})),
        (lock(since=None), live(HOME)),  # asked for and not yet in force
        (lock(since=None), live(FIRST)),  # in force and not yet verified
        (lock(since=None), live(HOME, status="Updating", is_still=False)),
        (lock(step=1, since=None), live(FIRST)),
        (lock(step=1), live(SECOND)),
        (lock(step=2), live(FULL)),
        (lock(), live(status="SystemUpdating", is_still=False)),
    ],
)
def test_a_rollout_that_is_as_the_ledger_says_is_left_alone(lock, live):
    assert watch(lock, live, NOW, "v1").deed == "rest"


@pytest.mark.parametrize("phase", UNDER_WAY)
@pytest.mark.parametrize(
    ("changes", "live", "said"),
    [
        ({"lease_until": NOW - 1}, LIVE, "the lease of v2's weight has expired"),
        ({"lease_until": None}, LIVE, "the lease of v2's weight has expired"),
        ({"deadline": NOW - 90}, LIVE, "the rollout's deadline passed 90 s ago"),
        ({"step": -1, "since": None, "deadline": NOW - 1}, live(HOME), "deadline passed 1 s ago"),
        ({}, live(config="config-2"), "scales runs on config-2, the rollout began on config-1"),
        ({}, live(created_at=NOW - 599), "scales was created anew after the rollout began"),
        ({}, live(SECOND), "its weights are v0 0, v1 50, v2 50, which step 0 never asked"),
        ({}, live(HOME), "its weights are v0 0, v1 100, v2 0"),  # in force before, gone now
        ({"since": None}, live(SECOND), "v2 50"),
        ({"step": 1, "since": None}, live(HOME), "step 1 never asked"),
        ({"step": 1}, live(FIRST), "step 1 never asked"),
        ({"step": -1, "since": None}, live(FIRST), "step -1 never asked"),
        ({}, live({"v1": 90, "v2": 10}), "its weights are v1 90, v2 10"),  # a variant is gone
        ({}, None, "the endpoint scales is gone"),
    ],
)
def test_each_thing_that_breaks_a_rollout_aborts_it_and_is_named(phase, changes, live, said):
    action = watch(lock(phase=phase, **changes), live, NOW, "v1")

    assert action.deed == "mark"
    assert said in action.reason


def test_everything_that_broke_it_is_said():
    broken = lock(lease_until=NOW - 1, deadline=NOW - 1)

    action = watch(broken, live(SECOND, config="config-2"), NOW, "v1")

    assert len(action.reason.split("; ")) == 4


@pytest.mark.parametrize(
    ("lock", "live", "expected"),
    [
        (ABORTING, live(FIRST), "shift"),
        (ABORTING, live(HOME, is_still=False), "shift"),
        (ABORTING, live({"v1": 90, "v2": 10}), "shift"),
        (ABORTING, live(HOME), "note"),
        (ABORTING, live({"v1": 1, "v2": 0}), "note"),
        (ABORTING, live(FIRST, status="Updating", is_still=False), "note"),
        (ABORTING, live({"v2": 1}), "note"),
        (ABORTING, None, "end"),
        (replace(ABORTING, step=-1), live(FULL), "end"),
        (replace(ABORTING, step=-1, suspended=("v1",)), live(HOME), "note"),
    ],
)
def test_a_rollout_that_aborts_goes_home_by_the_next_thing_to_do(lock, live, expected):
    assert deed(lock, live) == expected


def test_the_champion_gets_everything_and_every_variant_that_is_there_is_named():
    assert watch(ABORTING, live({"v1": 90, "v2": 10, "v9": 0}), NOW, "v1").weights == {
        "v1": 100,
        "v2": 0,
        "v9": 0,
    }


@pytest.mark.parametrize("lock", [ABORTING, replace(ABORTING, step=-1, suspended=("v1", "v2"))])
@pytest.mark.parametrize(
    ("seconds", "expected"), [(0, "wait"), (IN_FLIGHT_SECONDS - 1, "wait"), (60, "end")]
)
def test_an_abort_has_ended_when_no_call_can_be_in_flight_any_more(lock, seconds, expected):
    assert watch(lock, live(HOME), NOW, "v1").changes == {"home_at": NOW, "token": None}
    assert deed(replace(lock, home_at=NOW - seconds), live(HOME)) == expected


def test_a_call_that_was_in_flight_at_the_mark_is_undone():
    assert deed(replace(ABORTING, home_at=NOW - 30), live(FIRST)) == "shift"


@pytest.mark.parametrize("status", ["Updating", "SystemUpdating", "RollingBack", "Failed"])
def test_a_platform_that_refuses_is_waited_for_and_then_a_person_is_told_now_and_again(status):
    stuck = live(FIRST, status=status, is_still=False)

    first = watch(ABORTING, stuck, NOW, "v1")
    assert (first.deed, first.changes) == ("note", {"page_at": NOW + PATIENCE_SECONDS})
    assert deed(replace(ABORTING, page_at=NOW + 1), stuck) == "wait"
    page = watch(replace(ABORTING, page_at=NOW), stuck, NOW, "v1")
    assert (page.deed, page.changes) == ("page", {"page_at": NOW + PAGE_SECONDS})
    assert page.reason == f"weights of scales are not home at v1 yet: it is {status}"


def test_a_champion_that_is_gone_is_a_matter_for_a_person_at_once_named():
    action = watch(replace(ABORTING, page_at=NOW), live({"v2": 1}), NOW, "v1")

    assert action.deed == "page"
    assert "its champion v1 is gone: v2 are left" in action.reason


@pytest.mark.parametrize("phase", ["aborted", "promoted"])
def test_scaling_is_let_go_only_when_no_rollout_is_under_way(phase):
    assert deed(lock(phase=phase, suspended=("v1", "v2")), live(HOME)) == "resume"
    assert deed(lock(phase=phase, suspended=("v1",)), None) == "resume"


@pytest.mark.parametrize("phase", ACTIVE)
def test_scaling_is_held_while_one_is(phase):
    assert deed(lock(phase=phase, suspended=("v1", "v2")), LIVE) != "resume"


@pytest.mark.parametrize(
    ("lock", "live", "champion", "differs"),
    [
        (None, live(HOME), "v1", False),
        (None, live(FIRST), "v1", True),
        (None, live(FULL), "v1", True),  # old, and no rollout ever: people moved it
        (None, None, "v1", False),
        (lock(phase="aborted"), live(HOME), "v1", False),
        (lock(phase="aborted"), live(FIRST), "v1", True),
        (lock(phase="promoted"), live(FULL), "v1", False),  # until the file says so, too
        (lock(phase="promoted"), live(HOME), "v1", True),
        (lock(phase="promoted"), live(FULL), "v2", False),
        (lock(phase="promoted"), live(HOME, created_at=NOW - 1), "v1", False),  # created anew
    ],
)
def test_at_rest_it_only_compares(lock, live, champion, differs):
    action = watch(lock, live, NOW, champion)

    assert (action.deed, action.differs) == ("rest", differs)


OLDEST = {"v0": 1, "v1": 0, "v2": 0}


@pytest.mark.parametrize(
    "lock", [None, lock(phase="aborted"), lock(phase="promoted", challenger="v1", champion="v0")]
)
@pytest.mark.parametrize("age", [0, 600 - 1])
def test_a_new_endpoint_s_traffic_goes_to_the_champion_that_the_file_names(lock, age):
    action = watch(lock, live(OLDEST, created_at=NOW - age), NOW, "v1")

    assert (action.deed, action.weights) == ("shift", HOME)


@pytest.mark.parametrize(
    ("lock", "live"),
    [
        (None, live(OLDEST, created_at=NOW - NEWBORN_SECONDS - 1)),
        (None, live(OLDEST, created_at=NOW, status="Creating", is_still=False)),
        (None, live({"v0": 1, "v2": 0}, created_at=NOW)),
        (None, live({"v0": 1, "v1": 1, "v2": 0}, created_at=NOW)),
        (lock(phase="aborted"), live(OLDEST, created_at=NOW - 601)),
        (lock(phase="aborted", challenger="v1"), live(OLDEST, created_at=NOW)),
    ],
)
def test_any_other_endpoint_s_weights_are_not_touched_at_rest(lock, live):
    assert deed(lock, live) == "rest"


moments = st.none() | st.floats(NOW - 1e5, NOW + 1e5)
locks = st.builds(
    lock,
    phase=st.sampled_from([*ACTIVE, "aborted", "promoted"]),
    challenger=st.sampled_from(["v2", "v0"]),
    others=st.just(()),
    step=st.integers(-1, 2),
    config=st.sampled_from(["config-1", "config-2"]),
    since=moments,
    began_at=st.floats(NOW - 1e5, NOW),
    deadline=moments,
    lease_until=moments,
    suspended=st.sampled_from([(), ("v1",), ("v1", "v2")]),
    home_at=moments,
    page_at=moments,
)
lives = st.none() | st.builds(
    live,
    weights=st.dictionaries(
        st.sampled_from(["v0", "v1", "v2", "v3"]), st.sampled_from([0.0, 1.0, 10.0, 50.0, 100.0])
    ),
    status=st.sampled_from(["InService", "Updating", "SystemUpdating", "Creating"]),
    config=st.sampled_from(["config-1", "config-2"]),
    created_at=st.floats(NOW - 1e5, NOW),
    is_still=st.booleans(),
)


@given(lock=st.none() | locks, live=lives, champion=st.sampled_from(["v0", "v1", "v2"]))
def test_no_challenger_is_ever_given_a_weight(lock, live, champion):
    action = watch(lock, live, NOW, champion)

    event(f"{lock and lock.phase}: {action.deed}")
    raised = {variant for variant, weight in action.weights.items() if weight > 0}
    if action.deed == "shift":
        assert set(action.weights) == set(live.weights)
        assert len(raised) == 1
    else:
        assert raised == set()
    if lock is None or lock.phase == "promoted":
        assert raised <= {champion}
    elif lock.phase == "aborted":
        assert raised <= {champion} - {lock.challenger}
    else:
        assert raised <= {lock.champion}


@given(lock=locks, live=lives)
def test_what_is_under_way_and_broken_is_always_stopped(lock, live):
    """The lease bounds a challenger's weight, whoever else is alive."""
    expired = lock.step >= 0 and (lock.lease_until is None or lock.lease_until < NOW)
    late = lock.deadline is not None and lock.deadline < NOW

    if lock.phase in UNDER_WAY and (expired or late):
        assert deed(lock, live) == "mark"


@given(lock=locks, live=lives)
def test_an_abort_ends_only_where_no_weight_is_left_but_the_champion_s(lock, live):
    if deed(lock, live) == "end" and lock.step >= 0 and live is not None:
        assert {variant for variant, weight in live.weights.items() if weight > 0} == {"v1"}
