"""The lines of the log: whole, parsable, and without anything personal."""

import json
import time
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.contract.refusal import Problem, RefusedError
from inference.record import LONGEST_NAME, MOST_NAMES, Call, Lines, Origin, Stamps
from inference.scoring.prediction import Scored

ORIGIN = Origin("sample-staging", "v1-0-0", "1.0.0")
LINES = Lines(ORIGIN, ["income", "region"], ["age"])
TIME = "2026-01-01T00:00:00.000+00:00"
RECORD = {"age": 53, "income": 1234.5, "region": "north"}
SCORED = Scored({"score": 0.75, "label": 1, "confidence": 0.75}, 0.75, 0.75, True)


def predictions(records, unknown=(), lines=LINES):
    call = Call("r-1", "i-1", unknown)
    written = lines.predictions(TIME, call, 0.0012345, records, [SCORED] * len(records))
    return [json.loads(line) for line in written]


def test_a_line_says_what_was_predicted_from_what_by_whom_and_when():
    assert predictions([RECORD]) == [
        {
            "event": "prediction",
            "time": TIME,
            "request_id": "r-1",
            "inference_id": "i-1",
            "endpoint": "sample-staging",
            "variant": "v1-0-0",
            "model_version": "1.0.0",
            "latency_ms": 1.234,
            "row": 0,
            "prediction": {"score": 0.75, "label": 1, "confidence": 0.75},
            "inputs": {"income": 1234.5, "region": "north", "age": "redacted"},
        }
    ]


def test_each_record_of_a_batch_has_a_line_with_its_row():
    lines = predictions([RECORD, RECORD | {"region": "south"}])

    assert [(line["row"], line["inputs"]["region"]) for line in lines] == [
        (0, "north"),
        (1, "south"),
    ]


@given(st.integers(min_value=10**9), st.text(min_size=12))
def test_a_redacted_value_is_in_no_line_whatever_it_is(number, text):
    lines = Lines(ORIGIN, ["region"], ["age", "name"])

    (line,) = predictions([{"age": number, "name": text, "region": "north"}], lines=lines)

    assert line["inputs"] == {"region": "north", "age": "redacted", "name": "redacted"}
    assert str(number) not in json.dumps(line)


def test_fields_that_the_model_does_not_know_are_named_shortly_and_not_shown():
    (line,) = predictions([RECORD], ["x" * 500, *(f"u{n}" for n in range(50))])

    assert line["unknown_fields"][0] == "x" * LONGEST_NAME
    assert len(line["unknown_fields"]) == MOST_NAMES


def test_a_rejection_says_why():
    refused = RefusedError(422, [Problem("income", "is missing; send it", "missing")])

    line = json.loads(LINES.rejection(TIME, Call("r-1", None), refused))

    assert (line["event"], line["status"]) == ("rejection", 422)
    assert line["problems"] == [
        {"field": "income", "problem": "is missing; send it", "reason": "missing"}
    ]


def failed(lines):
    try:
        int("Jane Doe")
    except ValueError as error:
        return json.loads(lines.failure(TIME, Call("r-1", None), error))


def test_a_failure_says_what_and_where():
    line = failed(Lines(ORIGIN, ["income"], []))

    assert (line["event"], line["error"]) == ("failure", "ValueError")
    assert line["place"].startswith("test_record.py:")
    assert "Jane Doe" in line["message"]


def test_a_failure_may_hold_a_value_so_it_is_not_told_where_some_are_redacted():
    assert "Jane Doe" not in json.dumps(failed(LINES))


def test_a_failure_that_was_never_raised_is_told_too():
    line = json.loads(LINES.failure(TIME, Call("r-1", None), RuntimeError("x")))

    assert line["place"] == ""


@pytest.mark.parametrize("value", [None, True, 3, 0.1, "far east"])
def test_an_input_is_shown_as_it_was_understood(value):
    assert predictions([RECORD | {"region": value}])[0]["inputs"]["region"] == value


def test_a_stamp_is_the_time_in_utc_to_the_millisecond():
    stamps = Stamps()
    for _ in range(3):
        before = time.time()
        stamp = datetime.fromisoformat(stamps.now())

        assert stamp.utcoffset() == timedelta()
        assert before - 0.001 <= stamp.timestamp() <= time.time()
        assert len(stamps.now()) == len("2026-01-01T00:00:00.000Z")
