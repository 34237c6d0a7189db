"""The page of a load test in a real browser, light and dark."""

import subprocess
from pathlib import Path

import pytest

from steelyard.loadtest.report import write
from tests.proof.test_report_page import CHROMIUM, QUIET
from tests.steelyard.loadtest.report.sample import report

pytestmark = [
    pytest.mark.proof,
    pytest.mark.skipif(
        CHROMIUM is None, reason="chromium is not on the PATH: apt install chromium"
    ),
]


@pytest.mark.parametrize("scheme", ["0", "1"], ids=["dark", "light"])
def test_a_browser_draws_every_chart_and_has_nothing_to_complain_of(tmp_path: Path, scheme: str):
    write(report(), tmp_path)

    seen = subprocess.run(
        [
            str(CHROMIUM),
            *QUIET,
            f"--blink-settings=preferredColorScheme={scheme}",
            f"--user-data-dir={tmp_path / 'browser'}",
            "--dump-dom",
            (tmp_path / "report.html").as_uri(),
        ],
        capture_output=True,
        text=True,
        timeout=120,
        check=True,
    )

    # Over time, by share, over the rate, memory.
    assert seen.stdout.count("<canvas") == 4
    assert "CONSOLE" not in seen.stderr
