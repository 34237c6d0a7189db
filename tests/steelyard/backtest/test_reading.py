"""What is recorded is read from each source alike, and what cannot be read is named."""

import json
from typing import Any

import pytest

from steelyard.backtest.reading import read
from steelyard.backtest.recording import Recording, Sample, Unreadable
from steelyard.rollout.counters import Point
from tests.steelyard.backtest.recorded import exported, items, live
from tests.steelyard.rollout.sample import policy

ROLES = {
    "v1-0-0": "champion",
    "v1-1-0": "challenger",
    "champion": "champion",
    "challenger": "challenger",
}
MINUTE = 29_673_180  # 2026-06-02T09:00:00Z


def point(n: int, e4: int = 0, em: int = 0) -> Point:
    return Point(n, e4, em, (), (), ())


# --- records of a ledger


def ledger_forms() -> dict[str, str]:
    records, _ = live(policy(), lambda step: 0.2)
    return {
        "export": exported(records),
        "query": json.dumps({"Items": items(records), "Count": len(records)}),
        "texts": json.dumps([record.to_json() for record in records]),
        "lines": "\n".join(record.to_json() for record in records),
    }


FORMS = ledger_forms()


@pytest.mark.parametrize("form", FORMS)
def test_records_are_read_alike_however_they_are_printed(form: str):
    found = read(FORMS[form], ROLES)

    assert found == read(FORMS["export"], ROLES)
    assert found.samples
    assert found.ending == "rollback: judge: weights are home"


def test_records_say_the_weights_and_since_when_they_were_in_force():
    found = read(FORMS["lines"], ROLES)

    assert {sample.weight for sample in found.samples} == {10}
    assert found.in_force == {10: 1_780_000_020.0}


def test_records_of_several_rollouts_need_the_name_of_one():
    records, _ = live(policy(), lambda step: 0.2)
    both = f"{exported(records, 'r1')}\n{exported(records[:6], 'r2')}"

    with pytest.raises(Unreadable, match="--rollout: given None, the records are of r1, r2: write"):
        read(both, ROLES)
    assert read(both, ROLES, "r1") == read(exported(records), ROLES)
    with pytest.raises(Unreadable, match="--rollout: given r3, the records are of r1, r2"):
        read(both, ROLES, "r3")


# --- CSV


def csv(*rows: str, head: str = "minute,variant,n,e4,em") -> str:
    return "\n".join([head, *rows])


def test_a_row_is_a_minute_of_a_variant():
    found = read(
        csv(
            f"{MINUTE},v1-0-0,228,2,1", f"{MINUTE},v1-1-0,12,0,3", f"{MINUTE + 1},champion,230,0,0"
        ),
        ROLES,
    )

    assert found.samples == (
        Sample(MINUTE, point(228, 2, 1), point(12, 0, 3)),
        Sample(MINUTE + 1, point(230), None),
    )


def test_a_minute_may_be_written_as_a_time_with_its_zone():
    rows = [f"2026-06-02T{time},champion,1,0,0" for time in ("09:00:00Z", "11:01:30+02:00")]

    assert [sample.minute for sample in read(csv(*rows), ROLES).samples] == [MINUTE, MINUTE + 1]


def test_weights_and_histograms_are_read_where_there_are_columns_for_them():
    head = "minute,variant,n,weight,score_1,score_0,conf_0,lat_0,lat_1"

    found = read(csv("7,challenger,5,10,2,3,5,4,1", head=head), ROLES)

    assert found.samples == (Sample(7, None, Point(5, 0, 0, (3, 2), (5,), (4, 1)), 10),)


def test_the_last_row_of_a_minute_is_the_right_one():
    found = read(csv("7,champion,5,0,0", "7,champion,9,0,0"), ROLES)

    assert found.samples == (Sample(7, point(9), None),)


# --- CloudWatch


def cloudwatch(**series: list[float]) -> dict[str, Any]:
    """Return an answer with series of minutes, newest first, as CloudWatch sends them."""
    return {
        "MetricDataResults": [
            {
                "Id": f"m{index}",
                "Label": name.replace("__", " ").replace("_", "-"),
                "Timestamps": [
                    f"2026-06-02T09:{minute:02d}:00+00:00" for minute in range(len(values))
                ][::-1],
                "Values": values[::-1],
                "StatusCode": "Complete",
            }
            for index, (name, values) in enumerate(series.items())
        ]
    }


def from_cloudwatch(**series: list[float]) -> Recording:
    return read(json.dumps(cloudwatch(**series)), ROLES)


