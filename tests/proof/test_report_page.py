"""The report page in a real browser, light and dark."""

import json
import shutil
import subprocess
from pathlib import Path

import pytest

from steelyard.rehearsal.report import write

ROOT = Path(__file__).resolve().parents[2]
CHROMIUM = shutil.which("chromium")
pytestmark = [
    pytest.mark.proof,
    pytest.mark.skipif(
        CHROMIUM is None, reason="chromium is not on the PATH: apt install chromium"
    ),
]
QUIET = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--enable-logging=stderr",
    "--virtual-time-budget=3000",
]


@pytest.fixture(scope="module")
def page(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The page of the newest rehearsal; `make rehearse` makes it."""
    report = ROOT / "build" / "rehearsal" / "report.json"
    if not report.is_file():
        pytest.skip("there is no report yet: make rehearse")
    folder = tmp_path_factory.mktemp("report")
    write(json.loads(report.read_text("utf-8")), folder)
    return folder / "report.html"


@pytest.mark.parametrize("scheme", ["0", "1"], ids=["dark", "light"])
def test_a_browser_draws_every_chart_and_has_nothing_to_complain_of(
    page: Path, tmp_path: Path, scheme: str
):
    report = json.loads((page.parent / "report.json").read_text("utf-8"))

    seen = subprocess.run(
        [
            str(CHROMIUM),
            *QUIET,
            f"--blink-settings=preferredColorScheme={scheme}",
            f"--user-data-dir={tmp_path}",
            "--dump-dom",
            page.as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )

    # Four charts a rollout: shares, requests, errors, evidence.
    assert seen.stdout.count("<canvas") >= 4 * len(report["rollouts"])
    assert "CONSOLE" not in seen.stderr
