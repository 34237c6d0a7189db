"""`steelyard backtest`: its exit code, its words and its JSON, and the example of its page."""

import json
import re
import shlex
from pathlib import Path

import pytest
from click.testing import CliRunner

from steelyard.cli import main
from steelyard.spec import load
from tests.steelyard.backtest.recorded import exported, live

ROOT = Path(__file__).resolve().parents[3]
PAGE = (ROOT / "docs/backtest.md").read_text("utf-8")
EXAMPLE = "tumour-classifier"


def run(*arguments: object, text: str | None = None):
    return CliRunner().invoke(main, ["backtest", *map(str, arguments)], input=text)


@pytest.fixture(scope="module")
def healthy() -> str:
    return exported(live(load(ROOT / "endpoints" / EXAMPLE).policy(), lambda step: 0.005)[0])


@pytest.fixture(scope="module")
def failing() -> str:
    return exported(live(load(ROOT / "endpoints" / EXAMPLE).policy(), lambda step: 0.3)[0])


def test_it_ends_with_0_where_the_judge_would_have_promoted(healthy: str):
    result = run(EXAMPLE, "-", text=healthy)

    assert result.exit_code == 0, result.output
    assert result.stdout.endswith("the judge would have promoted the challenger\n")


def test_it_ends_with_1_where_the_judge_would_have_aborted_and_says_why(failing: str):
    result = run(EXAMPLE, "-", text=failing)

    assert result.exit_code == 1
    assert re.search(r" 5% +abort +challenger \d+ errors of \d+, champion \d+ of", result.stdout)
    assert "recorded at the end: rollback: judge: weights are home" in result.stdout


def test_it_ends_with_1_where_the_judge_would_not_have_decided(healthy: str):
    short = "\n".join(healthy.splitlines()[:20])

    result = run(EXAMPLE, "-", text=short)

    assert result.exit_code == 1
    assert "would not have left 5%, 25%, 50%, soak by what was recorded" in result.stdout


def test_json_says_the_same(failing: str):
    result = run(EXAMPLE, "-", "--json", text=failing)

    said = json.loads(result.stdout)
    assert result.exit_code == 1
    assert said["outcome"] == said["turns"][-1]["outcome"] == "abort"
    assert said["turns"][-1]["evidence"]["together"] >= 100
    assert [step["weight"] for step in said["steps"]] == [5, 25, 50, 100]
    assert said["first_minute"] <= said["last_minute"] < said["turns"][-1]["at"] / 60


WRONG = [
    (["nope", "-"], "Error: nope cannot be backtested:\n  - ENDPOINT: given 'nope', allowed is"),
    ([EXAMPLE, "/no/such"], "Error: /no/such cannot be replayed:\n  - METRICS: No such file"),
    ([EXAMPLE, ROOT], f"Error: {ROOT} cannot be replayed:\n  - METRICS: Is a directory"),
    ([EXAMPLE, "-"], "Error: - cannot be replayed:\n  - column minute: is missing"),
    ([EXAMPLE, "-", "--challenger", "v9-9-9"], "Error: tumour-classifier cannot be backtested"),
]


@pytest.mark.parametrize(("arguments", "expected"), WRONG, ids=[said for _, said in WRONG])
def test_what_cannot_be_used_ends_with_2_and_says_so(arguments: list[object], expected: str):
    result = run(*arguments, text="")

    assert result.exit_code == 2
    assert result.stderr.startswith(expected)


def test_what_is_no_text_is_refused(tmp_path: Path):
    (tmp_path / "metrics").write_bytes(b"\xff\x00")

    assert "METRICS: is no text, allowed is UTF-8" in run(EXAMPLE, tmp_path / "metrics").stderr


def test_the_example_of_the_page_prints_what_the_page_says():
    """The page shows a CSV, the command and its output."""
    (rows,) = re.findall(r"```csv\n(.*?)```", PAGE, re.S)
    ((command, output),) = re.findall(r"^\$ steelyard backtest (.*?)\n(.*?)```", PAGE, re.S | re.M)
    endpoint, file, *options = shlex.split(command)
    assert file == "canary.csv"

    result = run(endpoint, "-", *options, text=rows)

    assert result.exit_code == 1
    assert words(result.stdout) == words(output)


def words(output: str) -> list[list[str]]:
    """Return the words of each line up to the evidence, which grows with the judge's skill."""
    shown = re.sub(r": evidence.*", "", output)
    return [line.split() for line in shown.splitlines() if line.strip()]
