"""One endpoint with a short rollout, synthesised once."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

from tests.rehearsal.kit import ENDPOINT, PLAN, ROOT, SILENCED, Kit, Silence


@pytest.fixture(scope="session")
def endpoint_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The example endpoint with a short rollout; its first bake is as long as the judge needs."""
    folder = tmp_path_factory.mktemp("endpoints") / ENDPOINT
    shutil.copytree(ROOT / "endpoints" / ENDPOINT, folder)
    file = yaml.safe_load((folder / "endpoint.yaml").read_text("utf-8"))
    file["rollout"] |= {
        "steps": [
            {"weight": PLAN[0], "bake": "7 minutes"},
            {"weight": PLAN[1], "bake": "1 minute"},
        ],
        "soak": "1 minute",
        "longest": "12 minutes",
        "pause": "2 minutes",
        "minimum_requests": 20,
    }
    # Its faults name the steps that the file had.
    del file["rehearsal"]
    file["environments"] = {"test": {"account": "111122223333", "region": "eu-central-1"}}
    (folder / "endpoint.yaml").write_text(yaml.safe_dump(file), "utf-8")
    return folder


@pytest.fixture(scope="session")
def synthesised(endpoint_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return synthesise(endpoint_folder, tmp_path_factory.mktemp("out"))


def synthesise(endpoint_folder: Path, output: Path) -> Path:
    """Synthesise an endpoint's folder, and return the output."""
    home = str(endpoint_folder.parent)
    context = {"endpoints": home, "endpoint": ENDPOINT, "challenger": "v1-1-0"}
    synthesis = subprocess.run(
        [sys.executable, str(ROOT / "app.py")],
        env=os.environ | {"CDK_OUTDIR": str(output), "CDK_CONTEXT_JSON": json.dumps(context)},
        capture_output=True,
        text=True,
        check=False,
    )
    assert synthesis.returncode == 0, synthesis.stdout + synthesis.stderr
    return output


@pytest.fixture
def kit(synthesised: Path, tmp_path: Path) -> Kit:
    return Kit(Path(shutil.copytree(synthesised, tmp_path / "out")))


@pytest.fixture(params=SILENCED.values(), ids=SILENCED.keys())
def silence(request: pytest.FixtureRequest) -> Silence:
    """A way to silence the judge of a kit."""
    return request.param
