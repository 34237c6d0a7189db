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


def said(*arguments: object) -> dict[str, Any]:
    result = run(*arguments, "--runs", 2, "--json")
    assert result.exit_code == 0, result.output
    found: dict[str, Any] = json.loads(result.stdout)
    return found


@pytest.fixture(scope="module")
def plan() -> dict[str, Any]:
    return said(EXAMPLE)


def test_each_step_says_what_it_risks_and_what_it_can_tell(plan: dict[str, Any]):
    assert [step["weight"] for step in plan["steps"]] == [5, 25, 50]
    assert [step["requests_at_risk"] for step in plan["steps"]] == pytest.approx([180, 600, 1800])
    for step in plan["steps"]:
        assert step["sees_errors_from"] > step["cannot_exclude_errors_of"] > 0


def test_more_traffic_tells_smaller_faults(plan: dict[str, Any]):
    busy = said(EXAMPLE, "--rate", 20_000)

    pairs = zip(busy["steps"], plan["steps"], strict=True)
    assert all(more["sees_errors_from"] < less["sees_errors_from"] for more, less in pairs)


def test_where_little_is_tolerated_smaller_rates_are_played():
    found = said(EXAMPLE, "--rate", 20_000, "--errors", "0.01%")

    rates = sorted({it["fault"]["errors"] for it in found["faults"]} - {None})
    assert rates == [0.002, 0.005, 0.01, 0.02, 0.05]


def test_the_environment_and_the_challenger_are_those_that_were_asked_for():
    found = said(EXAMPLE, "--environment", "production", "--challenger", "v1-2-0")

    assert found["endpoint"] == "tumour-classifier-production"


def test_the_champions_error_rate_moves_what_is_tolerated():
    found = said(EXAMPLE, "--errors", "2%")

    assert found["tolerated_errors"] == pytest.approx(1.5 * 0.02 + 0.001)
    assert {it["fault"]["errors"] for it in found["faults"]} == {0.05, 0.1, 0.3, None}


def test_prices_of_the_file_price_the_extra_instance_hours(tmp_path: Path, plan: dict[str, Any]):
    folder = copy_example(tmp_path)
    change = ("instance_count: 2}", "instance_count: 2, price_per_hour: 0.5}")
    edit(folder / "endpoint.yaml", change, change)

    with_prices = said(folder)["extra_instance_hours"]

    assert [it["price"] for it in plan["extra_instance_hours"]] == [None] * 3
    assert [it["price"] for it in with_prices] == [it["hours"] * 0.5 for it in with_prices]


@pytest.mark.parametrize("price", ["-1", "'1'", ".inf", "cheap"])
def test_a_price_that_is_none_is_refused_in_words(tmp_path: Path, price: str):
    folder = copy_example(tmp_path)
    edit(folder / "endpoint.yaml", ("count: 2}", f"count: 2, price_per_hour: {price}}}"))

    (_, problem) = run(folder).stderr.splitlines()

    assert "variants[0].price_per_hour: given" in problem
    assert "allowed is a number from 0 to 1000000, not in quotes: write for example 0.12" in problem


def test_a_step_that_never_gets_its_requests_is_announced():
    result = run(EXAMPLE, "--rate", 10, "--runs", 1)

    assert "step 5% pauses: 0.5 requests a minute do not make 50 within 1 hour" in result.stdout


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
    ("option", "value"), [("--errors", "5"), ("--errors", "-1%"), ("--rate", "0"), ("--runs", "0")]
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
    assert words(result.stdout) == words(output)
    assert arithmetic(result.stdout) == arithmetic(output)


def words(output: str) -> list[list[str]]:
    shown = re.sub(r"\d[\d.,]*%?|–", "#", output)
    return [line.split() for line in shown.splitlines() if line.strip()]


def arithmetic(output: str) -> list[str]:
    """Return the lines that say what no play can change."""
    lines = [line.strip() for line in output.splitlines()]
    return [line for line in lines if re.search(r"shortest|longest|home|both fleets|a day", line)]
