"""What must be installed beside Python, looked for before anything is played."""

import shutil

from steelyard.cli.place import ROOT
from steelyard.page.library import NODE_MODULES, missing


def missing_tools(synthesises: bool) -> list[str]:
    """Return a sentence for each thing that a rehearsal lacks; Node.js only synthesises."""
    problems = []
    if synthesises and shutil.which("node") is None:
        problems.append(
            "node: is not on the PATH, and synthesis with CDK needs it: install Node.js 20 or "
            "newer, or play an existing output with --assembly"
        )
    return [*problems, *missing_packages()]


def missing_packages() -> list[str]:
    """Return a sentence if the chart library, which every report page carries, is not there."""
    absent = missing(NODE_MODULES)
    if not absent:
        return []
    return [
        f"node_modules: lacks {', '.join(absent)}, which the report page carries: run "
        f"`make setup`, or `npm ci`, in {ROOT}"
    ]
