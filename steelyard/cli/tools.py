"""What must be installed beside Python, looked for before anything is played."""

import shutil

from steelyard.cli.place import ROOT
from steelyard.rehearsal.report.page import CHART_LIBRARY, CHART_LICENCE, CHART_STYLE, NODE_MODULES


def missing_tools(synthesises: bool) -> list[str]:
    """Return a sentence for each thing that a rehearsal lacks; Node.js only synthesises."""
    problems = []
    if synthesises and shutil.which("node") is None:
        problems.append(
            "node: is not on the PATH, and synthesis with CDK needs it: install Node.js 20 or "
            "newer, or play an existing output with --assembly"
        )
    packages = (CHART_LIBRARY, CHART_STYLE, CHART_LICENCE)
    absent = [path.as_posix() for path in packages if not (NODE_MODULES / path).is_file()]
    if absent:
        problems.append(
            f"node_modules: lacks {', '.join(absent)}, which the report page carries: run "
            f"`make setup`, or `npm ci`, in {ROOT}"
        )
    return problems
