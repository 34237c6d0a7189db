"""The pages of the contract, asked without a socket."""

import pytest

from tests.inference.asgi import serve
from tests.models import write_version


@pytest.fixture(scope="module")
def asked(tmp_path_factory):
    folder = tmp_path_factory.mktemp("server")
    return serve(write_version(folder / "model"), folder, workers=3)


@pytest.mark.parametrize("path", ["/ping", "/ready"])
def test_a_loaded_container_lives_and_is_ready(asked, path):
    assert asked.get(path)[::2] == (200, b"")


def test_a_draining_container_lives_but_is_not_ready(tmp_path):
    asked = serve(write_version(tmp_path / "model"), tmp_path)
    asked.app.draining = True

    assert asked.get("/ready").status == 503
    assert asked.get("/ping").status == 200


def test_metadata_says_what_serves_and_what_made_it(asked):
    said = asked.get("/metadata").content

    assert said["name"] == "sample"
    assert said["version"] == "1.0.0"
    assert said["limitations"] == "a test's"
    assert said["endpoint"] == "sample-test"
    assert said["started_at"].endswith("+00:00")
    assert {"data", "metrics", "trained_at", "licence", "model_sha256"} <= set(said)


def test_metadata_holds_no_row_of_the_training_data(asked):
    assert "histogram" not in asked.get("/metadata").body.decode()


def test_batch_transform_learns_how_much_to_send_at_once(asked):
    assert asked.get("/execution-parameters").content == {
        "MaxConcurrentTransforms": 3,
        "BatchStrategy": "MULTI_RECORD",
        "MaxPayloadInMB": 6,
    }


@pytest.mark.parametrize("path", ["/ping", "/metadata", "/metrics"])
def test_head_gives_the_headers_of_get_without_its_body(asked, path):
    whole, head = asked.get(path), asked.get(path, "HEAD")

    assert head.body == b""
    assert head.status == whole.status
    assert abs(int(head.headers["content-length"]) - len(whole.body)) < 10


@pytest.mark.parametrize("path", ["/", "/ping/", "/invocations/", "/nowhere"])
def test_a_page_that_does_not_exist_says_which_do(asked, path):
    answer = asked.get(path)

    assert answer.status == 404
    assert "/invocations" in answer.content["errors"][0]["problem"]


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [("GET", "/invocations", "POST"), ("POST", "/ping", "GET, HEAD"), ("PUT", "/x", None)],
)
def test_a_method_that_is_not_allowed_says_which_is(asked, method, path, allowed):
    answer = asked.get(path, method)

    assert answer.status == (404 if allowed is None else 405)
    assert answer.headers.get("allow") == allowed


def test_the_length_of_every_answer_is_declared(asked):
    for path in ("/ping", "/metrics", "/metadata", "/nowhere"):
        answer = asked.get(path)
        assert int(answer.headers["content-length"]) == len(answer.body)
