"""`steelyard plan`: its words, its JSON, what it refuses, and the example of its page."""

import json
import re
import shlex
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from steelyard.cli import main
from tests.steelyard.spec.sample import copy_example, edit

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs/plan.md").read_text("utf-8")
EXAMPLE = "tumour-classifier"


def run(*arguments: object):
    return CliRunner().invoke(main, ["plan", *map(str, arguments)])


def said(*arguments: object, code: int = 0) -> dict[str, Any]:
    result = run(*arguments, "--runs", 1, "--json")
    assert result.exit_code == code, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


@pytest.fixture(scope="module")
def plan() -> dict[str, Any]:
    return said(EXAMPLE)


def sizes(found: dict[str, Any], step: int, field: str) -> list[float]:
    faults = [it["fault"][field] for it in found["faults"] if it["step"] == step and it["seen"]]
    return sorted(size for size in faults if size)


def test_each_step_says_what_it_risks_sees_and_excludes(plan: dict[str, Any]):
    *steps, soak = plan["steps"]

    assert [step["weight"] for step in plan["steps"]] == [5, 25, 50, 100]
    assert [it["requests_at_risk"] for it in plan["steps"]] == pytest.approx([180, 600, 1800, 7200])
    for step in steps:
        assert set(step["surely_sees"]) == {
            "errors",
            "client errors",
            "latency",
            "predictions",
            "silence",
        }
        assert step["can_exclude"]["errors"] > 0.005
    assert soak["surely_sees"]["silence"] == "no answers"
    assert soak["can_exclude"] is None


def test_more_traffic_tells_and_excludes_smaller_faults(plan: dict[str, Any]):
    busy = said(EXAMPLE, "--rate", 20_000)

    assert min(sizes(busy, 0, "errors")) < min(sizes(plan, 0, "errors"))
    for more, less in zip(busy["steps"][:-1], plan["steps"][:-1], strict=True):
        assert more["can_exclude"]["errors"] < less["can_exclude"]["errors"]


@pytest.mark.parametrize(
    ("options", "field", "expected"),
    [
        (["--errors", "2%"], "champion_errors", 0.02),
        (["--client-errors", "3%"], "champion_client_errors", 0.03),
        (["--latency", "50 milliseconds"], "champion_latency", 0.05),
        (["--rate", "500"], "requests_per_minute", 500),
        (["--environment", "production"], "endpoint", "tumour-classifier-production"),
    ],
)
def test_what_is_known_of_the_champion_is_planned_with(
    options: list[str], field: str, expected: object
):
    assert said(EXAMPLE, *options)[field] == expected


def test_a_start_gives_a_schedule(tmp_path: Path):
    folder = copy_example(tmp_path)
    edit(
        folder / "endpoint.yaml",
        ("rollout:\n", "rollout:\n  freeze: [{from: 2026-12-23 10:20, until: 2026-12-27 00:00}]\n"),
    )

    result = run(folder, "--at", "2026-12-23 10:00", "--runs", 1)

    assert result.exit_code == 0
    assert "the weight 50 waits until 2026-12-27 00:00:00 UTC" in result.stdout


def test_without_a_start_there_is_none(plan: dict[str, Any]):
    assert plan["schedule"] is None


def scaled(tmp_path: Path, most: int, load: int) -> Path:
    folder = copy_example(tmp_path)
    scaling = f"scaling: {{min: 2, max: {most}, invocations_per_instance: {load}}}"
    change = ("instance_count: 2}", f"instance_count: 2, {scaling}}}")
    edit(folder / "endpoint.yaml", change, change)
    return folder


def test_a_rollout_that_would_be_refused_ends_with_1_and_says_why(tmp_path: Path):
    result = run(scaled(tmp_path, 4, 200), "--rate", 1000, "--runs", 1)

    assert result.exit_code == 1
    assert "refused: v1-1-0 needs 5 instances at weight 100" in result.stdout
    assert "refused: v1-0-0 had 500 requests a minute per instance" in result.stdout


def test_headroom_and_what_a_revert_finds_are_said(tmp_path: Path):
    result = run(scaled(tmp_path, 4, 200), "--runs", 1)

    assert result.exit_code == 0
    assert "40%  of v1-0-0's load is free while its scaling is held; 30% must be" in result.stdout
    assert "shrinks to 2, for 400 requests a minute, which is enough" in result.stdout


