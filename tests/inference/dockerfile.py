"""The container's Dockerfile, read: its stages, and what each instruction says."""

import re
from pathlib import Path
from typing import NamedTuple

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = ROOT / "inference" / "Dockerfile"


class Instruction(NamedTuple):
    """One instruction, its lines joined; `text` is what follows its name."""

    name: str
    text: str


def instructions() -> list[Instruction]:
    """Read the whole file, without its comments."""
    uncommented = re.sub(r"^#.*\n", "", DOCKERFILE.read_text("utf-8"), flags=re.M)
    joined = re.sub(r"\\\n\s*", "", uncommented)
    return [Instruction(*line.split(maxsplit=1)) for line in joined.splitlines() if line]


def stage(name: str) -> list[Instruction]:
    """Read the instructions of one stage: `builder`, or `final` for the one that is the image."""
    starts = [at for at, found in enumerate(instructions()) if found.name == "FROM"]
    bounds = zip(starts, [*starts[1:], None], strict=True)
    stages = [instructions()[start:end] for start, end in bounds]
    named = {part[0].text.partition(" AS ")[2] or "final": part for part in stages}
    return named[name][1:]


def texts(name: str, part: list[Instruction]) -> list[str]:
    """Give what every instruction of one name says."""
    return [found.text for found in part if found.name == name]
