"""Writes a rehearsal's report: numbers for programs, one self-contained page for people."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from steelyard.page.library import NODE_MODULES, render
from steelyard.rehearsal.report import drawing, tables
from steelyard.rehearsal.report.schema import Report, Rollout, canonical, parse
from steelyard.rehearsal.report.timeline import timeline, variants

ASSETS = Path(__file__).parent


def write(report: Mapping[str, Any], folder: Path, *, node_modules: Path = NODE_MODULES) -> None:
    """Write `report.json` and `report.html` into a folder, made if it is missing.

    Raises ReportError, with nothing written, for a report that report.json may not hold, and
    ChartLibraryError, with report.json written, when the page cannot be drawn.
    """
    text = canonical(report)
    checked = parse(text)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "report.json").write_text(text, "utf-8")
    (folder / "report.html").write_text(_page(checked, node_modules), "utf-8")


def _page(report: Report, node_modules: Path) -> str:
    content = {
        "report": report,
        "rollouts": [_view(rollout) for rollout in report.rollouts],
        "charts": [asdict(timeline(rollout)) for rollout in report.rollouts],
    }
    return render(ASSETS, "rollout.css", content, node_modules=node_modules)


def _view(rollout: Rollout) -> dict[str, Any]:
    """What the template says of one rollout beside the report's own words."""
    columns, rows = tables.numbers(rollout)
    return {
        "it": rollout,
        "line": timeline(rollout),
        "variants": variants(rollout),
        "glance": drawing.glance(rollout),
        "histogram": drawing.histogram(rollout),
        "runs": tables.runs(rollout),
        "peak": max(
            (c.weight for c in rollout.weights if c.variant == rollout.challenger), default=0
        ),
        "columns": columns,
        "rows": rows,
    }
