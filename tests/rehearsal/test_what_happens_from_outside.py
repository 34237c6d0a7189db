"""Whole rollouts to which people and mishaps do something: what must come of it comes of it."""

import json
import shutil
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import yaml

from steelyard.rehearsal.assembly import Assembly, stage_folder
from steelyard.rehearsal.rehearse import Watches, rehearse
from tests.rehearsal.conftest import synthesise
from tests.rehearsal.kit import ENDPOINT, Kit, Silent, records


def said(entry: dict[str, Any]) -> dict[str, str]:
    return {event["event"]: event["said"] for event in entry["events"]}


def test_orders_are_carried_out_and_deployments_and_second_rollouts_refused(kit: Kit) -> None:
    events = ("pause@1+2m", "resume@1+3m", "deploy@1+4m", "start@2", "revert@end+2m")

    entry = kit.rehearse("promoted", events=events)

    assert entry["passed"], entry["problems"]
    refused = said(entry)["deploy@1+4m"]
    assert "UPDATE_ROLLBACK_COMPLETE" in refused
    assert f"rollout {entry['challenger']}-" in refused
    assert "steelyard abort" in refused
    assert "wait until it has ended" in said(entry)["start@2"]
    assert entry["weights"][-1] == entry["weights"][-1] | {"variant": "v1-1-0", "weight": 0}


@pytest.mark.proof
def test_a_deployment_after_the_promotion_keeps_live_weights_and_counts(kit: Kit) -> None:
    entry = kit.rehearse("promoted", events=("deploy@end+30s",))

    assert entry["passed"], entry["problems"]
    assert said(entry)["deploy@end+30s"].endswith("kept")


@pytest.mark.parametrize(
    ("events", "by", "within"),
    [
        pytest.param(("stop-execution@2",), "engine", 60, marks=pytest.mark.proof),
        (("kill-judge@1",), "watchdog", 300),
        pytest.param(
            ("kill-watchdog@1", "stop-execution@1+20s"), "engine", 60, marks=pytest.mark.proof
        ),
        pytest.param(("abort@1+90s",), "operator", 60, marks=pytest.mark.proof),
        pytest.param(("kill-watchdog@1", "kill-judge@1"), "engine", 420, marks=pytest.mark.proof),
    ],
)
def test_whoever_dies_or_orders_it_the_weight_comes_home(
    kit: Kit, events: tuple[str, ...], by: str, within: float
) -> None:
    entry = kit.rehearse("aborted", events=events)

    assert entry["passed"], entry["problems"]
    assert entry["caught_by"] == by
    assert entry["seconds_from_fault_to_safe"] <= within


@pytest.mark.proof
def test_a_config_that_is_changed_by_hand_ends_the_rollout(kit: Kit) -> None:
    entry = kit.rehearse("aborted", events=("config-change@1+1m",))

    assert entry["passed"], entry["problems"]
    assert "by-hand" in entry["reason"]


@pytest.mark.proof
def test_a_pause_that_nobody_ends_is_aborted_at_its_deadline(kit: Kit) -> None:
    entry = kit.rehearse("aborted", events=("pause@2+10s",))

    assert entry["passed"], entry["problems"]
    assert "nobody ended the pause by" in entry["reason"]


@pytest.mark.proof
def test_an_event_that_never_came_is_red(kit: Kit) -> None:
    entry = kit.rehearse("aborted", "dead@1", events=("pause@soak",))

    assert not entry["passed"]
    assert entry["problems"] == ["pause@soak did not happen: the rollout never came to it"]


def without_guard(kit: Kit) -> None:
    with kit.template("endpoint") as template:
        resources = template["Resources"]
        guards = [name for name in resources if resources[name]["Type"] == "Custom::Guard"]
        for name in guards:
            del resources[name]
        for resource in resources.values():
            after = resource.get("DependsOn", [])
            resource["DependsOn"] = [name for name in after if name not in guards]


def test_without_the_guard_a_deployment_in_a_rollout_is_red(kit: Kit) -> None:
    without_guard(kit)

    entry = kit.rehearse("promoted", events=("deploy@1+2m",))

    assert not entry["passed"]
    assert "deploy@1+2m was carried out, and must not be" in "\n".join(entry["problems"])


@pytest.mark.proof
def test_a_bake_of_seven_days_is_played_in_minutes(endpoint_folder: Path, tmp_path: Path) -> None:
    folder = Path(shutil.copytree(endpoint_folder, tmp_path / "endpoints" / ENDPOINT))
    file = yaml.safe_load((folder / "endpoint.yaml").read_text("utf-8"))
    file["rollout"] |= {
        "steps": [{"weight": 30, "bake": "7 days"}],
        "longest": "8 days",
        "deadline": "20 days",
    }
    (folder / "endpoint.yaml").write_text(yaml.safe_dump(file), "utf-8")
    kit = Kit(synthesise(folder, tmp_path / "out"))
    scenario = replace(
        kit.scenario("promoted"),
        assembly=Assembly.read(stage_folder(kit.output, f"{ENDPOINT}-test")),
        plan=(30, 100),
        longest_seconds=9 * 86400.0,
    )

    report = rehearse("test", [scenario], records(), 12, 7, Silent(), Watches())

    (entry,) = report["rollouts"]
    assert entry["passed"], entry["problems"]
    first = entry["steps"][0]
    assert first["t_end"] - first["t_start"] >= 7 * 86400
    assert json.dumps(report["simulated"]).count("time passes by whole minutes") == 1
