"""The real cdk command line, pinned in package.json."""

import filecmp
import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.proof


def synthesise(command: list[str], output: Path) -> Path:
    subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | {"CDK_OUTDIR": str(output)},
        check=True,
        capture_output=True,
    )
    return output


def files(folder: Path) -> list[Path]:
    return sorted(path.relative_to(folder) for path in folder.rglob("*") if path.is_file())


def test_the_cdk_command_line_and_plain_python_give_the_same_bytes(tmp_path: Path):
    cdk = str(ROOT / "node_modules" / ".bin" / "cdk")
    by_cdk = synthesise(
        [cdk, "synth", "--quiet", "--output", str(tmp_path / "cdk")], tmp_path / "cdk"
    )
    by_python = synthesise([sys.executable, "app.py"], tmp_path / "python")

    assert files(by_cdk) == files(by_python)
    _, different, unreadable = filecmp.cmpfiles(by_cdk, by_python, files(by_cdk), shallow=False)
    assert (different, unreadable) == ([], [])
