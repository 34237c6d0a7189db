"""Guard: deployments wait for rollouts, rollouts for deployments, and neither for ever."""

import json
import threading
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from lambdas import guard
from lambdas.aws import Ledger, LedgerConflict
from steelyard.rollout.ledger import ACTIVE, Record
from tests.lambdas.world import ENDPOINT, TABLE


@pytest.fixture(scope="module")
def mailbox():
    """Give an address that takes answers as CloudFormation's does, and what it took."""
    taken = []

    class Handler(BaseHTTPRequestHandler):
        def do_PUT(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            taken.append((self.headers["Content-Type"], body))
            self.send_response(200)
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, *_arguments):
            pass

    server = HTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}/answer", taken
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture
def ask(world, mailbox):
    """Send the guard an event of CloudFormation's; give its answer."""
    url, taken = mailbox

    def send(role="take", content="new", before=None, kind="Update", stack="endpoint", **more):
        event = {
            "RequestType": kind,
            "ResponseURL": url,
            "StackId": "stack-1",
            "RequestId": "request-1",
            "LogicalResourceId": f"Guard{role.title()}",
            "ResourceProperties": {"Role": role, "Stack": stack, "Hash": content, **more},
        }
        if kind == "Update":
            event["OldResourceProperties"] = {"Role": role, "Stack": stack, "Hash": before}
        guard.handler(event, None)
        content_type, body = taken.pop()
        assert not content_type
        assert taken == []
        return json.loads(body)

    return send


@pytest.fixture
def deployed(world, ask):
    """Let both stacks have been deployed once, with the content `old`."""
    for stack in ("monitoring", "endpoint"):
        for role in ("take", "give"):
            assert ask(role, "old", kind="Create", stack=stack)["Status"] == "SUCCESS"


def claimed():
    return Ledger(TABLE, ENDPOINT).claimed()


def accepted(stack="endpoint"):
    return Ledger(TABLE, ENDPOINT).accepted(stack)


def test_a_deployment_holds_rollouts_off_from_its_beginning_to_its_end(world, deployed, ask):
    assert ask("take", before="old")["Status"] == "SUCCESS"
    claim = claimed()
    assert (claim.stack, claim.hash) == ("endpoint", "new")
    end = Ledger(TABLE, ENDPOINT).now() + guard.CLAIM_SECONDS
    assert claim.until == pytest.approx(end, abs=2)

    assert ask("give", before="old")["Status"] == "SUCCESS"
    assert claimed() is None


@pytest.mark.parametrize("phase", ACTIVE)
def test_a_rollout_in_progress_refuses_a_deployment_and_says_which_and_what_to_do(
    world, deployed, ask, phase
):
    world.hold(phase=phase)

    answer = ask("take", before="old")

    assert answer["Status"] == "FAILED"
    assert answer["Reason"] == (
        f"rollout r1 of scales-test is {phase}, and a deployment of endpoint could "
        "disturb it: wait until it has ended, end it with `steelyard abort`, "
        'or deploy in spite of it with -c override="who: why"'
    )
    assert claimed() is None


@pytest.mark.parametrize("phase", ["aborted", "promoted"])
def test_a_rollout_that_has_ended_refuses_nothing(world, deployed, ask, phase):
    world.hold(phase=phase)

    assert ask("take", before="old")["Status"] == "SUCCESS"


def test_the_way_back_of_a_refused_deployment_is_not_refused(world, deployed, ask):
    world.hold()
    assert ask("take", before="old")["Status"] == "FAILED"

    assert ask("take", "old", before="new")["Status"] == "SUCCESS"
    assert accepted() == "old"


@pytest.mark.parametrize("lasted", [60, guard.CLAIM_SECONDS + 60])
def test_the_way_back_of_a_deployment_that_broke_off_is_not_refused_by_a_later_rollout(
    world, deployed, ask, lasted
):
    ask("take", before="old")
    world.aws.clock.advance(lasted)
    world.hold()

    assert ask("take", "old", before="new")["Status"] == "SUCCESS"

    # What is accepted and held is as if nothing had been deployed.
    assert (accepted(), claimed()) == ("old", None)
    assert ask("take", "newer", before="old")["Status"] == "FAILED"
    assert ask("take", "old", before="newer")["Status"] == "SUCCESS"
    assert world.records()[-1]["reason"].endswith("CloudFormation undoes a deployment")


