"""Acquire, on a real ledger."""

import pytest

from lambdas import acquire
from lambdas.acquire import DeployInProgress, NothingOnTrial, RolloutInProgress
from steelyard.rollout.policy import canonical
from tests.lambdas.world import conducted
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
    assert record["body"]["instances"] == {"v0": 1, "v1": 1, "v2": 1}
    assert record["body"]["policy"] == policy().to_dict()
    assert record["reason"] == "promote v2 over v1"


def test_the_steps_end_with_the_soak_and_outlast_the_deadline(world):
    steps = acquire.handler(world.event(), None)["steps"]

    assert [(step["index"], step["weight"]) for step in steps] == [(0, 10), (1, 50), (2, 100)]
    # The rollout's deadline, and a quarter of an hour in which to say so.
    assert [step["timeout_seconds"] for step in steps] == [87300, 87300, 87300]


def test_the_same_rollout_may_ask_twice_and_changes_nothing(world):
    first = acquire.handler(world.event(), None)
    again = acquire.handler(world.event(), None)

    assert again == first
    assert len(world.records()) == 1


def test_the_deadline_counts_from_the_rollout_s_begin(world):
    acquire.handler(world.event(), None)

    lock = world.lock()
    assert (lock.began_at, lock.deadline) == (world.now, world.now + 86400)
    assert (lock.lease_until, lock.gate, lock.approved) == (None, None, ())


@pytest.mark.parametrize(
    ("gates", "waits"), [([], False), (["promotion"], False), (["start"], True)]
)
def test_the_state_machine_hears_whether_a_person_confirms_the_start(
    world, monkeypatch, gates, waits
):
    monkeypatch.setenv("STEELYARD_POLICY", conducted(confirm=gates))

    plan = acquire.handler(world.event(), None)

    assert (plan["confirm"], plan["generation"]) == (waits, 1)


def test_a_rollout_that_was_paused_meanwhile_is_still_the_same_one(world):
    first = acquire.handler(world.event(), None)
    world.hold(phase="paused")

    assert acquire.handler(world.event(), None) == first


def test_scaling_that_the_last_rollout_held_stays_on_the_list(world):
    world.hold(rollout="r0", phase="aborted", suspended=["v1", "v2"])

    acquire.handler(world.event(), None)

    assert world.lock().suspended == ("v1", "v2")


def test_while_a_deploy_is_under_way_no_rollout_begins(world):
    world.claim(lasts=90)

    with pytest.raises(DeployInProgress, match=r"a deploy of scales-test-endpoint .* in 90 s"):
        acquire.handler(world.event(), None)

    assert world.records() == []


def test_a_claim_that_outlived_its_deploy_stops_nobody(world):
    world.claim(lasts=0)

    acquire.handler(world.event(), None)

    assert world.lock().rollout == "r1"


@pytest.mark.parametrize("phase", ["progressing", "paused", "aborting"])
def test_a_rollout_that_is_not_over_refuses_another(world, phase):
    world.hold(rollout="r0", phase=phase)

    with pytest.raises(RolloutInProgress, match=f"rollout r0 of scales-test is {phase}: wait"):
        acquire.handler(world.event(), None)

    assert world.lock().rollout == "r0"
    assert world.records() == []


@pytest.mark.parametrize("phase", ["aborted", "promoted"])
def test_after_a_rollout_that_is_over_the_next_begins_afresh(world, phase):
    # The file's champion is who serves: after a promotion, what was challenger then.
    challenger = "v1" if phase == "promoted" else "v2"
    past = {"step": 2, "since": 1.5, "judge": "{}", "reason": "x", "challenger": challenger}
    world.hold(rollout="r0", phase=phase, generation=4, **past)

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
    world.hold(rollout="r2", phase="aborted")
    world.claim(lasts=0)

    with pytest.raises(RolloutInProgress, match="r1 was the name of an earlier one"):
        acquire.handler(world.event(), None)

    assert world.lock().rollout == "r2"
    assert len(world.records()) == 1


def test_a_champion_that_was_replaced_is_not_rolled_out_from(world):
    world.hold(rollout="r0", phase="promoted")

    with pytest.raises(NothingOnTrial, match=r"v2 serves scales-test since rollout r0.*swap the"):
        acquire.handler(world.event(), None)

    assert (world.lock().rollout, world.lock().phase) == ("r0", "promoted")


def test_without_a_challenger_there_is_nothing_to_roll_out(world, monkeypatch):
    monkeypatch.delenv("STEELYARD_CHALLENGER")

    with pytest.raises(NothingOnTrial, match="scales-test was deployed without a challenger"):
        acquire.handler(world.event(), None)


def test_a_shadow_run_has_one_step_and_says_that_it_promotes_nobody(world, monkeypatch):
    monkeypatch.setenv("STEELYARD_SHADOW", "yes")

    plan = acquire.handler(world.event(), None)

    assert [(step["index"], step["weight"]) for step in plan["steps"]] == [(0, 10)]
    assert (world.lock().kind, world.lock().moved) == ("shadow", False)
    (record,) = world.records()
    assert record["reason"] == "let v2 answer copies of what v1 is asked"


def test_a_pass_is_kept_while_later_rollouts_hold_the_lock(world):
    world.hold(rollout="r0", phase="passed", kind="shadow", passed="v2 over v1 by p")

    acquire.handler(world.event(), None)

    lock = world.lock()
    assert (lock.kind, lock.phase, lock.passed) == ("rollout", "progressing", "v2 over v1 by p")
