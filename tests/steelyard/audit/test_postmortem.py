"""A post-mortem says what the records say, and leaves room for what they cannot."""

import re

import pytest

from steelyard.audit import postmortem
from steelyard.audit.reading import Difference, Unreadable
from tests.steelyard.audit.rollout import Rollout


def written(rollout: Rollout, found: tuple[Difference, ...] = ()) -> str:
    return postmortem.write("scales-test", "r1", rollout.records, found)


@pytest.fixture
def aborted() -> Rollout:
    return Rollout().step(0).minutes(8).minutes(4, errors=1.0).abort(seconds=20)


def test_it_has_all_sections_in_their_order(aborted: Rollout):
    assert re.findall(r"^#+ (.*)", written(aborted), re.M) == [
        "Post-mortem: rollout r1 of scales-test",
        "Impact",
        "Timeline",
        "Decisions",
        "What worked",
        "Root cause",
        "What did not work",
        "Where we were lucky",
        "Actions",
    ]


def test_it_says_the_impact_in_numbers(aborted: Rollout):
    page = written(aborted)

    assert "| requests to the challenger, measured | 720 |" in page
    assert "| first bad minute | 2027-01-15 08:08:00 |" in page
    assert "| seconds from the first bad minute to weight 0 | 350 |" in page
    assert re.search(r"\| errors \| 240 \| 240 \| 0\.\d\d% \| 23\d \|", page)


def test_it_tells_every_decision_with_its_reasons(aborted: Rollout):
    reasons = [it.reason for it in aborted.records if it.body.get("outcome") == "abort"]

    assert f"**abort**. {reasons[-1]}" in written(aborted)


def test_it_tells_who_stopped_it_and_how_fast_traffic_was_home(aborted: Rollout):
    page = written(aborted)

    assert "- Stopped by rollback: judge: errors." in page
    assert "- Traffic was home 20 s after weight 0 was asked for." in page


def test_it_says_that_the_audit_holds_or_does_not(aborted: Rollout):
    difference = Difference(3, "verdict", "a", "b")

    assert "- All 12 verdicts were recomputed from the ledger, byte for byte." in written(aborted)
    assert "**differs** in 1 places" in written(aborted, (difference,))


def test_a_rollout_without_any_weight_says_so():
    page = written(Rollout().abort())

    assert "It ended before the challenger had any weight." in page
    assert "The judge gave no verdict." in page


def test_a_reason_with_a_bar_or_a_line_end_stays_in_its_cell():
    rollout = Rollout()
    rollout.write("acted", "ada", "one | two\nthree")

    (row,) = [line for line in written(rollout).splitlines() if "one" in line]

    assert row.endswith("| ada | acted | one \\| two three |")


def test_without_the_first_record_there_is_none():
    with pytest.raises(Unreadable):
        postmortem.write("scales-test", "r1", Rollout().step(0).records[1:], ())
