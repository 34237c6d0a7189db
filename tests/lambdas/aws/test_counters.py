"""Counters by PromQL: a signed request, and nothing that is cut, refused or broken is believed."""

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from urllib.parse import parse_qs

import pytest

from lambdas.aws import Counters, MetricsUnavailable
from tests.lambdas.world import ENDPOINT

NAME = "steelyard_requests_total"
LABELS = {"aws.sagemaker.endpoint.name": ENDPOINT, "aws.sagemaker.variant.name": "v1"}


@pytest.fixture
def answering(move):
    """Answer CloudWatch's address with a fixed body; give what was asked."""
    asked = {}

    def start(body, status=200):
        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                size = int(self.headers["Content-Length"])
                asked.update(path=self.path, form=parse_qs(self.rfile.read(size).decode()))
                asked.update(signature=self.headers["Authorization"])
                self.send_response(status)
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_words):
                """Say nothing."""

        server = HTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}"
        move("CLOUDWATCH", url)
        return asked

    servers = []
    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def test_every_sample_of_this_endpoint_in_the_range_is_returned(world):
    for at, value in ((0, 1), (60, 5), (120, 9)):
        world.aws.samples.add(world.now + at, NAME, LABELS, value)
        other = LABELS | {"aws.sagemaker.endpoint.name": "another"}
        world.aws.samples.add(world.now + at, NAME, other, value)
    world.aws.clock.advance(180)

    (series,) = Counters(ENDPOINT).samples(NAME, world.now - 60, 120)

    assert series["metric"] == {"__name__": NAME, **LABELS}
    assert series["values"] == [[world.now - 120, "5"], [world.now - 60, "9"]]


def test_no_samples_are_an_empty_list(world):
    assert Counters(ENDPOINT).samples(NAME, world.now, 60) == []


def test_the_request_is_a_signed_form_at_the_query_path(answering):
    asked = answering(b'{"status": "success", "data": {"resultType": "matrix", "result": []}}')

    Counters(ENDPOINT).samples(NAME, 1_800_000_000, 240)

    assert asked["path"] == "/api/v1/query"
    assert asked["form"] == {
        "query": [f'{NAME}{{"aws.sagemaker.endpoint.name"="{ENDPOINT}"}}[240s]'],
        "time": ["1800000000.000"],
    }
    assert "/eu-central-1/monitoring/aws4_request" in asked["signature"]
    assert asked["signature"].startswith("AWS4-HMAC-SHA256 Credential=rehearsal/")


@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b'{"status": "success", "warnings": ["cut at 500"], "data": {}}', "cut at 500"),
        (b'{"status": "error", "errorType": "bad_data", "error": "parse error"}', "parse error"),
        (b'{"status": "success", "data": {"resultType": "vector", "result": []}}', "vector"),
        (b'{"status": "success"}', "None instead of a matrix"),
        (b'{"message": "User is not authorized"}', NAME),
        (b"<AccessDenied/>", "Expecting value"),
        (b"", "Expecting value"),
    ],
)
def test_an_answer_that_is_not_whole_is_no_measurement(answering, body, said):
    answering(body)

    with pytest.raises(MetricsUnavailable, match=said):
        Counters(ENDPOINT).samples(NAME, 1_800_000_000, 240)


def test_more_series_than_one_answer_holds_are_no_measurement(world):
    for host in range(501):
        labels = LABELS | {"@resource.host.id": str(host)}
        world.aws.samples.add(world.now - 60, NAME, labels, 1)

    with pytest.raises(MetricsUnavailable, match="501 series matched"):
        Counters(ENDPOINT).samples(NAME, world.now, 120)


def test_a_query_that_is_not_understood_is_no_measurement(world):
    with pytest.raises(MetricsUnavailable, match="supported is only"):
        Counters(ENDPOINT).samples(f"rate({NAME})", world.now, 60)


def test_an_address_where_nobody_listens_is_no_measurement(world, move):
    move("CLOUDWATCH", "http://127.0.0.1:9")

    with pytest.raises(MetricsUnavailable, match="Could not connect"):
        Counters(ENDPOINT).samples(NAME, world.now, 60)
