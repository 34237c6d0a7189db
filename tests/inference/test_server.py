"""The HTTP contract, asked of real processes."""

import http.client
import json
import socket
from contextlib import closing

import pytest

from inference.server import LONGEST_BODY

BREAKING = """
import onnxruntime
genuine = onnxruntime.InferenceSession.run
calls = 0
def run(self, outputs, feed):
    global calls
    calls += 1
    if calls > 2:
        {fault}
    return genuine(self, outputs, feed)
onnxruntime.InferenceSession.run = run
"""


def total(counters, family) -> float:
    return sum(value for series, value in counters.items() if series.startswith(family))


def increase(container, *bodies):
    """Send bodies; give the answers and what each counter grew by."""
    before = container.counters()
    answers = [container.invoke(body) for body in bodies]
    after = container.counters()
    return answers, {series: after[series] - before[series] for series in after}


def test_ping_answers_once_the_model_is_loaded(container):
    assert container.ask("GET", "/ping") == (200, "")


def test_one_record_gets_one_prediction_with_the_model_version(container, records):
    status, answer = container.invoke(records[0])

    assert status == 200
    assert answer["model_version"] == "1.0.0"
    (prediction,) = answer["predictions"]
    assert set(prediction) == {"score", "label", "confidence"}


def test_a_batch_gets_the_predictions_of_its_records_in_order(container, records):
    _, together = container.invoke({"instances": records[:20]})
    alone = [container.invoke(record)[1]["predictions"][0] for record in records[:20]]

    for batched, single in zip(together["predictions"], alone, strict=True):
        assert batched == pytest.approx(single, abs=1.5e-6)


def test_the_media_type_may_carry_a_charset(container, records):
    assert container.invoke(records[0], "Application/JSON; charset=utf-8")[0] == 200


def test_every_answer_is_counted_by_its_outcome_and_its_time(container, records):
    bad = records[0] | {"mean_radius": "x"}

    _, grown = increase(container, records[0], bad, records[1], b"{", bad)

    assert grown['steelyard_requests_total{outcome="ok"}'] == 2
    assert grown['steelyard_requests_total{outcome="client_error"}'] == 3
    assert grown['steelyard_requests_total{outcome="model_error"}'] == 0
    assert total(grown, "steelyard_request_duration_bin_total") == 5


def test_only_predictions_that_were_answered_are_binned(container, records):
    _, grown = increase(container, *records[:30], b"{")

    assert total(grown, "steelyard_score_bin_total") == 30
    assert total(grown, "steelyard_confidence_bin_total") == 30


def test_each_prediction_of_a_batch_is_binned_though_it_is_one_request(container, records):
    _, grown = increase(container, {"instances": records[:7]})

    assert grown['steelyard_requests_total{outcome="ok"}'] == 1
    assert total(grown, "steelyard_score_bin_total") == 7


def test_pings_and_scrapes_are_no_requests(container):
    before = container.counters()
    container.ask("GET", "/ping")
    after = container.counters()

    assert total(after, "steelyard_requests_total") == total(before, "steelyard_requests_total")
    assert after["steelyard_scrapes_total"] == before["steelyard_scrapes_total"] + 1


@pytest.mark.parametrize(
    ("body", "media_type", "status"),
    [
        (b"1,2,3", "text/csv", 415),
        (b"{}", None, 415),
        (b"{}", "application/jsonlines", 415),
        (b" " * (LONGEST_BODY + 1), "application/json", 413),
        (b"", "application/json", 400),
        (b'{"mean_radius": NaN', "application/json", 400),
        (b"\xff", "application/json", 400),
        (b"[]", "application/json", 422),
        (b"{}", "application/json", 422),
        (b'{"mean_radius": NaN}', "application/json", 422),
        (b'{"instances": [{}, null]}', "application/json", 422),
    ],
)
def test_bad_input_is_the_callers_fault_and_says_why(container, body, media_type, status):
    given, answer = container.invoke(body, media_type)

    assert given == status
    assert answer["errors"]
    assert all(set(error) == {"field", "problem"} for error in answer["errors"])


def test_every_problem_is_answered_at_once_and_no_value_is_repeated(container, records):
    bad = records[0] | {"mean_radius": 987654321, "mean_texture": "secret", "colour": "secret"}
    del bad["worst_area"]

    status, answer = container.invoke(bad)

    assert status == 422
    fields = {error["field"] for error in answer["errors"]}
    assert fields == {"mean_radius", "mean_texture", "colour", "worst_area"}
    assert "987654321" not in json.dumps(answer)
    assert "secret" not in json.dumps(answer)


def test_the_connection_lives_on_after_a_body_that_was_too_long(container, records):
    with closing(http.client.HTTPConnection("127.0.0.1", container.port, timeout=10)) as line:
        statuses = []
        for body in (b" " * (2 * LONGEST_BODY), json.dumps(records[0]).encode()):
            line.request("POST", "/invocations", body, {"Content-Type": "application/json"})
            answer = line.getresponse()
            answer.read()
            statuses.append(answer.status)

    assert statuses == [413, 200]


def test_a_caller_who_leaves_in_the_middle_is_neither_counted_nor_an_error(serve):
    left = serve()
    head = (
        "POST /invocations HTTP/1.1\r\nContent-Type: application/json\r\nContent-Length: 9\r\n\r\n"
    )
    with closing(socket.create_connection(("127.0.0.1", left.port), timeout=10)) as line:
        line.sendall(head.encode() + b"{")
        left.ask("GET", "/ping")

    left.ask("GET", "/ping")

    assert total(left.counters(), "steelyard_requests_total") == 0
    left.process.terminate()
    assert left.process.communicate(timeout=10)[1] == ""


def test_a_model_that_raises_gives_500_and_counts_as_model_error(serve, records):
    broken = serve(fault=BREAKING.format(fault="raise RuntimeError('tensor 42.5')"))

    (healthy, failed, _), grown = increase(broken, *records[:3])

    assert healthy[0] == 200
    assert failed[0] == 500
    assert failed[1]["errors"] == [{"field": "", "problem": "the model failed; try again later"}]
    assert grown['steelyard_requests_total{outcome="model_error"}'] == 2
    assert total(grown, "steelyard_score_bin_total") == 1
    assert broken.ask("GET", "/ping")[0] == 200


def test_a_score_that_is_no_number_gives_500_and_is_binned_apart(serve, records):
    fault = "import numpy; return [numpy.full((1, 2), numpy.nan)]"
    broken = serve(fault=BREAKING.format(fault=fault))

    answers, grown = increase(broken, *records[:3])

    assert [status for status, _ in answers] == [200, 500, 500]
    assert grown['steelyard_score_bin_total{bin="nan"}'] == 2
    assert grown['steelyard_confidence_bin_total{bin="nan"}'] == 2
    assert grown['steelyard_requests_total{outcome="model_error"}'] == 2