def test_a_finished_deployment_is_undone_only_as_a_deployment_of_its_own(world, deployed, ask):
    ask("take", before="old")
    ask("give", before="old")
    world.hold()

    assert ask("take", "old", before="new")["Status"] == "FAILED"


def test_what_broke_off_in_one_stack_opens_no_way_for_another(world, deployed, ask):
    ask("take", before="old", stack="monitoring")
    world.hold()

    assert ask("take", "older", before="new", stack="endpoint")["Status"] == "FAILED"


@pytest.mark.parametrize("role", ["take", "give"])
def test_a_delete_succeeds_whatever_is_in_progress_and_without_the_ledger(
    world, ask, monkeypatch, role
):
    world.hold()
    monkeypatch.setenv("STEELYARD_LEDGER", "gone")

    assert ask(role, kind="Delete")["Status"] == "SUCCESS"


def test_an_override_is_let_through_and_the_rollout_s_record_says_who_and_why(world, deployed, ask):
    world.hold(seq=4, step=1)

    answer = ask("take", before="old", Override="ada: the fix of incident 7")

    assert answer["Status"] == "SUCCESS"
    (record,) = world.records()
    assert (record["seq"], record["kind"], record["actor"]) == (4, "acted", "guard")
    assert record["reason"] == (
        "endpoint is deployed in spite of the rollout: ada: the fix of incident 7"
    )
    assert record["body"]["override"] == "ada: the fix of incident 7"
    assert record["at"] == pytest.approx(Ledger(TABLE, ENDPOINT).now(), abs=2)
    assert world.lock().phase == "progressing"


def test_an_override_with_nothing_in_progress_is_a_deployment_like_any_other(world, deployed, ask):
    world.hold(phase="promoted")

    assert ask("take", before="old", Override="ada: why not")["Status"] == "SUCCESS"
    assert world.records() == []


def test_a_repeated_take_changes_nothing(world, deployed, ask):
    ask("take", before="old")
    before = claimed()
    world.aws.clock.advance(60)

    assert ask("take", before="old")["Status"] == "SUCCESS"
    assert claimed() == before


def test_a_give_ends_no_other_stack_s_claim(world, deployed, ask):
    ask("take", before="old", stack="monitoring")

    assert ask("give", before="old", stack="endpoint")["Status"] == "SUCCESS"
    assert claimed().stack == "monitoring"


@pytest.mark.parametrize("role", ["take", "give"])
def test_an_error_is_answered_with_its_sentence_and_never_with_silence(
    world, ask, monkeypatch, role
):
    monkeypatch.setenv("STEELYARD_LEDGER", "gone")

    answer = ask(role, before="old")

    assert answer["Status"] == "FAILED"
    assert "ResourceNotFound" in answer["Reason"]


def test_who_always_meets_another_writer_is_told_to_deploy_again(world, deployed, ask):
    world.hold(seq=4)
    world.occupy("r1", 4)

    answer = ask("take", before="old", Override="ada: why not")

    assert answer["Status"] == "FAILED"
    assert answer["Reason"].endswith("at the same time, 3 times: deploy again")


def test_an_answer_names_its_request_and_keeps_the_resource_s_identity(world, ask):
    first = ask("take", kind="Create")
    later = ask("take", "newer", before="new", kind="Update")

    assert {it["PhysicalResourceId"] for it in (first, later)} == {"endpoint-take"}
    for answer in (first, later):
        assert (answer["StackId"], answer["RequestId"]) == ("stack-1", "request-1")
        assert answer["LogicalResourceId"] == "GuardTake"


def test_a_long_reason_is_cut_to_what_an_answer_may_hold(world, deployed, ask):
    world.hold(rollout="r" * 3000)

    assert len(ask("take", before="old")["Reason"]) == guard.REASON_CHARACTERS


def test_no_rollout_begins_while_a_deployment_is_under_way(world, deployed, ask):
    world.hold(phase="promoted")
    fresh = replace(
        world.lock(), rollout="r2", phase="progressing", generation=2, began_at=world.now, seq=1
    )
    record = Record(0, world.now, "requested", "acquire", -1, {}, "a test", {})
    ask("take", before="old")

    with pytest.raises(LedgerConflict):
        Ledger(TABLE, ENDPOINT).acquire(fresh, record)

    ask("give", before="old")
    Ledger(TABLE, ENDPOINT).acquire(fresh, record)
