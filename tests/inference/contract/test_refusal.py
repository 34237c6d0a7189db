"""Refusals: a closed set of reasons, and when to come again."""

import json

from inference.contract.formats import write_problems
from inference.contract.refusal import REASONS, overloaded


def test_the_reasons_are_those_that_are_counted():
    assert len(set(REASONS)) == len(REASONS) == 15
    assert {"syntax", "missing", "overloaded"} < {*REASONS}


def test_who_comes_at_a_busy_time_is_told_when_to_come_again():
    refused = overloaded("512 requests wait already")

    assert refused.status == 503
    assert int(refused.headers["retry-after"]) >= 1
    assert [problem.reason for problem in refused.problems] == ["overloaded"]
    assert "512 requests wait already" in refused.problems[0].problem


def test_the_reason_is_counted_but_not_answered():
    (error,) = json.loads(write_problems(overloaded("too many").problems))["errors"]

    assert set(error) == {"field", "problem"}
