"""Whole rollouts with gates: without a person's word nothing moves, and nothing waits for ever."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from tests.rehearsal.conftest import synthesise
from tests.rehearsal.kit import ENDPOINT, PLAN, Kit

DEADLINE_MINUTES = 30


@pytest.fixture(scope="module")
def confirmed(endpoint_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The output of an endpoint whose rollouts a person confirms, at their start and their end."""
    home = tmp_path_factory.mktemp("confirmed")
    folder = Path(shutil.copytree(endpoint_folder, home / ENDPOINT))
    file = yaml.safe_load((folder / "endpoint.yaml").read_text("utf-8"))
    file["rollout"] |= {
        "confirm": ["start", "promotion"],
        "deadline": f"{DEADLINE_MINUTES} minutes",
    }
    (folder / "endpoint.yaml").write_text(yaml.safe_dump(file), "utf-8")
    return synthesise(folder, home / "out")


@pytest.fixture
def gated(confirmed: Path, tmp_path: Path) -> Kit:
    return Kit(Path(shutil.copytree(confirmed, tmp_path / "out")))


def begun(entry: dict[str, Any]) -> dict[int, float]:
    """When each weight of the challenger came into force."""
    return {step["weight"]: step["t_start"] for step in entry["steps"]}


def test_each_gate_is_passed_only_after_its_approval(gated: Kit) -> None:
    entry = gated.rehearse("promoted", events=("approve@start+5m", "approve@2+6m"))

    assert entry["passed"], entry["problems"]
    start, promotion = entry["events"]
    assert (start["said"], promotion["said"]) == (
        "the start is approved",
        "the promotion is approved",
    )
    at = begun(entry)
    # The judge speaks for the state machine, which waits: it looks each minute.
    assert 0 < at[PLAN[0]] - start["t_seconds"] <= 120
    assert 0 < at[PLAN[2]] - promotion["t_seconds"] <= 120


@pytest.mark.parametrize(
    ("events", "weights"), [((), []), (("approve@start+1m",), [PLAN[0], PLAN[1]])]
)
def test_a_gate_that_nobody_opens_sends_the_rollout_home_at_its_deadline(
    gated: Kit, events: tuple[str, ...], weights: list[int]
) -> None:
    entry = gated.rehearse("aborted", events=events)

    assert entry["passed"], entry["problems"]
    assert list(begun(entry)) == weights
    assert "the rollout's deadline of" in entry["reason"]
    lasted = entry["t_end"] - entry["t_start"]
    assert 60 * DEADLINE_MINUTES <= lasted <= 60 * (DEADLINE_MINUTES + 6)
