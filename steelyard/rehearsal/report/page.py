"""Writes a rehearsal's report: numbers for programs, one self-contained page for people."""

from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from steelyard.rehearsal.report import drawing, tables, wording
from steelyard.rehearsal.report.schema import Report, Rollout, canonical, parse
from steelyard.rehearsal.report.timeline import timeline, variants

ASSETS = Path(__file__).parent
NODE_MODULES = Path(__file__).parents[3] / "node_modules"
CHART_LIBRARY = Path("uplot/dist/uPlot.iife.min.js")
CHART_STYLE = Path("uplot/dist/uPlot.min.css")
CHART_LICENCE = Path("uplot/LICENSE")


class ChartLibraryError(FileNotFoundError):
    """The chart library that the page carries inside is not installed."""


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
    library = _library(node_modules)
    return (
        _environment()
        .get_template("page.html.j2")
        .render(
            report=report,
            rollouts=[_view(rollout) for rollout in report.rollouts],
            charts=[asdict(timeline(rollout)) for rollout in report.rollouts],
            style=(ASSETS / "page.css").read_text("utf-8"),
            script=(ASSETS / "page.js").read_text("utf-8"),
            **library,
        )
    )


def _library(node_modules: Path) -> dict[str, str]:
    parts = {
        "chart_library": CHART_LIBRARY,
        "chart_style": CHART_STYLE,
        "chart_licence": CHART_LICENCE,
    }
    missing = [path.as_posix() for path in parts.values() if not (node_modules / path).is_file()]
    if missing:
        raise ChartLibraryError(
            f"the report page needs {', '.join(missing)} in node_modules: run `npm ci`"
        )
    return {name: (node_modules / path).read_text("utf-8") for name, path in parts.items()}


def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(ASSETS),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters |= {
        "clock": wording.clock,
        "span": wording.span,
        "number": wording.number,
        "plural": wording.plural,
    }
    return environment


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
