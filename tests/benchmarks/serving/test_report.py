"""The report says what is met, what is not, and what makes its numbers less than they seem."""

import json
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks.serving.measure import Load, Plan, Start
from benchmarks.serving.report import Machine, Report
from benchmarks.serving.servers import SERVERS

VERSIONS = {"onnxruntime": "1.0", "numpy": "2.0", "pydantic": "2.0", "uvicorn": "1.0"}
PLAN = Plan([SERVERS["steelyard"], SERVERS["fastapi"]], 1, 1, (64,), 0)
QUIET = Machine("a processor", 2, "Linux", "3.11", "wrk", 0.1)


def report(machine: Machine = QUIET, **versions: str) -> Report:
    """Report one round in which ours is six times as fast for the same processor time."""

    def start(rate: float) -> Start:
        return Start(0.5, 80.0, 1.0, {64: Load(rate, 100.0, 1.0, 2.0)})

    rounds = [{"steelyard": start(6000), "fastapi": start(1000)}]
    return Report(machine, {"steelyard": VERSIONS, "fastapi": VERSIONS | versions}, PLAN, rounds)


def test_each_target_is_shown_as_met_missed_or_not_measured():
    shown = {row[0]: row[2:] for row in report().tables()["Targets, as multiples of fastapi"]}

    assert shown["requests/s, c64"] == ["6", "met"]
    assert shown["requests per CPU second, c64"] == ["1", "NOT met"]
    assert shown["requests/s, c8"] == ["–", "not measured"]


def test_every_table_is_on_the_terminal_in_the_page_and_everything_in_the_file(tmp_path: Path):
    console = Console(record=True, width=200)

    report().show(console)
    report().write(tmp_path)

    page = (tmp_path / "report.md").read_text()
    for title in report().tables():
        assert title in page
    assert "| requests/s, c64 | at least 5 | 6 | met |" in page
    assert "NOT met" in console.export_text()
    content = json.loads((tmp_path / "report.json").read_text())
    assert content["rounds"][0]["steelyard"]["loads"]["64"]["rate"] == 6000
    assert content["targets"][0]["is_met"] is True


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (report(Machine("a processor", 2, "Linux", "3.11", "wrk", 0.6)), "load average was 0.6"),
        (report(numpy="1.0"), "numpy is not the same everywhere: 1.0, 2.0"),
    ],
)
def test_a_busy_machine_or_unequal_versions_are_a_warning(given: Report, said: str):
    (warning,) = given.warnings

    assert said in warning


def test_a_quiet_machine_and_equal_versions_are_none():
    assert report().warnings == []
