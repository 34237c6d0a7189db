"""What is typed is refused whole, before anything is played, in words and with exit code 2."""

import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from click.testing import CliRunner

from steelyard.cli import main
from tests.steelyard.spec.sample import copy_example, edit, write_iris

ROOT = Path(__file__).resolve().parents[3]


def run(*arguments: object):
    """Run `steelyard rehearse` as far as its input is bad."""
    return CliRunner().invoke(main, ["rehearse", *map(str, arguments)])


def problems(*arguments: object) -> list[str]:
    """Return what a refused command line is told."""
    result = run(*arguments)
    assert result.exit_code == 2, result.output
    head, *listed = result.stderr.splitlines()
    assert head == f"Error: {arguments[0]} cannot be rehearsed:"
    assert all(line.startswith("  - ") for line in listed)
    return [line.removeprefix("  - ") for line in listed]


WRONG = [
    (["nope"], "ENDPOINT: given 'nope', allowed is the path of a folder with an endpoint.yaml"),
    (["tumour-classifier", "--challenger", "v9-9-9"], "v9-9-9: is missing, allowed is a version"),
    (["tumour-classifier", "--challenger", "v1-0-0"], "challenger v1-0-0: given the champion"),
    (["tumour-classifier", "--challenger", ""], "challenger '': allowed is the name of a version"),
    (["tumour-classifier", "--fault", "nonsense"], "fault 'nonsense'"),
    (["tumour-classifier", "--fault", "dead@9"], "fault 'dead@9'"),
    (["tumour-classifier", "--environment", "prod"], "--environment: given 'prod', allowed is sta"),
    (["tumour-classifier", "--all", "--expect", "aborted"], "--expect: given with --all"),
    (["tumour-classifier", "--all", "--challenger", "v1-2-0"], "--challenger: given with --all"),
    (["tumour-classifier", "--all", "--fault", "dead"], "--fault: given with --all"),
    (["tumour-classifier", "--json", "/no/such/r.json"], "--json: /no/such is no folder, allowed"),
    (["tumour-classifier", "--json", ROOT], f"--json: {ROOT} is a folder, allowed is a file"),
    (["tumour-classifier", "--assembly", "/no/such"], "--assembly: /no/such is missing, allowed"),
    (["tumour-classifier", "--assembly", ROOT / "app.py"], f"--assembly: {ROOT}/app.py is no fold"),
    (["tumour-classifier", "--assembly", ROOT / "tests"], f"--assembly: {ROOT}/tests holds no sta"),
]  # fmt: skip


@pytest.mark.parametrize(("arguments", "expected"), WRONG)
def test_what_cannot_be_rehearsed_is_answered_by_one_sentence(arguments, expected):
    (problem,) = problems(*arguments)

    assert problem.startswith(expected)


def test_everything_that_is_wrong_is_said_at_once():
    said = problems(
        "tumour-classifier",
        *("--challenger", "v9-9-9"),
        *("--fault", "nonsense"),
        *("--fault", "dead@9"),
        *("--environment", "prod"),
        *("--json", "/no/such/r.json"),
        *("--assembly", "/no/such"),
    )

    assert [problem.split(":")[0] for problem in said] == [
        "--json",
        "fault 'nonsense'",
        "fault 'dead@9'",
        "v9-9-9",
        "--environment",
        "--assembly",
    ]


def test_a_fault_twice_is_refused_since_only_one_would_strike():
    (problem,) = problems("tumour-classifier", "--fault", "dead@1", "--fault", "dead@2")

    assert "given dead 2 times, allowed is each kind once" in problem


def test_the_problems_of_the_folder_are_listed_with_those_of_the_command_line(tmp_path):
    folder = copy_example(tmp_path)
    edit(
        folder / "endpoint.yaml",
        ("faults: [dead@25%]", "faults: [dead@7, zap], events: [nap@2]"),
        ("5,", "0,"),
    )
    (folder / "v1-1-0" / "schema.json").unlink()

    said = problems(folder, "--json", "/no/such/r.json")

    # The faults' steps cannot be known as long as a step's weight is not.
    assert [problem.split(": ")[0] for problem in said] == [
        "--json",
        "endpoint.yaml, line 11",
        "v1-1-0/schema.json",
    ]
    edit(folder / "endpoint.yaml", ("weight: 0,", "weight: 5,"))
    assert [problem.split(": ")[1] for problem in problems(folder)] == [
        "rehearsal[2].faults[0]",
        "rehearsal[2].faults[1]",
        "rehearsal[2].events[0]",
        "is missing",
    ]


