"""Writes a plan's page: evidence over the minutes, one panel for each step and channel."""

import math
from pathlib import Path
from typing import Any

from steelyard.page.library import NODE_MODULES, render
from steelyard.planning.outlook import Outlook
from steelyard.planning.sight import Sight, Spread

ASSETS = Path(__file__).parent
INKS = ("channel-1", "channel-2", "channel-3", "channel-4")
"""Of a channel's faults, the smallest first; the same fault has the same ink in each step."""


def write(found: Outlook, path: Path, *, node_modules: Path = NODE_MODULES) -> None:
    """
    Write the page of a plan to `path`, its folder made if it is missing.

    Raises ChartLibraryError when the chart library is not installed, OSError when it cannot be
    written.
    """
    policy = found.rollout.setting.policy
    drawn = panels(found)
    charts = {panel["id"]: panel["chart"] for panel in drawn}
    content = {
        "it": found,
        "policy": policy,
        "panels": drawn,
        "charts": {"limit": 1 / policy.false_rollback, "panels": charts},
    }
    filters = {"spread": _spread, "percent": "{:.0%}".format}
    text = render(ASSETS, "plan.css", content, filters=filters, node_modules=node_modules)
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, "utf-8")


def panels(found: Outlook) -> list[dict[str, Any]]:
    """Return each panel: its id, its title, its faults by ink, and what the script draws in it."""
    return [
        {
            "id": f"evidence-{index}-{channel.replace(' ', '-')}",
            "title": f"{step.weight}%, {channel}",
            "faults": [(_ink(found, sight), sight.fault.name) for sight in sights],
            "chart": _chart(found, sights),
        }
        for index, step in enumerate(found.rollout.setting.policy.steps)
        for channel, sights in found.sights(index).items()
    ]


def _ink(found: Outlook, sight: Sight) -> str:
    faults = [it.fault for it in found.plan.sights if it.fault.channel == sight.fault.channel]
    return INKS[list(dict.fromkeys(faults)).index(sight.fault) % len(INKS)]


def _chart(found: Outlook, sights: list[Sight]) -> dict[str, Any]:
    length = max(len(sight.evidence) for sight in sights)
    return {
        "x": list(range(1, length + 1)),
        "inks": [_ink(found, sight) for sight in sights],
        "series": [[_shown(sight, at) for at in range(length)] for sight in sights],
    }


def _shown(sight: Sight, at: int) -> float | None:
    """Return the evidence of a tick, which a chart can show; None after the last one."""
    if at >= len(sight.evidence):
        return None
    return round(math.exp(min(20.0, max(-7.0, sight.evidence[at]))), 6)


def _spread(spread: Spread | None, unit: float = 1) -> str:
    if spread is None:
        return "–"
    return f"{spread.p50 / unit:,.0f} to {spread.p90 / unit:,.0f}"
