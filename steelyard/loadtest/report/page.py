"""Writes a load test's report: numbers for programs, one self-contained page for people."""

import json
import math
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from steelyard.loadtest import wording
from steelyard.loadtest.play import Plan, Result
from steelyard.page.library import NODE_MODULES, render

ASSETS = Path(__file__).parent
SCHEMA = 1
INFINITE = "infinite"
"""How report.json says infinitely slow, for which JSON has no number; null means unknown."""


@dataclass(frozen=True)
class Report:
    """A load test to be written: what was tested, in words, how, and what was found."""

    title: str
    subtitle: str
    plan: Plan
    result: Result


def write(report: Report, folder: Path, *, node_modules: Path = NODE_MODULES) -> None:
    """Write `report.json` and `report.html` into a folder, made if it is missing.

    Raises ChartLibraryError, with report.json written, when the page cannot be drawn.
    """
    folder.mkdir(parents=True, exist_ok=True)
    text = json.dumps(content(report), indent=2, sort_keys=True, allow_nan=False)
    (folder / "report.json").write_text(text + "\n", "utf-8")
    (folder / "report.html").write_text(_page(report, node_modules), "utf-8")


def content(report: Report) -> dict[str, Any]:
    """Return what report.json holds: times in seconds, rates in requests a second, bytes."""
    plan = report.plan
    how = {
        "title": report.title,
        "subtitle": report.subtitle,
        "url": plan.target.url,
        "bodies": len(plan.target.bodies),
        "rate": plan.rate,
        "seconds": plan.seconds,
        "warm_up": plan.warm_up,
        "arrivals": plan.arrivals,
        "seed": plan.seed,
        "connections": plan.patience.connections,
        "timeout": plan.patience.seconds,
        "wanted": asdict(plan.wanted),
    }
    finite: dict[str, Any] = _finite({"schema": SCHEMA, "plan": how} | asdict(report.result))
    return finite


def _finite(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _finite(it) for key, it in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(it) for it in value]
    return INFINITE if isinstance(value, float) and math.isinf(value) else value


def _page(report: Report, node_modules: Path) -> str:
    view = {"report": report, "it": report.result.run, "charts": _charts(report)}
    filters = {
        "latency": wording.latency,
        "estimate": wording.estimate,
        "rate": wording.rate,
        "share": wording.share,
        "mebibytes": wording.mebibytes,
        "time": wording.span,
        "knee": wording.knee,
        "growth": wording.growth,
    }
    return render(ASSETS, "loadtest.css", view, filters=filters, node_modules=node_modules)


def _charts(report: Report) -> dict[str, Any]:
    """Return what the script draws: times in milliseconds, memory in MiB, None for a gap."""
    result = report.result
    run, knee = result.run, result.knee
    tried = sorted(result.points, key=lambda point: point.run.rate)
    return {
        "limit": report.plan.wanted.p99 * 1e3,
        "time": {
            "x": [second.at for second in run.timeline],
            "p50": [_ms(second.p50) for second in run.timeline],
            "p99": [_ms(second.p99) for second in run.timeline],
        },
        "curve": {
            "response": [[1 / (1 - share), _ms(it)] for share, it in run.response_curve],
            "service": [[1 / (1 - share), _ms(it)] for share, it in run.service_curve],
        },
        "rate": {
            "points": [[p.run.rate, _ms(p.run.p99.seconds), p.finding] for p in tried],
            "good": knee.good if knee is not None else None,
            "bad": knee.bad if knee is not None else None,
        },
        "memory": [[at, held / 2**20] for at, held in result.memory.readings],
    }


def _ms(seconds: float | None) -> float | None:
    return seconds * 1e3 if seconds is not None and math.isfinite(seconds) else None