def test_sums_of_cloudwatch_become_minutes():
    found = from_cloudwatch(
        v1_0_0__Invocations=[228.0, 230.0],
        v1_0_0__Invocation4XXErrors=[2.0, 0.0],
        v1_0_0__Invocation5XXErrors=[1.0, 0.0],
        v1_1_0__Invocations=[12.0, 0.0],
        v1_1_0__Invocation5XXErrors=[3.0, 0.0],
    )

    assert found.samples == (
        Sample(MINUTE, point(228, 2, 1), point(12, 0, 3)),
        Sample(MINUTE + 1, point(230), None),
    )


def test_requests_that_were_never_answered_count_as_errors_and_client_errors_do_not():
    """InvocationModelErrors counts everything but 2xx: 4 client errors, 5 answers 5xx, 3 lost."""
    found = from_cloudwatch(
        v1_1_0__Invocations=[100.0],
        v1_1_0__Invocation4XXErrors=[4.0],
        v1_1_0__Invocation5XXErrors=[5.0],
        v1_1_0__InvocationModelErrors=[12.0],
    )

    assert found.samples == (Sample(MINUTE, None, point(100, 4, 8)),)


def test_five_minute_sums_are_refused():
    answer = cloudwatch(v1_0_0__Invocations=[1.0, 1.0, 1.0])
    answer["MetricDataResults"][0]["Timestamps"] = [
        f"2026-06-02T09:{minute:02d}:00+00:00" for minute in (10, 5, 0)
    ]

    with pytest.raises(Unreadable, match="given every 5 minutes, allowed is every minute"):
        read(json.dumps(answer), ROLES)


# --- what cannot be read


WRONG = [
    ("", "column minute: is missing, allowed is a file that has it"),
    ("minute,variant,n", "given no minute, allowed is one or more"),
    ("a,b\n1,2", "column minute: is missing"),
    ("minute,variant,n,e5\n1,champion,2,0", "column e5: given, allowed are minute, variant, n, e4"),
    (csv("now,champion,1,0,0"), "line 2: minute: given 'now', allowed is an epoch minute or a t"),
    (csv("2026-06-02T09:00:00,champion,1,0,0"), "line 2: minute: given '2026-06-02T09:00:00', al"),
    (csv("1,v9,1,0,0"), "line 2: variant: given 'v9', allowed is v1-0-0, v1-1-0, champion, chall"),
    (csv("1,champion,1.5,0,0"), "line 2: n: given '1.5', allowed is a count: write for example"),
    (csv("1,champion,"), "line 2: n: given '', allowed is a count"),
    (csv("1,champion,3,2,2"), "line 2: e4 and em: given 2 and 2, allowed is at most n in all, 3"),
    ("{", "line 1: given '{', allowed is JSON, whole or a value to a line, or CSV with a head"),
    ('{"a": 1}', "entry 1: given \"{'a': 1}\", allowed is a record of the ledger with seq, at"),
    ("[7]", "entry 1: given '7', allowed is a record"),
    ('{"MetricDataResults": []}', "given no minute"),
    (
        json.dumps(cloudwatch(m1=[1.0])),
        "label: given 'm1', allowed is a variant, v1-0-0 or v1-1-0 or champion or challenger, and",
    ),
    (
        '{"MetricDataResults": [{"Label": "v1-0-0 Invocations"}]}',
        "MetricDataResults: given a result that lacks or mistakes 'Timestamps', allowed is the",
    ),
    (
        json.dumps(cloudwatch(v1_0_0__Invocations=[0.5])),
        "v1-0-0 Invocations: given 0.5, allowed is a count: ask for the statistic Sum",
    ),
    (
        '{"seq":0,"at":1,"kind":"measured","actor":"judge","step":0,"reason":"","body":{}}',
        "record 0: its body lacks or mistakes",
    ),
]


@pytest.mark.parametrize(("text", "expected"), WRONG, ids=[said for _, said in WRONG])
def test_what_cannot_be_read_is_answered_with_its_cure(text: str, expected: str):
    with pytest.raises(Unreadable) as refused:
        read(text, ROLES)

    assert refused.value.problems[0].startswith(expected)


def test_every_wrong_row_is_named():
    with pytest.raises(Unreadable) as refused:
        read(csv("x,champion,1,0,0", "1,champion,1,0,0", "1,nobody,1,0,0"), ROLES)

    assert [problem.split(":")[0] for problem in refused.value.problems] == ["line 2", "line 4"]
