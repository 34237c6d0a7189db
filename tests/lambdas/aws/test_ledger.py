"""The ledger on DynamoDB: conditions, transactions, and what happens when it cannot be asked."""

import json
import socket
import threading
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from lambdas.aws import Ledger, LedgerConflict, LedgerUnreachable
from steelyard.rollout.ledger import ACTIVE, Claim, Record
from tests.lambdas.world import ENDPOINT, TABLE

CLAIM = Claim("scales", "abc", 1_800_007_200)
MARKED = {
    **{name: {"S": "x"} for name in ("endpoint", "rollout", "champion", "challenger", "policy")},
    **{name: {"N": "1"} for name in ("generation", "seq")},
    "phase": {"S": "aborting"},
}


def refused(status, code):
    return status, {"__type": f"x#{code}", "message": code}


@contextmanager
def answering(*answers):
    """A DynamoDB that gives these answers, one after the other, at 2027-01-15 08:00:00 UTC."""
    left = list(answers)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            self.rfile.read(int(self.headers["Content-Length"]))
            status, body = left.pop(0)
            content = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def date_time_string(self, timestamp=None):
            return "Fri, 15 Jan 2027 08:00:00 GMT"

        def log_message(self, *_args):
            pass

    with HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


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
    world.hold(rollout="r1", generation=2)
    other = world.lock()
    world.hold(phase="promoted", rollout="r0")

    ledger.acquire(other, record(0))
    with pytest.raises(LedgerConflict):
        ledger.acquire(other, record(1))

    assert world.lock().rollout == "r1"


@pytest.mark.parametrize("generation", [1, 2, 4])
def test_a_rollout_takes_the_lock_only_from_the_one_that_it_has_read(ledger, world, generation):
    world.hold(rollout="r3", generation=generation)
    late = world.lock()
    world.hold(phase="aborted", rollout="r2", generation=2)

    with pytest.raises(LedgerConflict):
        ledger.acquire(late, record(0))

    assert world.lock().rollout == "r2"


def test_a_rollout_does_not_begin_while_a_deploy_claims_the_endpoint(ledger, world):
    world.hold()
    lock = replace(world.lock(), rollout="r2", generation=2, began_at=world.now)
    world.hold(phase="promoted")
    world.claim(lasts=60)

    with pytest.raises(LedgerConflict):
        ledger.acquire(lock, record(0))
    assert world.lock().rollout == "r1"

    ledger.acquire(replace(lock, began_at=world.now + 60), record(0))
    assert world.lock().rollout == "r2"


@pytest.mark.parametrize("phase", ACTIVE)
def test_a_deploy_claims_nothing_while_a_rollout_is_in_progress(ledger, world, phase):
    world.hold(phase=phase)

    with pytest.raises(LedgerConflict):
        ledger.claim(CLAIM)

    assert (ledger.claimed(), ledger.accepted("scales")) == (None, None)


@pytest.mark.parametrize("phase", ["aborted", "promoted"])
def test_a_deploy_claims_the_endpoint_and_gives_it_back_but_its_template_stays_known(
    ledger, world, phase
):
    world.hold(phase=phase)
    ledger.claim(CLAIM)
    assert ledger.claimed() == CLAIM
    assert (ledger.accepted("scales"), ledger.accepted("other")) == ("abc", None)

    assert ledger.give_back("other") is False
    assert ledger.claimed() == CLAIM
    assert ledger.give_back("scales") is True

    assert ledger.claimed() is None
    assert ledger.accepted("scales") == "abc"
    assert ledger.give_back("scales") is False


def test_before_the_first_rollout_a_deploy_claims_the_endpoint(ledger):
    assert ledger.claimed() is None
    ledger.claim(CLAIM)
    assert ledger.claimed() == CLAIM


def test_a_deploy_over_a_rollout_leaves_its_record_there_or_does_not_happen(ledger, world):
    world.hold()
    lock = world.lock()

    ledger.claim(CLAIM, over=(lock, record(1)))
    assert (ledger.claimed(), world.lock().seq) == (CLAIM, 2)
    assert [one["actor"] for one in world.records()] == ["a test"]

    with pytest.raises(LedgerConflict):
        ledger.claim(replace(CLAIM, hash="def"), over=(lock, record(1)))
    assert ledger.accepted("scales") == "abc"


