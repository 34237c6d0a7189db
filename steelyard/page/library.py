"""Renders a self-contained page: templates beside the frame, style and chart library inside."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from steelyard.page import wording

ASSETS = Path(__file__).parent
NODE_MODULES = Path(__file__).parents[2] / "node_modules"
CHART_LIBRARY = Path("uplot/dist/uPlot.iife.min.js")
CHART_STYLE = Path("uplot/dist/uPlot.min.css")
CHART_LICENCE = Path("uplot/LICENSE")


class ChartLibraryError(FileNotFoundError):
    """The chart library that a page carries inside is not installed."""


def render(
    folder: Path,
    style: str,
    content: Mapping[str, Any],
    *,
    filters: Mapping[str, Any] | None = None,
    node_modules: Path = NODE_MODULES,
) -> str:
    """
    Return the page of a folder that holds `page.html.j2`, `page.js` and the style named.

    `content` is what the template is given, `charts` among it. Raises ChartLibraryError.
    """
    library = _library(node_modules)
    environment = _environment(folder)
    environment.filters.update(filters or {})
    styles = [ASSETS / "page.css", folder / style]
    return environment.get_template("page.html.j2").render(
        style="\n".join(path.read_text("utf-8") for path in styles),
        script=(folder / "page.js").read_text("utf-8"),
        **content,
        **library,
    )


def missing(node_modules: Path) -> list[str]:
    """Return the files of the chart library that are not installed."""
    parts = (CHART_LIBRARY, CHART_STYLE, CHART_LICENCE)
    return [path.as_posix() for path in parts if not (node_modules / path).is_file()]


def _library(node_modules: Path) -> dict[str, str]:
    absent = missing(node_modules)
    if absent:
        raise ChartLibraryError(
            f"the report page needs {', '.join(absent)} in node_modules: run `npm ci`"
        )
    return {
        "chart_library": (node_modules / CHART_LIBRARY).read_text("utf-8"),
        "chart_style": (node_modules / CHART_STYLE).read_text("utf-8"),
        "chart_licence": (node_modules / CHART_LICENCE).read_text("utf-8"),
    }


def _environment(folder: Path) -> Environment:
    environment = Environment(
        loader=FileSystemLoader([folder, ASSETS]),
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