def test_a_file_that_lists_no_rollout_cannot_be_played_whole(tmp_path):
    folder = copy_example(tmp_path)
    path = folder / "endpoint.yaml"
    before, _, after = path.read_text().partition("\nrehearsal:")
    path.write_text(f"{before}\n\nenvironments:{after.partition('environments:')[2]}")

    (problem,) = problems(folder, "--all")

    assert problem.startswith("--all: endpoint.yaml: rehearsal: lists no rollout")


def test_a_rollout_without_any_challenger_is_refused(tmp_path):
    folder = copy_example(tmp_path)
    edit(folder / "endpoint.yaml", ("role: challenger", "role: previous"))

    (problem,) = problems(folder)

    assert problem.startswith("endpoint.yaml, line 5: variants: given none with the role challeng")


def test_without_node_nothing_is_begun(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path))

    (problem,) = problems("tumour-classifier")

    assert problem.startswith("node: is not on the PATH")


def test_without_the_npm_packages_nothing_is_begun(monkeypatch, tmp_path):
    monkeypatch.setattr("steelyard.cli.tools.NODE_MODULES", tmp_path)

    (problem,) = problems("tumour-classifier")

    assert problem.startswith("node_modules: lacks uplot/")
    assert "run `make setup`, or `npm ci`" in problem


def test_an_assembly_of_another_environment_is_refused_with_those_that_it_has(tmp_path):
    (tmp_path / "assembly-tumour-classifier-staging").mkdir()

    (problem,) = problems("tumour-classifier", "--assembly", tmp_path)

    # A folder alone is no stage either: its manifest is missing.
    assert "holds the stages tumour-classifier-staging, allowed is one with" in problem


def test_an_option_that_does_not_exist_ends_with_2_and_the_way_to_help():
    result = run("tumour-classifier", "--nonsense")

    assert result.exit_code == 2
    assert "--help" in result.stderr


def tree(folder: Path) -> dict[Path, int]:
    """Return every file below a folder with the time it was last written."""
    return {path: path.stat().st_mtime_ns for path in folder.rglob("*") if path.is_file()}


def test_refused_input_writes_nothing(tmp_path):
    folder = copy_example(tmp_path)
    edit(folder / "endpoint.yaml", ("weight: 5,", "weight: 0,"))
    before = tree(tmp_path)

    problems(folder, "--json", tmp_path / "report.json")

    assert tree(tmp_path) == before


def wait_for(what, seconds: float) -> None:
    """Wait until something holds, and fail when it never does."""
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end
        time.sleep(0.05)


def descendants(leader: int) -> list[str]:
    """Return the command lines of the processes that descend from one, in any process group."""
    listed = subprocess.run(["ps", "-ewwo", "pid=,ppid=,args="], capture_output=True, text=True)
    rows = [line.split(None, 2) for line in listed.stdout.splitlines()]
    below, found = {leader}, []
    for pid, parent, command in sorted(rows, key=lambda row: int(row[0])):
        if int(parent) in below:
            below.add(int(pid))
            found.append(command)
    return found


@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_an_interrupted_synthesis_leaves_no_process_and_no_file(tmp_path, number, code):
    with subprocess.Popen(
        [sys.executable, "-m", "steelyard", "rehearse", "tumour-classifier"],
        env=os.environ | {"TMPDIR": str(tmp_path)},
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
    ) as command:
        try:
            wait_for(lambda: any("jsii-runtime" in line for line in descendants(command.pid)), 30)
            command.send_signal(number)
            said, _ = command.communicate(timeout=30)
        finally:
            command.kill()

    assert command.returncode == code
    assert "Traceback" not in said
    assert not any(str(tmp_path) in line for line in descendants(1))
    # jsii keeps its cookie there.
    assert [path.name for path in tmp_path.iterdir()] in ([], [".ses"])


@pytest.mark.proof
def test_an_endpoint_quite_unlike_the_example_is_rehearsed_to_its_end(tmp_path):
    folder = write_iris(tmp_path / "iris")
    copy = tmp_path / "copy.json"

    result = subprocess.run(
        [sys.executable, "-m", "steelyard", "rehearse", str(folder), "--json", str(copy)],
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        check=False,
    )

    assert result.returncode == 0, result.stdout + result.stderr
    assert "1 of 1 rollouts ended as expected" in result.stdout
    assert '"endpoint": "iris-virginica-live"' in copy.read_text()


@pytest.mark.proof
def test_a_rollout_that_ends_otherwise_than_expected_ends_with_1(tmp_path):
    folder = Path(shutil.copytree(write_iris(tmp_path / "iris"), tmp_path / "again"))
    command = [sys.executable, "-m", "steelyard", "rehearse", str(folder), "--expect", "aborted"]

    result = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)

    assert result.returncode == 1
    assert "NOT as expected" in result.stdout
