"""Each verdict follows from what was stored before it, byte for byte."""

import json
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from steelyard.audit.reading import Unreadable, read, tampered
from steelyard.audit.recompute import differences
from steelyard.rollout.ledger import Record
from tests.steelyard.audit.rollout import Rollout


def audited(rollout: Rollout) -> list[Any]:
    return list(differences(read(rollout.texts)))


def changed(record: Record, **body: Any) -> Record:
    return replace(record, body={**record.body, **body})


def index_of(records: list[Record], kind: str, nth: int = 0) -> int:
    return [place for place, record in enumerate(records) if record.kind == kind][nth]


def test_a_promotion_is_recomputed_from_its_records_alone():
    rollout = Rollout().history(5).step(0).minutes(12).step(1).minutes(12).step(2).minutes(16)

    assert audited(rollout.release()) == []


def test_an_abort_is_recomputed_from_its_records_alone():
    rollout = Rollout().step(0).minutes(4).minutes(6, errors=0.3).abort()

    assert any(record.body.get("outcome") == "abort" for record in rollout.records)
    assert audited(rollout) == []


def test_a_bake_that_was_resumed_is_recomputed_from_its_new_beginning():
    assert audited(Rollout().step(0).minutes(5).resume().minutes(5)) == []


def test_a_resume_before_the_first_tick_of_a_step_begins_the_bake():
    assert audited(Rollout().step(0).resume().minutes(3)) == []


@settings(max_examples=15, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["minutes", "resume"]), st.integers(1, 3), st.floats(0, 0.2)),
        max_size=5,
    )
)
def test_whatever_happens_in_a_step_its_verdicts_are_recomputed(acts):
    rollout = Rollout().history(2).step(0)
    for act, count, errors in acts:
        if act == "resume":
            rollout.resume()
        else:
            rollout.minutes(count, errors)

    assert audited(rollout) == []


def test_a_verdict_that_was_changed_is_named_with_both_texts():
    rollout = Rollout().step(0).minutes(3)
    place = index_of(rollout.records, "decided", 1)
    said = {"outcome": "advance", "reasons": ["all is well"]}
    rollout.records[place] = changed(rollout.records[place], verdict=said)

    (found,) = audited(rollout)

    assert (found.seq, found.what) == (place, "verdict")
    assert json.loads(found.stored)["verdict"] == said
    assert json.loads(found.recomputed)["verdict"]["outcome"] == "continue"


def test_evidence_that_was_changed_in_its_last_digit_is_named():
    rollout = Rollout().step(0).minutes(3)
    place = index_of(rollout.records, "decided", 2)
    evidence = rollout.records[place].body["evidence"]
    small = {**evidence, "errors": evidence["errors"] + 0.000001}
    rollout.records[place] = changed(rollout.records[place], evidence=small)

    assert [it.seq for it in audited(rollout)] == [place]


def test_a_measurement_that_was_changed_shows_in_every_verdict_after_it():
    rollout = Rollout().step(0).minutes(4)
    place = index_of(rollout.records, "measured", 1)
    point = rollout.records[place].body["challenger"]
    rollout.records[place] = changed(rollout.records[place], challenger={**point, "em": 50})

    assert [it.seq for it in audited(rollout)] == [
        record.seq for record in rollout.records[place:] if record.kind == "decided"
    ]


def test_a_record_without_a_verdict_differs_from_the_one_that_follows():
    rollout = Rollout().step(0).minutes(1)
    place = index_of(rollout.records, "decided")
    body = {name: it for name, it in rollout.records[place].body.items() if name != "verdict"}
    rollout.records[place] = replace(rollout.records[place], body=body)

    (found,) = audited(rollout)

    assert json.loads(found.stored)["verdict"] is None


def test_where_a_record_cannot_be_folded_the_audit_ends_and_says_so():
    rollout = Rollout().step(0).minutes(1).step(1).minutes(2)
    place = index_of(rollout.records, "acted", 3)
    rollout.records[place] = replace(rollout.records[place], step=7)

    (found,) = audited(rollout)

    assert found.what == "measured"
    assert found.recomputed.startswith("no state: step 7 cannot follow step 0")


@pytest.mark.parametrize(
    ("kind", "body", "lacks"),
    [
        ("measured", {}, "'champion'"),
        ("measured", {"champion": 1, "challenger": None}, "'int' object"),
        ("decided", {}, "'evidence'"),
        ("decided", {"evidence": {}}, "'together'"),
    ],
)
def test_a_record_whose_body_lacks_a_part_is_refused_with_its_place(kind, body, lacks):
    rollout = Rollout().step(0).minutes(1)
    place = index_of(rollout.records, kind)
    rollout.records[place] = replace(rollout.records[place], body=body)

    with pytest.raises(Unreadable) as refusal:
        read(rollout.texts)

    (problem,) = refusal.value.problems
    assert problem.startswith(f"record {place}: given ")
    assert f"lacks or mistakes {lacks}" in problem


def test_untouched_records_show_no_tampering():
    rollout = Rollout().step(0).minutes(2)

    assert list(tampered(rollout.texts, rollout.records, len(rollout.records))) == []


def test_a_record_that_was_written_otherwise_is_named():
    rollout = Rollout().step(0)
    texts = rollout.texts
    texts[1] = texts[1].replace(":", ": ")

    (found,) = tampered(texts, read(texts), None)

    assert (found.seq, found.stored, found.recomputed) == (1, texts[1], rollout.texts[1])


@pytest.mark.parametrize(("gone", "missing"), [([2], [2]), ([0, 1], [0, 1])])
def test_a_record_that_is_missing_is_named(gone, missing):
    texts = [text for seq, text in enumerate(Rollout().step(0).minutes(1).texts) if seq not in gone]

    assert [it.seq for it in tampered(texts, read(texts), None)] == missing


def test_records_that_are_missing_at_the_end_are_noticed_by_the_lock_s_count():
    texts = Rollout().step(0).texts

    assert [it.seq for it in tampered(texts[:-1], read(texts[:-1]), 3)] == [2]


@pytest.mark.parametrize("text", ["", "[]", "null", '{"seq": 1}', "no JSON"])
def test_what_is_no_record_is_refused_with_its_place(text):
    with pytest.raises(Unreadable) as refusal:
        read([Rollout().texts[0], text])

    (problem,) = refusal.value.problems
    assert problem.startswith(f"record 1: given {text!r}")


@pytest.mark.parametrize("policy", [None, {}, "a word", {"steps": []}])
def test_without_a_policy_that_can_be_used_nothing_is_recomputed(policy):
    rollout = Rollout()
    rollout.records[0] = changed(rollout.records[0], policy=policy)

    with pytest.raises(Unreadable, match="record 0: its policy lacks or mistakes"):
        audited(rollout)


def test_without_its_first_record_nothing_is_recomputed():
    rollout = Rollout().step(0)

    with pytest.raises(Unreadable, match="no record of the kind requested"):
        list(differences(rollout.records[1:]))
