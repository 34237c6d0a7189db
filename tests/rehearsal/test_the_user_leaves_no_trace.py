"""The same seed gives the same report, whatever machine, user or settings it is played under."""

import json
from collections.abc import Iterator
from pathlib import Path
from socket import create_server, socket

import pytest

from tests.rehearsal.kit import ROOT, Kit


@pytest.fixture
def trap() -> Iterator[socket]:
    """A port on which nobody may knock."""
    with create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(0)
        yield listener


def hostile(trap: socket) -> dict[str, str]:
    address = f"http://127.0.0.1:{trap.getsockname()[1]}"
    return {
        "AWS_PROFILE": "production",
        "AWS_ACCESS_KEY_ID": "real",
        "AWS_SECRET_ACCESS_KEY": "real",
        "AWS_SESSION_TOKEN": "real",
        "AWS_REGION": "us-east-1",
        "AWS_ENDPOINT_URL": address,
        "AWS_ENDPOINT_URL_SAGEMAKER": address,
        "AWS_IGNORE_CONFIGURED_ENDPOINT_URLS": "true",
        "HTTP_PROXY": address,
        "HTTPS_PROXY": address,
        "ALL_PROXY": address,
        "http_proxy": address,
        "MOTO_ACCOUNT_ID": "999999999999",
    }


def test_two_rehearsals_with_one_seed_give_one_report_even_under_hostile_settings(
    kit: Kit, trap: socket, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    first = kit.report("aborted", "errors=5%")
    for name, value in hostile(trap).items():
        monkeypatch.setenv(name, value)
    second = kit.report("aborted", "errors=5%")

    del first["phases"], second["phases"]
    assert first == second
    with pytest.raises(BlockingIOError):
        trap.accept()
    text = json.dumps(first)
    assert [path for path in ("/tmp", str(tmp_path), str(ROOT)) if path in text] == []
