"""POST /invocations: every answer is right, recorded and counted, and every failure is worded."""

import json

import numpy as np
import onnxruntime
import pytest

from tests.inference.asgi import post, serve
from tests.models import write_version
from tests.records import FEATURE_CODE, records

RECORDS = records(40, seed=7)
PII = {"age", "illness"}
EXPLAINED = {"X-Amzn-SageMaker-Custom-Attributes": "explain=true"}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    return write_version(tmp_path_factory.mktemp("version"), unknown_fields="record")


@pytest.fixture
def asked(folder, tmp_path):
    return serve(folder, tmp_path)


def grown(asked, *requests):
    """Send requests at once; give the answers, and the counters that changed."""
    before = asked.counters()
    answers = asked.ask(*requests)
    after = asked.counters()
    changed = {series: after[series] - before[series] for series in after}
    return answers, {series: value for series, value in changed.items() if value}


def total(changed, family) -> float:
    return sum(value for series, value in changed.items() if series.startswith(family))


def test_what_is_sent_together_gets_the_answers_that_it_would_get_alone(asked):
    alone = [asked.post(record).content["predictions"] for record in RECORDS]

    together = [answer.content["predictions"] for answer in asked.ask(*map(post, RECORDS))]

    for one, other in zip(alone, together, strict=True):
        assert one[0]["label"] == other[0]["label"]
        assert one[0]["score"] == pytest.approx(other[0]["score"], abs=1.5e-6)


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_each_task_answers_and_records_the_same_prediction(tmp_path, task):
    asked = serve(write_version(tmp_path / "model", task=task), tmp_path)

    answer = asked.post({"instances": RECORDS}).content

    assert answer["model_version"] == "1.0.0"
    recorded = [line["prediction"] for line in asked.lines()]
    assert recorded == answer["predictions"]
    names = {"binary": "confidence", "multiclass": "scores", "regression": "score"}
    assert all(names[task] in prediction for prediction in recorded)


def test_a_version_with_its_own_feature_code_is_served_through_it(tmp_path):
    folder = write_version(tmp_path / "model", feature_code=FEATURE_CODE)
    rows: dict = {}
    exec(FEATURE_CODE, rows)
    session = onnxruntime.InferenceSession(folder / "model.onnx")

    for record in RECORDS:
        row = np.array([rows["row"](record)], np.float32)
        wanted = round(float(session.run(["answer"], {"record": row})[0][0, 1]), 6)
        answer = serve(folder, tmp_path).post(record)
        assert answer.content["predictions"][0]["score"] == wanted


def test_every_prediction_has_one_line_and_none_shows_personal_data(asked):
    asked.ask(*map(post, RECORDS), post({"instances": RECORDS[:5]}))

    lines = asked.lines()
    assert len(lines) == 45
    assert len({line["request_id"] for line in lines}) == 41
    assert all(line["inputs"][name] == "redacted" for line in lines for name in PII)
    assert lines[3]["inputs"]["income"] == RECORDS[3]["income"]


def test_a_caller_gets_the_id_under_which_its_prediction_is_recorded(asked):
    attributes = asked.post(RECORDS[0]).headers["x-amzn-sagemaker-custom-attributes"]

    assert attributes == f"request_id={asked.lines()[0]['request_id']}"


def test_the_id_that_sagemaker_passes_on_is_recorded(asked):
    asked.post(RECORDS[0], x_amzn_sagemaker_inference_id="order-17")

    assert asked.lines()[0]["inference_id"] == "order-17"


def test_an_unknown_field_is_named_in_the_record_and_never_shown(asked):
    assert asked.post(RECORDS[0] | {"nickname": "Jane"}).status == 200

    (line,) = asked.lines()
    assert line["unknown_fields"] == ["nickname"]
    assert "Jane" not in json.dumps(line)


