"""The one PromQL shape, the refusal of every other, and the text format of containers."""

import json
import math

import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.rehearsal.promql import LARGEST_RESULT, SampleStore, exposition

ENDPOINT, VARIANT, HOST = (
    "aws.sagemaker.endpoint.name",
    "aws.sagemaker.variant.name",
    "@resource.host.id",
)
V1 = {ENDPOINT: "e", VARIANT: "v1", HOST: "i-1", "outcome": "ok"}
V2 = {ENDPOINT: "e", VARIANT: "v2", HOST: "i-2", "outcome": "ok"}


def store_of(*times: float, delay_seconds: float = 0) -> SampleStore:
    store = SampleStore(delay_seconds)
    for time in times:
        store.add(time, "requests_total", V1, time / 10)
    return store


def answer(store: SampleStore, expression: str, at: float, now: float | None = None) -> list[dict]:
    status, body = store.query(expression, at, now)
    assert (status, body["status"], body["data"]["resultType"]) == (200, "success", "matrix")
    return body["data"]["result"]


def times(result: list[dict]) -> list[float]:
    return [time for series in result for time, _ in series["values"]]


def test_an_answer_is_the_matrix_of_the_prometheus_api() -> None:
    store = store_of(60, 120)

    expected = {"metric": {"__name__": "requests_total", **V1}, "values": [[60, "6"], [120, "12"]]}
    assert answer(store, "requests_total[180s]", 120) == [expected]
    json.dumps(answer(store, "requests_total[180s]", 120), allow_nan=False)


def test_a_range_leaves_its_start_out_and_takes_its_end_in() -> None:
    assert times(answer(store_of(60, 120, 180, 240), "requests_total[2m]", 180)) == [120, 180]


@pytest.mark.parametrize("duration", ["180s", "3m", "2m60s", " 3m "])
def test_a_range_is_given_in_minutes_and_seconds(duration: str) -> None:
    result = answer(store_of(60, 120, 180, 240), f"requests_total[{duration}]", 240)
    assert times(result) == [120, 180, 240]


def test_a_sample_is_visible_only_after_the_delay() -> None:
    store = store_of(60, 120, 180, delay_seconds=90)

    assert times(answer(store, "requests_total[10m]", 180)) == [60]
    assert times(answer(store, "requests_total[10m]", 180, now=209)) == [60]
    assert times(answer(store, "requests_total[10m]", 180, now=210)) == [60, 120]
    assert times(answer(store, "requests_total[10m]", 180, now=1000)) == [60, 120, 180]


def test_a_series_that_ended_is_not_continued() -> None:
    store = store_of(60, 120)

    assert times(answer(store, "requests_total[3m]", 240)) == [120]
    assert answer(store, "requests_total[3m]", 300) == []
    assert answer(store, "other_total[3m]", 120) == []


@pytest.mark.parametrize(
    ("matchers", "found"),
    [
        ("", ["v1", "v2"]),
        ('"aws.sagemaker.variant.name"="v1"', ["v1"]),
        ("'aws.sagemaker.variant.name'='v1'", ["v1"]),
        ('"aws.sagemaker.variant.name"!="v1"', ["v2"]),
        ('outcome="ok", "@resource.host.id" = "i-2" ,', ["v2"]),
        ('outcome="error"', []),
        ('absent=""', ["v1", "v2"]),
        ('absent!=""', []),
        ('absent!="x"', ["v1", "v2"]),
        ('aws_sagemaker_variant_name="v1"', []),
    ],
)
def test_matchers_select_series_by_equality(matchers: str, found: list[str]) -> None:
    store = SampleStore(0)
    for labels in (V1, V2):
        store.add(60, "requests_total", labels, 1)

    result = answer(store, f"requests_total {{ {matchers} }} [60s]", 60)

    assert [series["metric"][VARIANT] for series in result] == found


def test_a_label_value_may_hold_quotes_braces_and_line_breaks() -> None:
    store = SampleStore(0)
    store.add(60, "m", {"l": 'a"}[b\n\\'}, 1)

    assert times(answer(store, r'm{l="a\"}[b\n\\"}[60s]', 60)) == [60]


@pytest.mark.parametrize(
    ("expression", "problem"),
    [
        ("rate(requests_total[5m])", "more than a selector"),
        ("sum by (bin) (requests_total)", "more than a selector"),
        ("requests_total[5m] offset 1m", "more than a selector"),
        ("requests_total[5m] @ 60", "more than a selector"),
        ("requests_total[5m] > 1", "more than a selector"),
        ("1", "more than a selector"),
        ("", "name is missing"),
        ('{"aws.sagemaker.variant.name"="v1"}[5m]', "name is missing"),
        ('{"requests_total"}[5m]', "name is missing"),
        ("requests_total", "range is missing"),
        ('requests_total{outcome="ok"}', "range is missing"),
        ('requests_total{outcome=~"o."}[5m]', "operator =~ is not answered"),
        ('requests_total{outcome!~"o."}[5m]', "operator !~ is not answered"),
        ("requests_total{outcome=ok}[5m]", "not a list of labels"),
        ('requests_total{aws.name="v"}[5m]', "not a list of labels"),
        ('requests_total{a="1" b="2"}[5m]', "not a list of labels"),
        (r'requests_total{a="\x41"}[5m]', "unknown escape"),
        ("requests_total[5m:1m]", "not a duration"),
        ("requests_total[1h]", "not a duration"),
        ("requests_total[0s]", "not a duration"),
        ("requests_total[]", "not a duration"),
    ],
)
def test_every_other_query_is_bad_data_that_says_what_is_supported(
    expression: str, problem: str
) -> None:
    status, body = store_of(60).query(expression, 60)

    assert (status, body["status"], body["errorType"]) == (400, "error", "bad_data")
    assert problem in body["error"]
    assert 'supported is only name{"label"="value"' in body["error"]


