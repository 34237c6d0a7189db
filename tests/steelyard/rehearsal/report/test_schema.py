"""What report.json may not say."""

import math
import re
from collections.abc import Callable
from typing import Any

import pytest

from steelyard.rehearsal.report import ReportError, write


def changed(report: dict[str, Any], **fields: Any) -> dict[str, Any]:
    """Return the report with fields of its last rollout replaced."""
    *others, last = report["rollouts"]
    return report | {"rollouts": [*others, last | fields]}


@pytest.mark.parametrize(
    ("break_it", "sentence"),
    [
        (lambda r: r.pop("environment"), "environment is missing"),
        (lambda r: r | {"mood": "good"}, "mood is not a key of report.json"),
        (lambda r: r | {"schema": 2}, "schema: given 2, allowed is 1"),
        (lambda r: changed(r, outcome="gone"), "rollouts.2.outcome: given 'gone', allowed is 'pro"),
        (lambda r: changed(r, requests="12"), "rollouts.2.requests: given '12', allowed is a val"),
        (lambda r: changed(r, t_end=math.nan), "rollouts.2.t_end: given nan, allowed is a finite"),
        (lambda r: changed(r, outcome="promoted"), "rollouts.2: allowed is passed only with the "),
        (lambda r: changed(r, problems=["late"]), "rollouts.2: allowed is passed only with the e"),
        (lambda r: changed(r, scores={"a": {"edges": [0.0], "counts": [1]}}), "2 edges for 1 coun"),
        (lambda r: changed(r, scores={n: {"edges": [0.0, n], "counts": [1]} for n in (1, 2)}),
         "the same score edges for every variant"),
    ],
)  # fmt: skip
def test_what_report_json_may_not_say_is_refused_by_name(
    report, tmp_path, break_it: Callable[[dict[str, Any]], Any], sentence
):
    broken = dict(report)
    result = break_it(broken)
    broken = result if isinstance(result, dict) else broken

    with pytest.raises(ReportError, match=re.escape(sentence)):
        write(broken, tmp_path / "out")

    assert not (tmp_path / "out").exists()


def test_all_problems_are_told_at_once(report, tmp_path):
    with pytest.raises(ReportError) as refusal:
        write(changed(report, t_start=math.inf, bad_requests=None) | {"mood": 1}, tmp_path)

    assert all(f"{n}" in str(refusal.value) for n in ("t_start", "bad_requests", "mood"))
