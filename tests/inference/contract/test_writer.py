"""The format of an answer: which is chosen, and what is written in it."""

import json
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from inference.contract.formats import MEDIA_TYPES, writer
from inference.contract.refusal import RefusedError

PREDICTIONS = [
    {"score": 0.25, "label": "no, sir", "confidence": 0.75},
    {"score": 1.0, "label": 'a "yes"', "confidence": 1.0},
]


@pytest.mark.parametrize("accept", [None, b"", b"*/*", b"application/*", b"application/json"])
def test_an_answer_is_json_unless_something_else_is_asked_for(accept):
    chosen = writer(accept)

    assert chosen.media_type == b"application/json"
    assert json.loads(chosen.write(PREDICTIONS, "1.0.0")) == {
        "predictions": PREDICTIONS,
        "model_version": "1.0.0",
    }


@pytest.mark.parametrize(
    ("accept", "media_type"),
    [
        (b"text/csv", b"text/csv"),
        (b"TEXT/*", b"text/csv"),
        (b"text/csv; q=0.5, application/x-ndjson; q=0.8", b"application/x-ndjson"),
        (b"text/html, application/jsonlines, */*;q=0.1", b"application/jsonlines"),
        (b"application/json;q=0, */*", b"application/jsonlines"),
        (b"text/csv, application/json", b"application/json"),
        (b"*/*;q=0.9, text/csv", b"text/csv"),
        (b"application/json;q=x, text/csv;q=0.001", b"text/csv"),
        (b"text/html,*/*;q=0.8", b"application/json"),
    ],
)
def test_the_format_that_the_caller_likes_best_is_chosen(accept, media_type):
    assert writer(accept).media_type == media_type


@pytest.mark.parametrize("accept", [b"text/html", b"*/*;q=0", b"json", b"\xff", b"text/csv;q=nan"])
def test_an_answer_that_nobody_can_write_is_refused_with_those_that_are_written(accept):
    with pytest.raises(RefusedError) as caught:
        writer(accept)

    assert caught.value.status == 406
    assert caught.value.problems[0].reason == "accept"
    assert "text/csv" in caught.value.problems[0].problem


def test_an_explanation_is_never_squeezed_into_csv():
    assert writer(b"text/*, application/json;q=0.1", True).media_type == b"application/json"
    with pytest.raises(RefusedError) as caught:
        writer(b"text/csv", True)
    assert caught.value.status == 406


def test_json_lines_hold_one_prediction_each():
    lines = writer(b"application/jsonlines").write(PREDICTIONS, "1.0.0").splitlines()

    assert [json.loads(line) for line in lines] == PREDICTIONS


def test_csv_holds_one_prediction_a_row_with_the_scores_by_label_last():
    multiclass = [{"label": "b", "confidence": 0.7, "scores": {"a": 0.3, "b": 0.7}}]
    write = writer(b"text/csv").write

    assert write(PREDICTIONS, "") == b'0.25,"no, sir",0.75\n1.0,"a ""yes""",1.0\n'
    assert write(multiclass, "") == b"b,0.7,0.3,0.7\n"
    assert write([{"score": 1.5e-07}, {"score": -2.0}], "") == b"1.5e-07\n-2.0\n"


@given(st.binary(max_size=60))
def test_any_header_gives_a_format_or_a_refusal(accept):
    with suppress(RefusedError):
        assert writer(accept).media_type.decode() in MEDIA_TYPES
