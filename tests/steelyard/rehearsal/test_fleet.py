"""An endpoint's containers: all of them serve, or none is left."""

import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from steelyard.rehearsal import fleet
from steelyard.rehearsal.assembly import CannotPlay
from steelyard.rehearsal.containers import ContainerFailed
from steelyard.rehearsal.faults import IMAGE
from steelyard.rehearsal.local_aws import LocalAws
from tests.steelyard.rehearsal.local import assembly
from tests.steelyard.rehearsal.two_versions import CHALLENGER, CHAMPION, NAME, template


def container_of(resources: dict[str, Any], version: str) -> Any:
    return resources[f"Model{version[1]}{version[3]}"]["Properties"]["PrimaryContainer"]


def running(folder: Path) -> bool:
    """Whether any process still has this folder in its command line."""
    listed = subprocess.run(["ps", "axww", "-o", "command"], capture_output=True, check=True)
    return str(folder).encode() in listed.stdout


def test_each_variant_serves_the_artefact_of_its_model(aws: LocalAws, tmp_path: Path) -> None:
    resources, assets = template(tmp_path)
    challengers = container_of(resources, CHALLENGER)
    challengers["ModelDataUrl"] = challengers["ModelDataUrl"].replace(
        "s3://", "https://s3.eu-central-1.amazonaws.com/"
    )
    aws.deploy(assembly(resources, assets))

    containers = fleet.start(aws, NAME, tmp_path / "containers", lambda _: IMAGE)

    try:
        said = {name: it.pool.request("GET", "/metadata").json() for name, it in containers.items()}
        assert {name: (it["version"], it["variant"]) for name, it in said.items()} == {
            CHAMPION: ("1.0.0", CHAMPION),
            CHALLENGER: ("1.1.0", CHALLENGER),
        }
    finally:
        fleet.close(containers.values())
    assert not running(tmp_path / "containers")


def test_no_container_is_left_when_one_does_not_come_up(aws: LocalAws, tmp_path: Path) -> None:
    aws.deploy(assembly(*template(tmp_path)))
    folder = tmp_path / "containers"

    def command(variant: str) -> Sequence[str]:
        return IMAGE if variant == CHAMPION else ("json.tool",)

    with pytest.raises(ContainerFailed, match=f"container of {CHALLENGER} did not come up"):
        fleet.start(aws, NAME, folder, command)

    assert not running(folder)


@pytest.mark.parametrize("url", ["s3://models", "https://s3.eu-central-1.amazonaws.com/models"])
def test_model_data_that_names_no_object_cannot_be_played(
    aws: LocalAws, tmp_path: Path, url: str
) -> None:
    resources, assets = template(tmp_path)
    container_of(resources, CHAMPION)["ModelDataUrl"] = url
    aws.deploy(assembly(resources, assets))

    with pytest.raises(CannotPlay, match=f"model data '{url}' names no object"):
        fleet.start(aws, NAME, tmp_path / "containers", lambda _: IMAGE)
