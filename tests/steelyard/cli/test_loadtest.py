"""A load test from the command line: refused whole, or run to its verdict and its report."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from steelyard.cli import main
from steelyard.cli.load_request import Request, prepare
from tests.steelyard.loadtest.loopback import serving

ROOT = Path(__file__).resolve().parents[3]
EXAMPLE = "tumour-classifier"
URL = "http://127.0.0.1:1"


def run(*arguments: object):
    return CliRunner().invoke(main, ["loadtest", *map(str, arguments)])


def asked(target: str, **changes: object) -> Request:
    """Return a request as the command line makes it."""
    with main.make_context("steelyard", ["loadtest", target]):
        command = main.commands["loadtest"]
        typed = command.make_context("loadtest", [target]).params
    return Request(**typed | changes)  # type: ignore[arg-type]


def problems(*arguments: object) -> list[str]:
    """Return what a refused command line is told."""
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    head, *listed = result.stderr.splitlines()
    assert head == f"Error: {arguments[0]} cannot be load-tested:"
    return [line.removeprefix("  - ") for line in listed]


WRONG = [
    (["nope"], "ENDPOINT: given 'nope', allowed is the path of a folder with an endpoint.yaml"),
    ([EXAMPLE, "--version", "v9-9-9"], "v9-9-9: is missing, allowed is a version"),
    ([EXAMPLE, "--p99", "20"], "--p99: given '20', allowed is a number with its unit"),
    ([EXAMPLE, "--body", "x"], f"--body: given with '{EXAMPLE}', allowed is it with the other"),
    ([EXAMPLE, "--endpoint", EXAMPLE], f"--endpoint: given with '{EXAMPLE}', allowed is it with"),
    ([EXAMPLE, "--variant", "v1-0-0"], "--variant: given without --environment"),
    ([EXAMPLE, "--environment", "prod"], "--environment: given 'prod', allowed is staging, prod"),
    (
        [EXAMPLE, "--environment", "staging", "--variant", "v1-2-0"],
        "--variant: given 'v1-2-0', allowed is v1-0-0, v1-1-0",
    ),
    (
        [EXAMPLE, "--environment", "staging", "--workers", "2"],
        "--workers, --version: given with --environment, where nothing is started",
    ),
    ([URL, "--p99", "1 second"], "--body, --endpoint: given neither, allowed is one of them"),
    (
        [URL, "--body", ROOT / "README.md", "--endpoint", EXAMPLE],
        "--body, --endpoint: given both, allowed is one of them",
    ),
    ([URL, "--body", ROOT / "README.md"], "--p99: given none, nor --endpoint, whose file has"),
    ([URL, "--body", "/no/such", "--p99", "1 second"], "--body: /no/such cannot be read"),
    ([URL, "--endpoint", "nope"], "ENDPOINT: given 'nope'"),
    ([URL, "--endpoint", EXAMPLE, "--version", "v1-0-0"], f"--version: given with '{URL}'"),
    (["http://", "--endpoint", EXAMPLE], "URL: given 'http://', allowed is one with a host"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "expected"), WRONG)
def test_what_cannot_be_tested_is_answered_by_one_sentence(arguments, expected):
    (problem,) = problems(*arguments)

    assert problem.startswith(expected)


def test_everything_wrong_is_said_at_once():
    told = problems(URL, "--workers", 2, "--body", "/no/such", "--p99", "soon")

    assert [it.split(":")[0] for it in told] == ["--workers", "--body", "--p99"]


def test_without_the_chart_library_nothing_is_loaded(monkeypatch, tmp_path):
    monkeypatch.setattr("steelyard.cli.tools.NODE_MODULES", tmp_path)

    (problem,) = problems(EXAMPLE)

    assert problem.startswith("node_modules: lacks uplot/dist/uPlot.iife.min.js")


def test_more_requests_than_can_be_remembered_are_refused():
    result = run(EXAMPLE, "--rate", 1000, "--seconds", 36000)

    assert result.exit_code == 2
    assert "given 36,000,000 requests, allowed is at most 10,000,000" in result.stderr


def test_a_url_without_a_file_needs_a_rate():
    result = run(URL, "--body", ROOT / "README.md", "--p99", "1 second")

    assert result.exit_code == 2
    assert "--rate: given none, nor --endpoint" in result.stderr


@pytest.mark.parametrize(
    ("changes", "rate", "plan"),
    [
        ({}, 20, "10 x the file's 240 a minute over 2 instances"),
        ({"times": 30.0}, 60, "30 x the file's 240 a minute over 2 instances"),
        ({"environment": "staging"}, 40, "10 x the file's 240 a minute"),
        ({"rate": 7.0}, 7, "10 x the file's 240 a minute over 2 instances"),
    ],
)
def test_the_rate_is_what_the_file_plans_for_what_is_loaded(changes, rate, plan):
    load = prepare(asked(EXAMPLE, **changes))

    assert load.rate == pytest.approx(rate)
    assert load.wanted.plan == plan
    assert load.wanted.p99 == 0.5


def test_a_run_is_long_enough_for_a_p99():
    assert prepare(asked(EXAMPLE)).seconds == 30
    assert prepare(asked(EXAMPLE, times=1.0)).seconds == 300
    assert prepare(asked(EXAMPLE, seconds=4.0)).seconds == 4


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({}, True),
        ({"rate": 5.0}, False),
        ({"rate": 5.0, "knee": True}, True),
        ({"knee": False}, False),
        ({"environment": "staging"}, False),
        ({"environment": "staging", "knee": True}, True),
    ],
)
def test_the_knee_is_sought_where_no_rate_is_given_but_not_where_it_costs(changes, expected):
    assert asked(EXAMPLE, **changes).seeks_knee is expected


@pytest.mark.parametrize(
    ("limit", "said", "never"),
    [
        ("30 seconds", "≤ limit 30 s at 380 requests/s", "fail"),
        ("0.001 milliseconds", "> limit 0.001 ms at 380 requests/s", "pass"),
    ],
)
def test_a_url_is_loaded_and_judged_and_reported(tmp_path, limit, said, never):
    body = tmp_path / "body.csv"
    body.write_text("1,2,3")
    what = ["--body", body, "--content-type", "text/csv", "--p99", limit]
    how = ["--rate", 380, "--seconds", 1.5, "--warm-up", 0.2, "--out", tmp_path / "out"]

    with serving() as server:
        result = run(server.url, *what, *how)

    report = json.loads((tmp_path / "out" / "report.json").read_text("utf-8"))
    outcome = report["verdict"]["outcome"]
    assert said in result.output
    # Inconclusive where this machine is too busy to send in time.
    assert outcome != never
    assert result.exit_code == (0 if outcome == "pass" else 1)
    assert f"\n{outcome}\n" in result.output
    assert {(path, given) for path, _, given in server.seen} == {("/invocations", b"1,2,3")}
    assert {headers["Content-Type"] for _, headers, _ in server.seen} == {"text/csv"}
    assert (tmp_path / "out" / "report.html").is_file()


def test_a_url_gets_the_rows_of_an_endpoint_and_its_limit(tmp_path):
    options = ["--rate", 100, "--seconds", 1, "--warm-up", 0, "--out", tmp_path]

    with serving() as server:
        result = run(server.url, "--endpoint", EXAMPLE, *options)

    assert result.exit_code == 1  # 100 requests are too few for a p99
    assert "too few for a p99, which needs 368" in result.output
    assert "mean_radius" in json.loads(server.seen[0][2])
    assert "label" not in json.loads(server.seen[0][2])


def test_a_container_is_started_loaded_and_gone(tmp_path):
    options = ["--rate", 380, "--seconds", 1.5, "--warm-up", 0.5, "--out", tmp_path]

    result = run(EXAMPLE, *options)

    report = json.loads((tmp_path / "report.json").read_text("utf-8"))
    assert result.exit_code == (0 if report["verdict"]["outcome"] == "pass" else 1)
    assert report["run"]["failures"] == {}
    assert report["run"]["requests"] > 400
    assert report["memory"]["source"] == "PSS of the container's processes"
    assert 10e6 < report["memory"]["readings"][0][1] < 1e9
    assert report["plan"]["bodies"] == 171
    assert not _answers(report["plan"]["url"])


def test_an_interrupted_load_test_leaves_no_container_and_no_report(tmp_path):
    command = [sys.executable, "-m", "steelyard", "loadtest", EXAMPLE, "--out", str(tmp_path)]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONUNBUFFERED": "1"},
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("the run: 20 requests/s")
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children").read_text().split()

    process.send_signal(signal.SIGINT)
    _, said = process.communicate(timeout=30)

    assert process.returncode == 130
    assert "interrupted" in said
    assert "Traceback" not in said
    assert not list(tmp_path.iterdir())
    end = time.monotonic() + 10
    while any(Path(f"/proc/{child}").exists() for child in children) and time.monotonic() < end:
        time.sleep(0.02)
    assert children
    assert [child for child in children if Path(f"/proc/{child}").exists()] == []


def _answers(url: str) -> bool:
    """Say whether anything listens there."""
    host, port = url.split("/")[2].split(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) == 0