def test_answers_predictions_and_inputs_are_all_counted(asked):
    bad = RECORDS[0] | {"age": "x"}

    _, changed = grown(asked, *map(post, RECORDS), post({"instances": RECORDS[:7]}), post(bad))

    assert changed['steelyard_requests_total{outcome="ok"}'] == 41
    assert changed['steelyard_requests_total{outcome="client_error"}'] == 1
    assert total(changed, "steelyard_request_duration_bin_total") == 42
    assert total(changed, "steelyard_score_bin_total") == 47
    assert total(changed, "steelyard_confidence_bin_total") == 47
    assert total(changed, 'steelyard_feature_bin_total{feature="f01"') == 47
    nulls = sum(record["income"] is None for record in RECORDS + RECORDS[:7])
    assert changed['steelyard_feature_bin_total{feature="f01",bin="missing"}'] == nulls
    assert changed['steelyard_rejections_total{reason="type"}'] == 1


def test_a_rejection_is_kept_apart_with_its_reasons_and_without_its_values(asked):
    answer = asked.post(RECORDS[0] | {"age": 987654321, "income": "secret", "illness": "plague"})

    assert answer.status == 422
    assert {error["field"] for error in answer.content["errors"]} == {"age", "income", "illness"}
    (line,) = asked.lines("others")
    assert {problem["reason"] for problem in line["problems"]} == {"range", "type", "value"}
    said = json.dumps(line) + answer.body.decode()
    assert not any(word in said for word in ("987654321", "secret", "plague"))
    assert asked.lines() == []


@pytest.mark.parametrize(
    ("request_", "status"),
    [
        (post(b"{"), 400),
        (post(b""), 400),
        (post(RECORDS[0], "image/png"), 415),
        (post(RECORDS[0], None), 415),
        (post(RECORDS[0], Accept="image/png"), 406),
        (post([]), 422),
        (post(b" " * (6 * 1024 * 1024 + 1)), 413),
    ],
)
def test_a_bad_request_has_its_status_in_answer_and_record(asked, request_, status):
    ((answer,), changed) = grown(asked, request_)

    assert answer.status == status
    assert answer.content["errors"]
    assert [line["status"] for line in asked.lines("others")] == [status]
    assert changed['steelyard_requests_total{outcome="client_error"}'] == 1


def breaking(monkeypatch, fault) -> None:
    genuine = onnxruntime.InferenceSession.run

    def run(session, names, tensors):
        (answer,) = genuine(session, names, tensors)
        bad = next(iter(tensors.values()))[:, 0] == 99
        return [fault(answer, bad)] if bad.any() else [answer]

    monkeypatch.setattr(onnxruntime.InferenceSession, "run", run)


def raising(*_):
    raise RuntimeError("tensor 99.0 is bad")


def of_another_shape(answer, _):
    return np.zeros((len(answer), 5), np.float32)


def not_numbers(answer, bad):
    return np.where(bad[:, np.newaxis], np.nan, answer)


@pytest.mark.parametrize("fault", [raising, of_another_shape, not_numbers])
def test_a_model_that_fails_on_one_request_answers_the_others(asked, monkeypatch, fault):
    breaking(monkeypatch, fault)
    good = [record for record in RECORDS if record["age"] != 99]

    answers, changed = grown(asked, post(good[0]), post(good[0] | {"age": 99}), post(good[1]))

    assert [answer.status for answer in answers] == [200, 500, 200]
    assert changed['steelyard_requests_total{outcome="model_error"}'] == 1
    assert len(asked.lines()) == 2
    (line,) = asked.lines("others")
    assert line["event"] == "failure"
    assert "99" not in json.dumps(line | {"request_id": "", "time": "", "place": ""})


def test_numbers_that_are_no_prediction_are_binned_apart(asked, monkeypatch):
    breaking(monkeypatch, not_numbers)

    _, changed = grown(asked, post(RECORDS[0] | {"age": 99}))

    assert changed['steelyard_score_bin_total{bin="nan"}'] == 1


