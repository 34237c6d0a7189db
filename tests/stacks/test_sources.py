"""An asset holds what its handler imports, and a handler runs from its asset alone."""

import subprocess
import sys
from pathlib import Path

import pytest

from stacks.sources import ROOT, needed

HANDLERS = sorted(
    path.stem
    for path in (ROOT / "lambdas").glob("*.py")
    if "def handler(" in path.read_text("utf-8")
)


@pytest.mark.parametrize("handler", HANDLERS)
def test_a_handler_can_be_imported_from_the_files_it_needs_alone(handler: str, tmp_path: Path):
    for name in needed(handler):
        copy = tmp_path / name
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_bytes((ROOT / name).read_bytes())
    code = (
        f"import sys; sys.path.insert(0, {str(tmp_path)!r}); "
        f"from lambdas import {handler}; print({handler}.__file__)"
    )

    done = subprocess.run(
        [sys.executable, "-P", "-c", code], cwd=tmp_path, capture_output=True, text=True
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(str(tmp_path))


def test_the_rollback_needs_nothing_of_the_judge():
    assert "steelyard/rollout/ledger.py" in needed("rollback")
    assert "steelyard/rollout/judge.py" not in needed("rollback")
    assert "steelyard/rollout/judge.py" in needed("judge")
