"""The ledger on DynamoDB: conditions, transactions, and what happens when it cannot be asked."""

import socket

import pytest

from lambdas.aws import Ledger, LedgerConflict, LedgerUnreachable
from steelyard.rollout.ledger import Record
from tests.lambdas.world import ENDPOINT, TABLE


@pytest.fixture
def ledger(world):
    return Ledger(TABLE, ENDPOINT)


def record(seq):
    return Record(seq, 1.5, "acted", "a test", 0, {"v1": 100}, "why not", {})


def test_before_its_first_rollout_an_endpoint_has_no_lock(ledger):
    assert ledger.read() is None
    assert ledger.mark_aborting({"rollout": "r1"}) == (None, False)


def test_a_lock_is_read_as_it_was_changed(ledger, world):
    world.hold()

    ledger.append(world.lock(), [record(1)], step=2, since=1_800_000_000.25, token=None, judge="{}")

    lock = world.lock()
    assert (lock.step, lock.since, lock.token, lock.judge) == (2, 1_800_000_000.25, None, "{}")
    assert (lock.seq, lock.others) == (2, ("v0",))


@pytest.mark.parametrize("changes", [{"rollout": "r2"}, {"seq": 2}, {"phase": "aborting"}], ids=str)
def test_a_lock_that_has_changed_since_it_was_read_takes_nothing(ledger, world, changes):
    world.hold()
    lock = world.lock()
    world.hold(**changes)
    before = world.lock()

    with pytest.raises(LedgerConflict):
        ledger.append(lock, [record(1)], step=2)

    assert world.lock() == before
    assert world.records() == []


def test_a_record_is_never_written_over_and_the_lock_then_stays_as_it_was(ledger, world):
    world.hold()
    lock = world.lock()
    world.occupy("r1", 2)

    with pytest.raises(LedgerConflict):
        ledger.append(lock, [record(1), record(2)], step=2)

    assert world.lock() == lock


def test_only_one_of_two_rollouts_takes_the_lock(ledger, world):
    world.hold(rollout="r1")
    other = world.lock()
    world.hold(phase="promoted", rollout="r0")

    ledger.acquire(other, record(0))
    with pytest.raises(LedgerConflict):
        ledger.acquire(other, record(1))

    assert world.lock().rollout == "r1"


@pytest.mark.parametrize(
    ("lock", "condition", "stops"),
    [
        ({}, {"challenger": "v2"}, True),
        ({}, {"rollout": "r1"}, True),
        ({}, {"challenger": "v1"}, False),
        ({}, {"rollout": "r0"}, False),
        ({"phase": "aborting"}, {"challenger": "v2"}, False),
        ({"phase": "aborted"}, {"challenger": "v2"}, False),
        ({"phase": "promoted"}, {"challenger": "v2"}, False),
    ],
)
def test_only_the_progressing_rollout_that_is_meant_is_marked(
    ledger, world, lock, condition, stops
):
    world.hold(**lock)
    before = world.lock()

    found, stopped = ledger.mark_aborting(condition)

    assert stopped is stops
    assert found == world.lock()
    assert world.lock().phase == ("aborting" if stops else before.phase)


def test_a_table_that_is_gone_is_unreachable(world):
    gone = Ledger("gone", ENDPOINT)
    world.hold()

    with pytest.raises(LedgerUnreachable):
        gone.mark_aborting({"rollout": "r1"})
    with pytest.raises(LedgerUnreachable):
        gone.append(world.lock(), [record(1)])


def test_a_ledger_that_does_not_answer_is_given_up(world, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"http://127.0.0.1:{mute.getsockname()[1]}"
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", url)

        with pytest.raises(LedgerUnreachable, match="Read timeout"):
            Ledger(TABLE, ENDPOINT, patience_seconds=0.2).mark_aborting({"rollout": "r1"})