def test_the_ledger_s_time_is_the_one_that_its_answer_carries(world, move):
    with answering((200, {})) as url:
        move("DYNAMODB", url)

        assert Ledger(TABLE, ENDPOINT).now() == 1_800_000_000


@pytest.mark.parametrize(
    ("lock", "condition", "begun_by", "stops"),
    [
        ({}, {"challenger": "v2"}, None, True),
        ({}, {"rollout": "r1"}, None, True),
        ({"phase": "paused"}, {"rollout": "r1"}, None, True),
        ({}, {"challenger": "v1"}, None, False),
        ({}, {"rollout": "r0"}, None, False),
        ({"phase": "aborting"}, {"challenger": "v2"}, None, False),
        ({"phase": "aborted"}, {"challenger": "v2"}, None, False),
        ({"phase": "promoted"}, {"challenger": "v2"}, None, False),
        ({"began_at": 100.5}, {"challenger": "v2"}, 100.5, True),
        ({"began_at": 100.5}, {"challenger": "v2"}, 100.0, False),
        ({"began_at": 100.5}, {"challenger": "v1"}, 101.0, False),
    ],
)
def test_only_the_rollout_under_way_that_is_meant_is_marked(
    ledger, world, lock, condition, begun_by, stops
):
    world.hold(**lock)
    before = world.lock()

    found, stopped = ledger.mark_aborting(condition, begun_by)

    assert stopped is stops
    assert found == world.lock()
    assert world.lock().phase == ("aborting" if stops else before.phase)


@pytest.mark.parametrize("phase", ["progressing", "promoted", "aborted"])
def test_a_revert_marks_what_was_promoted_and_nothing_else(ledger, world, phase):
    world.hold(phase=phase)

    _, stopped = ledger.mark_aborting({"rollout": "r1"}, phases=("promoted",))

    assert stopped is (phase == "promoted")
    assert world.lock().phase == ("aborting" if stopped else phase)


def test_a_table_that_is_gone_is_unreachable(world):
    gone = Ledger("gone", ENDPOINT)
    world.hold()

    with pytest.raises(LedgerUnreachable):
        gone.mark_aborting({"rollout": "r1"})
    with pytest.raises(LedgerUnreachable):
        gone.append(world.lock(), [record(1)])
    with pytest.raises(LedgerUnreachable):
        gone.give_back("scales")


@pytest.mark.parametrize(
    "refusal",
    [
        (500, "InternalServerError"),
        (400, "ThrottlingException"),
        (400, "ProvisionedThroughputExceededException"),
        # The judge's own write of the lock is under way: no SDK tries this one again.
        (400, "TransactionConflictException"),
    ],
)
def test_a_mark_that_was_refused_for_a_moment_is_sent_again(world, move, refusal):
    with answering(refused(*refusal), (200, {"Attributes": MARKED})) as url:
        move("DYNAMODB", url)

        lock, stopped = Ledger(TABLE, ENDPOINT, 1.0).mark_aborting({"rollout": "r1"})

    assert (stopped, lock.phase) == (True, "aborting")


@pytest.mark.parametrize(
    "refusal", [(400, "AccessDeniedException"), (400, "TransactionConflictException")]
)
def test_a_mark_that_is_refused_again_and_again_is_given_up(world, move, refusal):
    with answering(*[refused(*refusal)] * 9) as url:
        move("DYNAMODB", url)

        with pytest.raises(LedgerUnreachable, match=refusal[1]):
            Ledger(TABLE, ENDPOINT, 1.0).mark_aborting({"rollout": "r1"})


def test_a_ledger_that_takes_the_connection_and_does_not_answer_is_given_up_in_time(world, move):
    with socket.create_server(("127.0.0.1", 0)) as mute:
        url = f"http://127.0.0.1:{mute.getsockname()[1]}"
        move("DYNAMODB", url)
        ledger = Ledger(TABLE, ENDPOINT, patience_seconds=0.1)

        with pytest.raises(LedgerUnreachable, match=r"no answer within 0\.1 s|Read timeout"):
            ledger.mark_aborting({"rollout": "r1"})


def test_a_ledger_that_nobody_listens_for_is_unreachable(world, move):
    move("DYNAMODB", "http://127.0.0.1:9")

    with pytest.raises(LedgerUnreachable):
        Ledger(TABLE, ENDPOINT, patience_seconds=0.1).mark_aborting({"rollout": "r1"})
