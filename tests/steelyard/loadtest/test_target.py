"""Where requests go."""

import pytest

from steelyard.loadtest.target import Target, invocations, metrics


@pytest.mark.parametrize(
    ("given", "posted"),
    [
        ("http://host:8080", "http://host:8080/invocations"),
        ("http://host:8080/", "http://host:8080/invocations"),
        ("https://host/score", "https://host/score"),
        ("https://host/a/b?c=d", "https://host/a/b?c=d"),
    ],
)
def test_a_url_without_a_path_gets_the_containers(given, posted):
    assert invocations(given) == posted


def test_metrics_are_looked_for_beside_whatever_is_posted_to():
    assert metrics("http://host:8080/deep/down?x=1") == "http://host:8080/metrics"


def test_without_a_signer_only_the_content_type_is_said():
    assert Target("http://host", [b""], "text/csv").headers(b"") == {"Content-Type": "text/csv"}
