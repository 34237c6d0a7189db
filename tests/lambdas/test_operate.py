"""A person's orders: what each changes, what is recorded of it, and what is refused."""

import boto3
import pytest

from lambdas import operate
from steelyard.rollout.policy import canonical
from tests.lambdas.world import conducted
from tests.steelyard.rollout.sample import policy


def order(world, name, **more):
    event = {"order": name, "actor": "anna", "reason": "lunch", "now": world.iso(), **more}
    return operate.handler(event, None)


def test_a_pause_has_an_end_and_says_so(world):
    world.hold()

    answer = order(world, "pause")

    assert answer["done"]
    assert answer["rollout"] == "r1"
    assert answer["said"].startswith("paused at step 0: it is aborted at 2027-01-15 08:30:00 UTC")
    assert (world.lock().phase, world.lock().pause_until) == ("paused", world.now + 1800)


def test_an_order_is_recorded_with_who_gave_it_and_why(world):
    world.hold()

    answer = order(world, "pause")

    (record,) = world.records()
    assert (record["kind"], record["actor"], record["reason"]) == ("acted", "operator", "lunch")
    assert record["body"] == {"order": "pause", "by": "anna", "done": answer["said"]}
    assert (record["at"], record["step"], world.lock().seq) == (world.now, 0, 2)


def test_a_resumed_bake_begins_anew(world):
    world.hold(phase="paused", pause_until=world.now + 60, since=world.now - 600, gate="promotion")

    assert order(world, "resume")["done"]

    lock = world.lock()
    assert (lock.phase, lock.pause_until) == ("progressing", None)
    assert (lock.since, lock.gate) == (world.now, None)


def test_weights_that_are_not_in_force_yet_do_not_bake_after_a_resume(world):
    world.hold(phase="paused", pause_until=world.now + 60, asked_at=world.now - 600)

    assert order(world, "resume")["done"]

    assert (world.lock().since, world.lock().asked_at) == (None, world.now)


@pytest.mark.parametrize("phase", ["progressing", "paused"])
def test_approving_a_gate_opens_it_and_ends_no_pause(world, phase):
    world.hold(phase=phase, step=1, gate="promotion", approved=["start"])

    assert order(world, "approve")["said"] == "the promotion is approved"

    assert world.lock().approved == ("start", "promotion")
    assert world.lock().phase == phase


def test_approving_a_paused_step_lets_it_go_on_from_where_it_is(world):
    world.hold(phase="paused", step=1, since=world.now - 600, pause_until=world.now + 60)

    answer = order(world, "approve")

    lock = world.lock()
    assert answer["said"] == "step 1 is approved as it is, and advances if its data are fresh"
    assert (lock.approved, lock.phase, lock.since) == (("1",), "progressing", world.now - 600)


def test_approving_twice_is_as_good_as_once(world):
    world.hold(phase="paused", step=1, approved=["1"])

    order(world, "approve")

    assert world.lock().approved == ("1",)


@pytest.mark.parametrize(
    ("held", "name", "why"),
    [
        ({}, "stop", "order is 'stop': give one of pause, resume, approve"),
        ({}, "resume", "rollout r1 is not paused: there is nothing to resume"),
        ({}, "approve", "rollout r1 at step 0 waits for nobody's approval"),
        ({"step": -1}, "approve", "rollout r1 at the start waits for nobody's approval"),
        ({"step": -1, "phase": "paused"}, "approve", "waits for nobody's approval"),
        ({"gate": "start", "approved": ["start"]}, "approve", "waits for nobody's approval"),
        (
            {"phase": "paused", "pause_until": 1_800_000_000},
            "pause",
            "rollout r1 is paused already until 2027-01-15 08:00:00 UTC: resume it",
        ),
        (
            {"policy": canonical(policy(pause_seconds=0).to_dict())},
            "pause",
            "the policy gives a pause 0 s: set rollout.pause in the endpoint file",
        ),
        ({"step": 2, "since": 1}, "pause", "the soak of v2 is over, it is being released"),
        (
            {"phase": "aborting"},
            "pause",
            "no rollout of scales-test is under way: the last, r1, is",
        ),
        ({"phase": "aborted"}, "resume", "the last, r1, is aborted"),
        ({"phase": "promoted"}, "approve", "the last, r1, is promoted"),
        ({"rollout": "r2"}, "pause", "rollout is 'r1', under way is r2: name that one, or none"),
    ],
)
def test_an_order_that_makes_no_sense_now_is_refused_and_changes_nothing(world, held, name, why):
    world.hold(**held)
    before = world.lock()

    answer = order(world, name, rollout="r1")

    assert answer["done"] is False
    assert why in answer["said"]
    assert (world.lock(), world.records()) == (before, [])


def test_before_the_first_rollout_there_is_nothing_to_order(world):
    assert "there was none yet" in order(world, "pause")["said"]


def test_a_soak_that_still_waits_can_be_paused(world):
    world.hold(step=2, since=world.now, token="t")

    assert order(world, "pause")["done"]


def test_an_order_that_always_meets_another_writer_is_given_back(world):
    world.hold()
    world.occupy("r1", 1)

    answer = order(world, "pause")

    assert answer == {
        "done": False,
        "said": "others wrote the ledger at every attempt: give the order again",
    }


def test_an_order_that_met_another_writer_is_carried_out_on_what_is_there_then(world, monkeypatch):
    world.hold()
    session, others = boto3.Session(), [7]

    def overtake(**_call):
        if others:
            world.hold(seq=others.pop(), lease_until=2.5)

    session.events.register("before-call.dynamodb.TransactWriteItems", overtake)
    monkeypatch.setattr(boto3, "DEFAULT_SESSION", session)

    assert order(world, "pause")["done"]

    lock = world.lock()
    assert (lock.seq, lock.phase, lock.lease_until) == (8, "paused", 2.5)


def test_promotion_is_approved_only_once_the_step_before_it_waits(world):
    world.hold(step=1, since=world.now, policy=conducted(confirm=["promotion"]))

    assert order(world, "approve")["done"] is False