def test_prices_of_the_file_price_the_extra_instance_hours(tmp_path: Path, plan: dict[str, Any]):
    folder = copy_example(tmp_path)
    change = ("instance_count: 2}", "instance_count: 2, price_per_hour: 0.5}")
    edit(folder / "endpoint.yaml", change, change)

    with_prices = said(folder)["extra_instance_hours"]

    assert [it["price"] for it in plan["extra_instance_hours"]] == [None] * 4
    assert [it["price"] for it in with_prices] == [it["hours"] * 0.5 for it in with_prices]


@pytest.mark.parametrize("price", ["-1", "'1'", ".inf", "cheap"])
def test_a_price_that_is_none_is_refused_in_words(tmp_path: Path, price: str):
    folder = copy_example(tmp_path)
    edit(folder / "endpoint.yaml", ("count: 2}", f"count: 2, price_per_hour: {price}}}"))

    (_, problem) = run(folder).stderr.splitlines()

    assert "variants[0].price_per_hour: given" in problem
    assert "allowed is a number from 0 to 1000000, not in quotes: write for example 0.12" in problem


def test_a_step_that_never_gets_its_requests_or_its_proof_is_announced():
    result = run(EXAMPLE, "--rate", 10, "--runs", 1)

    assert "step 5% pauses: 0.5 requests a minute do not make 50 within 1 hour" in result.stdout
    assert "cannot exclude the promotion margin of errors and client errors" in result.stdout


def test_every_fault_that_was_played_is_printed_on_demand():
    result = run(EXAMPLE, "--all", "--runs", 1)

    (block,) = re.findall(r"each fault that was played\n(.*?)\n\n", result.stdout, re.S)
    assert {"5%", "25%", "50%", "soak", "all"} <= set(block.split())


def test_a_page_is_written_where_it_is_asked_for(tmp_path: Path):
    result = run(EXAMPLE, "--runs", 1, "--page", tmp_path / "plan.html")

    assert result.exit_code == 0
    assert "tumour-classifier-staging: plan" in (tmp_path / "plan.html").read_text("utf-8")


def test_a_page_that_cannot_be_written_ends_with_2(tmp_path: Path):
    (tmp_path / "file").write_text("")

    result = run(EXAMPLE, "--runs", 1, "--page", tmp_path / "file" / "plan.html")

    assert result.exit_code == 2
    assert "cannot be written" in result.stderr


WRONG = [
    (["nope"], "Error: nope cannot be planned:\n  - ENDPOINT: given 'nope', allowed is the path"),
    ([EXAMPLE, "--challenger", "v1-0-0"], "Error: tumour-classifier cannot be planned:\n  - chal"),
    (
        [EXAMPLE, "--environment", "prod"],
        "Error: tumour-classifier cannot be planned:\n"
        "  - --environment: given 'prod', allowed is staging, production: write one of these",
    ),
]


@pytest.mark.parametrize(("arguments", "expected"), WRONG, ids=[said for _, said in WRONG])
def test_what_cannot_be_planned_ends_with_2_and_says_so(arguments: list[str], expected: str):
    result = run(*arguments)

    assert result.exit_code == 2
    assert result.stderr.startswith(expected)


@pytest.mark.parametrize(
    ("option", "value"),
    [
        ("--errors", "5"),
        ("--errors", "-1%"),
        ("--client-errors", "x"),
        ("--latency", "20"),
        ("--rate", "0"),
        ("--runs", "0"),
        ("--at", "Friday"),
    ],
)
def test_a_number_that_means_nothing_ends_with_2(option: str, value: str):
    result = run(EXAMPLE, option, value)

    assert result.exit_code == 2
    assert option in result.stderr


def test_the_example_of_the_page_prints_what_the_page_says():
    """What is played depends on the judge's skill: of that the words are held, not the numbers."""
    ((command, output),) = re.findall(r"^\$ steelyard plan (.*?)\n(.*?)```", PAGE, re.S | re.M)

    result = run(*shlex.split(command), "--runs", 1)

    assert result.exit_code == 0
    assert lines(result.stdout) == lines(output)
    assert arithmetic(result.stdout) == arithmetic(output)


def lines(output: str) -> list[list[str]]:
    """Return the words of each line that no play can change; of a table's row its channel."""
    shown = re.sub(r"\d[\d.,:]*%?|–", "#", output)
    kept = [
        re.sub(r"(errors|latency|predictions|silence)  .*", r"\1", it) for it in shown.splitlines()
    ]
    return [line.split() for line in kept if line.strip()]


def arithmetic(output: str) -> list[str]:
    """Return the lines that say what no play can change."""
    stripped = [line.strip() for line in output.splitlines()]
    held = r"shortest|longest promotion|deadline|home|lease|revert|Update|a day"
    return [line for line in stripped if re.search(held, line)]