def test_past_the_largest_result_the_answer_is_cut_and_warns() -> None:
    store = SampleStore(0)
    for number in range(LARGEST_RESULT):
        store.add(60, "m", {"bin": str(number)}, 1)
    assert "warnings" not in store.query("m[60s]", 60)[1]

    store.add(60, "m", {"bin": "one more"}, 1)

    status, body = store.query("m[60s]", 60)
    assert status == 200
    assert len(body["data"]["result"]) == LARGEST_RESULT
    assert body["warnings"] == ["501 series matched, only 500 are returned"]


def test_forgetting_drops_old_samples_and_keeps_the_rest() -> None:
    store = store_of(60, 120, 180)
    store.add(60, "gone_total", V1, 1)

    store.forget(before=120)

    assert times(answer(store, "requests_total[10m]", 180)) == [120, 180]
    assert answer(store, "gone_total[10m]", 180) == []
    store.add(60, "gone_total", V1, 2)


def test_a_sample_that_is_not_younger_than_the_last_one_is_refused() -> None:
    store = store_of(60)
    with pytest.raises(ValueError, match="60 is not after the series' last one at 60"):
        store.add(60, "requests_total", V1, 1)


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (5, "5"),
        (0.1, "0.1"),
        (-2.50, "-2.5"),
        (1e21, "1000000000000000000000"),
        (1e-7, "0.0000001"),
        (math.nan, "NaN"),
        (math.inf, "+Inf"),
        (-math.inf, "-Inf"),
    ],
)
def test_a_value_is_written_as_prometheus_writes_it(value: float, text: str) -> None:
    store = SampleStore(0)
    store.add(60, "m", {}, value)
    assert answer(store, "m[60s]", 60)[0]["values"] == [[60, text]]


@given(st.floats(allow_nan=False))
def test_a_value_survives_the_way_through_text(value: float) -> None:
    store = SampleStore(0)
    store.add(60, "m", {}, value)
    assert float(answer(store, "m[60s]", 60)[0]["values"][0][1]) == value


def test_a_page_of_a_container_becomes_samples() -> None:
    page = r"""
# HELP requests_total Requests, by outcome.
# TYPE requests_total counter
requests_total{outcome="ok"} 12
requests_total{outcome="client_error",} 0
# a remark
start_seconds 1.7e9
  load{a="1",b="q\"u\\o\nte"}  -0.5   1700000000000
odd NaN
top +Inf
"""

    samples = exposition(page)

    assert samples[:4] == [
        ("requests_total", {"outcome": "ok"}, 12.0),
        ("requests_total", {"outcome": "client_error"}, 0.0),
        ("start_seconds", {}, 1.7e9),
        ("load", {"a": "1", "b": 'q"u\\o\nte'}, -0.5),
    ]
    assert math.isnan(samples[4][2])
    assert samples[5] == ("top", {}, math.inf)


@given(st.dictionaries(st.from_regex(r"[a-z_][a-z0-9_]*", fullmatch=True), st.text()))
def test_any_label_value_survives_the_text_format(labels: dict[str, str]) -> None:
    def quoted(value: str) -> str:
        return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")

    page = "m{" + ",".join(f'{name}="{quoted(value)}"' for name, value in labels.items()) + "} 1"

    assert exposition(page) == [("m", labels, 1.0)]


def test_a_page_is_read_in_the_same_way_each_time() -> None:
    page = 'seen_total{a="1"} 5\nseen_total 5 5\nseen_total{a="1"} 5 1700000000000\n'
    exposition(page)

    assert exposition(page.replace("5", "7")) == [
        ("seen_total", {"a": "1"}, 7.0),
        ("seen_total", {}, 7.0),
        ("seen_total", {"a": "1"}, 7.0),
    ]
    assert exposition("seen_total 5 7") == [("seen_total", {}, 5.0)]
    with pytest.raises(ValueError, match="line 2: "):
        exposition('seen_total 6\nseen_total{a="1"} 6_0')


@pytest.mark.parametrize(
    "line",
    [
        "requests_total",
        "requests_total twelve",
        "requests_total 1_000",
        'requests_total{outcome="ok" 1',
        "requests_total{outcome=ok} 1",
        'requests_total{outcome="ok"} 1 2 3',
        r'requests_total{outcome="\q"} 1',
        "9lives 1",
    ],
)
def test_an_unreadable_line_is_refused_with_its_number(line: str) -> None:
    with pytest.raises(ValueError, match=r"line 2: "):
        exposition(f"good 1\n{line}\n")


def test_all_problems_of_a_page_are_told_at_once() -> None:
    page = "# TYPE latency histogram\nbad\ngood 1\nworse {} x\n"
    with pytest.raises(ValueError, match=r"line 1: latency is a histogram.*line 2: .*line 4: "):
        exposition(page)
