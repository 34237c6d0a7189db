"""A local AWS for one test, and what moto does without the patches."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from steelyard.rehearsal import processes
from steelyard.rehearsal.clock import Clock
from steelyard.rehearsal.local_aws import LocalAws, local_aws
from tests.steelyard.rehearsal.local import ACCOUNT, REGION

EPOCH = 1_800_000_000.0
ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def aws(tmp_path: Path) -> Iterator[LocalAws]:
    with Clock(EPOCH) as clock, local_aws(clock, ACCOUNT, REGION, tmp_path / "aws") as aws:
        yield aws


@pytest.fixture(scope="session")
def plain() -> dict[str, Any]:
    """The answers of an unpatched moto, from a process of its own."""
    asked = subprocess.run(
        [sys.executable, "-m", "tests.steelyard.rehearsal.moto_patches.plain_moto"],
        cwd=ROOT,
        env=processes.harmless(os.environ),
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        check=True,
    )
    answers: dict[str, Any] = json.loads(asked.stdout)
    return answers
