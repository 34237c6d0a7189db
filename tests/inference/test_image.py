"""The container's Dockerfile, as far as it can be judged without an engine."""

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from threading import Thread

import pytest

from tests.inference.dockerfile import DOCKERFILE, ROOT, instructions, stage, texts

IGNORED = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
HADOLINT = Path(sys.prefix) / "bin" / "hadolint"


def test_the_linter_finds_nothing():
    seen = subprocess.run([HADOLINT, DOCKERFILE], capture_output=True, text=True, check=False)

    assert (seen.returncode, seen.stdout + seen.stderr) == (0, "")


def test_every_stage_stands_on_one_base_with_a_digest_and_a_version():
    (base, *_) = texts("ARG", instructions())

    assert re.fullmatch(r"PYTHON_BASE=python:3\.\d+\.\d+-slim-\w+@sha256:[0-9a-f]{64}", base)
    assert texts("FROM", instructions()) == ["${PYTHON_BASE} AS builder", "${PYTHON_BASE}"]


def test_the_base_has_the_python_of_the_locked_requirements():
    (base, *_) = texts("ARG", instructions())
    lock = re.search(r"--python-version (\S+)", (ROOT / "Makefile").read_text("utf-8"))

    assert lock is not None
    assert f":{lock[1]}." in base


def test_nothing_is_named_latest():
    assert "latest" not in DOCKERFILE.read_text("utf-8")


def test_requirements_are_installed_by_their_hashes_and_never_built():
    (install,) = [text for text in texts("RUN", stage("builder")) if "install" in text]

    assert {"--require-hashes", "--only-binary", "--no-cache-dir"} <= set(install.split())
    assert "--requirement inference.txt" in install


def test_the_build_sees_the_container_s_code_and_its_lock_only():
    sources = [text.split()[0] for text in texts("COPY", stage("builder"))]
    let_through = [line[1:] for line in IGNORED if line.startswith("!")]

    assert next(line for line in IGNORED if not line.startswith("#")) == "*"
    assert sorted(let_through) == sorted(sources) == ["inference", "requirements/inference.txt"]


def test_the_image_takes_the_environment_only_and_runs_no_command():
    final = stage("final")

    assert texts("COPY", final) == ["--from=builder /opt/steelyard /opt/steelyard"]
    assert texts("RUN", final) + texts("ADD", final) == []


def test_it_runs_as_a_number_that_is_not_root():
    final = stage("final")

    assert texts("USER", final) == ["${USER_ID}:${USER_ID}"]
    (user,) = [text for text in texts("ARG", final) if text.startswith("USER_ID=")]
    assert int(user.removeprefix("USER_ID=")) > 0


def test_it_starts_without_a_shell_and_stops_on_sigterm():
    (command,) = texts("ENTRYPOINT", stage("final"))

    assert json.loads(command)[-2:] == ["-m", "inference"]
    assert texts("CMD", stage("final")) == []
    assert texts("STOPSIGNAL", stage("final")) == ["SIGTERM"]


@pytest.mark.parametrize("argument", ["VERSION", "REVISION"])
def test_a_build_without_version_or_commit_ends_in_words(argument: str):
    (*_, guard) = texts("RUN", stage("builder"))
    (check,) = [part for part in guard.split(" && ") if f"{{{argument}:?" in part]

    refused = subprocess.run(["sh", "-c", check], capture_output=True, text=True, check=False)
    accepted = subprocess.run(["sh", "-c", check], env={argument: "1"}, check=False)

    assert refused.returncode != 0
    assert f"{argument}: is not given: --build-arg {argument}=" in refused.stderr
    assert accepted.returncode == 0


def test_its_labels_say_what_it_was_made_from():
    (labels,) = texts("LABEL", stage("final"))
    found = dict(re.findall(r'(\S+?)="(.*?)"', labels))

    assert found.items() >= {
        ("org.opencontainers.image.version", "${VERSION}"),
        ("org.opencontainers.image.revision", "${REVISION}"),
        ("org.opencontainers.image.base.name", "${PYTHON_BASE}"),
        ("io.steelyard.model.version", "${MODEL_VERSION}"),
    }
    for argument in re.findall(r"\$\{(\w+)\}", labels):
        assert any(text.split("=")[0] == argument for text in texts("ARG", stage("final")))


# --- the health check


def asked_for_health(port: int) -> int:
    """Run the health check against another port, with the Python of the tests."""
    (check,) = texts("HEALTHCHECK", stage("final"))
    (exposed,) = texts("EXPOSE", stage("final"))
    _, *options, code = json.loads(check.partition("CMD ")[2])
    assert f"'127.0.0.1', {exposed}" in code
    command = [sys.executable, *options, code.replace(exposed, str(port))]
    environment = {"http_proxy": "http://127.0.0.1:9"}
    return subprocess.run(command, env=environment, capture_output=True, check=False).returncode


@contextmanager
def answering(statuses: dict[str, int]) -> Iterator[int]:
    """Answer each path with its status on a free port."""

    class Answer(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(statuses.get(self.path, 404))
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    with HTTPServer(("127.0.0.1", 0), Answer) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield server.server_port
        finally:
            server.shutdown()
            thread.join()


@pytest.mark.parametrize(("statuses", "code"), [({"/ping": 200}, 0), ({"/ping": 503}, 1), ({}, 1)])
def test_the_health_check_believes_a_200_of_ping_only(statuses: dict[str, int], code: int):
    with answering(statuses) as port:
        assert asked_for_health(port) == code


def test_the_health_check_fails_where_nothing_listens():
    with answering({}) as port:
        pass

    assert asked_for_health(port) == 1