def test_a_prediction_that_cannot_be_recorded_is_not_answered(folder, tmp_path):
    (tmp_path / "predictions").symlink_to("/dev/full")
    asked = serve(folder, tmp_path)

    ((answer,), changed) = grown(asked, post(RECORDS[0]))

    assert answer.status == 500
    assert changed['steelyard_requests_total{outcome="model_error"}'] == 1


def test_more_than_may_wait_is_turned_away_at_once_and_counted_apart(folder, tmp_path):
    asked = serve(folder, tmp_path, most_waiting_requests=2)

    answers, changed = grown(asked, *[post(record) for record in RECORDS[:5]])

    assert sorted(answer.status for answer in answers) == [200, 200, 503, 503, 503]
    assert answers[4].headers["retry-after"] == "1"
    assert changed['steelyard_requests_total{outcome="overloaded"}'] == 3
    assert changed['steelyard_rejections_total{reason="overloaded"}'] == 3


@pytest.mark.parametrize("task", ["binary", "multiclass", "regression"])
def test_an_explanation_on_request_adds_up_to_the_score(tmp_path, task):
    asked = serve(write_version(tmp_path / "model", task=task), tmp_path)

    answer = asked.post(RECORDS[0], **EXPLAINED)

    (prediction,) = answer.content["predictions"]
    explanation = prediction["explanation"]
    assert set(explanation["contributions"]) == set(RECORDS[0])
    added = explanation["base"] + sum(explanation["contributions"].values())
    if task == "regression":
        assert added == pytest.approx(prediction["score"], abs=1e-5)
    else:
        share = prediction["score" if task == "binary" else "confidence"]
        assert added == pytest.approx(np.log(share / (1 - share)), abs=1e-4)


def test_a_version_without_background_says_that_it_cannot_explain(tmp_path):
    asked = serve(write_version(tmp_path / "model", explanation=False), tmp_path)

    answer = asked.post(RECORDS[0], **EXPLAINED)

    assert answer.status == 422
    assert "background" in answer.content["errors"][0]["problem"]


def test_too_many_records_to_explain_are_refused(asked):
    batch = {"instances": RECORDS[:17]}

    answer = asked.post(batch, **EXPLAINED)

    assert answer.status == 422
    assert "17 records" in answer.content["errors"][0]["problem"]


PICKY = """
def row(record):
    if record["income"] == 123.25 and record["region"] == "north":
        raise ValueError("nobody in the north has that")
    return [float(record["age"]), float(record["member"])]
"""


def test_a_prediction_whose_explanation_fails_is_answered_without_one(tmp_path):
    asked = serve(write_version(tmp_path / "model", feature_code=PICKY), tmp_path)

    answer = asked.post(RECORDS[0] | {"income": 123.25, "region": "south"}, **EXPLAINED)

    assert answer.status == 200
    assert answer.content["predictions"][0]["explanation"] is None
    assert asked.lines("others")[0]["error"] == "ValueError"


def test_more_explanations_than_may_wait_are_turned_away(asked):
    answers = asked.ask(*[post(record, **EXPLAINED) for record in RECORDS[:30]])

    statuses = [answer.status for answer in answers]
    assert set(statuses) == {200, 503}
    assert len(asked.lines()) == statuses.count(200)


@pytest.mark.parametrize(
    ("status", "reason"),
    [(400, "syntax"), (408, "incomplete"), (431, "too_long"), (503, "overloaded")],
)
def test_a_request_that_never_came_whole_is_recorded_and_counted_by_its_reason(
    asked, status, reason
):
    before = asked.counters()
    asked.app.refused(status, "the body did not come whole; send it faster")
    after = asked.counters()

    series = f'steelyard_rejections_total{{reason="{reason}"}}'
    assert after[series] == before[series] + 1
    assert total(after, "steelyard_requests_total") == total(before, "steelyard_requests_total")
    assert [line["status"] for line in asked.lines("others")] == [status]
