"""`steelyard audit`: a rollout told from its ledger, each verdict recomputed."""

import json
import re

import pytest

from lambdas import acquire, judge, operate, rollback, set_weights
from tests.lambdas.traffic import Traffic
from tests.lambdas.world import TABLE


class Played:
    """A rollout that the real handlers play, on counters of the local AWS."""

    def __init__(self, world):
        self.world = world
        self._bake = None
        self._traffic = Traffic(world.aws)
        acquire.handler(world.event(), None)

    def minutes(self, count, errors=0):
        """Let minutes pass, each with a tick of the judge."""
        for _ in range(count):
            self._traffic.minute(270, 30 - errors, errors)
            judge.handler({"time": self.world.iso()}, None)
        return self

    def step(self, index, weight):
        """Let a step's weights come into force, and its bake wait."""
        for _ in range(2):
            set_weights.handler(self.world.event(index=index, weight=weight), None)
            self.world.settle()
        if self._bake is not None:
            machine = self._bake.replace(":execution:", ":stateMachine:").rpartition(":")[0]
            self.world.aws.client("stepfunctions").delete_state_machine(stateMachineArn=machine)
        self._bake = self.world.bake()
        return self

    def order(self, name):
        """Let a person give an order."""
        operate.handler(self.world.event(order=name, actor="ada", reason="to see"), None)
        return self

    def abort(self):
        """Let the rollback Lambda bring all weight home, as the state machine calls it."""
        error = {"Error": "JudgedWorse", "Cause": "errors"}
        for _ in range(3):
            rollback.handler(self.world.event(error=error), None)
            self.world.settle()
            self.world.aws.clock.advance(45)
        return self


@pytest.fixture
def played(operated):
    return Played(operated.world)


def test_every_verdict_of_an_aborted_rollout_is_recomputed(operated, played):
    played.minutes(4).step(0, 10).minutes(6).minutes(4, errors=25).abort()

    result = operated.run("audit")

    assert result.exit_code == 0, result.output
    assert re.search(r"\d+ verdicts recomputed from \d+ records: the same, byte for", result.stdout)
    assert "aborted; challenger" in result.stdout
    found = operated.json("audit")
    assert (found["outcome"], found["differences"]) == ("aborted", [])
    assert found["impact"]["bad_since"] is not None
    assert found["impact"]["home"] > found["impact"]["stopped"]
    assert [it["seq"] for it in found["records"]] == list(range(operated.world.lock().seq))


def test_a_pause_and_a_resume_are_recomputed_too(operated, played):
    played.step(0, 10).minutes(3).order("pause").minutes(2).order("resume").minutes(4)

    result = operated.run("audit")

    assert result.exit_code == 0, result.output
    assert "operator ada" in result.stdout
    assert operated.json("audit")["outcome"] == "in progress"


def test_two_steps_are_recomputed(operated, played):
    played.step(0, 10).minutes(14).step(1, 50).minutes(5)

    found = operated.json("audit")

    assert found["differences"] == []
    assert {it["step"] for it in found["records"] if it["kind"] == "decided"} == {0, 1}


def tamper(world, kind, change):
    """Let somebody change the last record of a kind in the table."""
    record = [it for it in world.records() if it["kind"] == kind][-1]
    del record["t_seconds"]
    change(record)
    item = {
        "pk": {"S": "rollout#r1"},
        "sk": {"S": f"{record['seq']:08d}"},
        "record": {"S": json.dumps(record, sort_keys=True, separators=(",", ":"))},
    }
    world.aws.client("dynamodb").put_item(TableName=TABLE, Item=item)
    return record["seq"]


def test_a_changed_record_is_named_with_both_texts_and_ends_with_1(operated, played):
    played.step(0, 10).minutes(5)
    seq = tamper(
        operated.world, "decided", lambda it: it["body"]["verdict"].update(outcome="advance")
    )

    result = operated.run("audit")

    assert result.exit_code == 1
    assert f"record {seq}, verdict: differs" in result.stdout
    stored, recomputed = re.findall(r"^  (?:stored|recomputed) +(\{.*\}) *$", result.stdout, re.M)
    assert '"outcome":"advance"' in stored
    assert '"outcome":"continue"' in recomputed
    assert [it["seq"] for it in operated.json("audit")["differences"]] == [seq]


def test_a_removed_record_is_named(operated, played):
    played.step(0, 10)
    seq = operated.world.lock().seq - 1
    key = {"pk": {"S": "rollout#r1"}, "sk": {"S": f"{seq:08d}"}}
    operated.world.aws.client("dynamodb").delete_item(TableName=TABLE, Key=key)

    result = operated.run("audit")

    assert result.exit_code == 1
    assert f"record {seq}, record: differs" in result.stdout


def test_an_older_rollout_is_audited_by_its_name(operated, played):
    played.step(0, 10).minutes(3).abort()
    operated.world.hold(rollout="r2", generation=2, seq=1)

    assert operated.run("audit", "--rollout", "r1").exit_code == 0
    assert operated.json("audit", "--rollout", "r1")["rollout"] == "r1"


def test_a_rollout_without_records_is_refused_with_the_newest(operated, played):
    result = operated.run("audit", "--rollout", "r7")

    assert result.exit_code == 2
    assert "--rollout: given 'r7', of which scales-test has no record" in result.stderr
    assert "the newest is r1" in result.stderr


def test_records_that_cannot_be_read_are_refused(operated):
    operated.world.hold()

    result = operated.run("audit")

    assert result.exit_code == 2
    assert "rollout r1 cannot be audited:\n  - given no record of the kind req" in result.stderr


def test_a_post_mortem_is_written_beside_what_is_printed(operated, played, tmp_path):
    played.step(0, 10).minutes(2).minutes(4, errors=25).abort()
    paper = tmp_path / "paper.md"

    result = operated.run("audit", "--postmortem", paper)

    assert result.exit_code == 0, result.output
    page = paper.read_text("utf-8")
    assert page.startswith("# Post-mortem: rollout r1 of scales-test\n")
    assert "seconds from the first bad minute to weight 0" in page
    assert "- Stopped by rollback: judge: errors." in page


def test_a_post_mortem_that_has_no_place_is_refused_before_anything_is_read(operated, tmp_path):
    result = operated.run("audit", "--postmortem", tmp_path / "absent" / "paper.md")

    assert result.exit_code == 2
    assert "absent is no folder, allowed is one that exists: make it" in result.stderr
