"""What the page draws without a script: a rollout's weight at a glance, the scores served.

Lengths are in the units of the drawing's own view box.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from steelyard.page.wording import number
from steelyard.rehearsal.report.schema import Rollout
from steelyard.rehearsal.report.timeline import shares_at, variants

GLANCE_WIDTH, GLANCE_HEIGHT = 160.0, 28.0
PLOT_WIDTH, PLOT_HEIGHT = 480.0, 150.0


@dataclass(frozen=True)
class Glance:
    """The challenger's weight over the rollout: an outline, and where the fault begins."""

    outline: str
    fault: float | None


@dataclass(frozen=True)
class Bar:
    """One bin of one variant; `text` is what it says when pointed at."""

    x: float
    y: float
    width: float
    height: float
    ink: str
    text: str


@dataclass(frozen=True)
class Tick:
    """A label beside a position on an axis."""

    at: float
    label: str


@dataclass(frozen=True)
class Histogram:
    """Shares of the predictions per bin, side by side per variant."""

    bars: tuple[Bar, ...]
    edges: tuple[Tick, ...]
    shares: tuple[Tick, ...]
    totals: tuple[tuple[str, str, int], ...]


def glance(rollout: Rollout) -> Glance:
    """Return the challenger's weight as an outline; the rollout's length is the whole width."""
    height = GLANCE_HEIGHT
    outline, level = [f"M0 {height:g}"], height
    times = {change.t_seconds for change in rollout.weights} | {rollout.t_end}
    for seconds in sorted(times):
        x, before = _across(rollout, seconds), level
        level = height - height * shares_at(rollout, seconds).get(rollout.challenger, 0.0) / 100
        outline.append(f"L{x:.1f} {before:.1f}L{x:.1f} {level:.1f}")
    fault = None if rollout.t_fault is None else round(_across(rollout, rollout.t_fault), 1)
    return Glance("".join(outline) + f"L{GLANCE_WIDTH:g} {height:g}Z", fault)


def histogram(rollout: Rollout) -> Histogram | None:
    """Return the scores served by each variant, absent when none was recorded.

    Each variant's bars are shares of its own predictions, since the champion serves far more.
    """
    inks = [(name, ink) for name, ink in variants(rollout).items() if name in rollout.scores]
    if not inks:
        return None
    highest = max(max(_shares(rollout, name), default=0.0) for name, _ in inks)
    top = next((t for t in (0.1, 0.2, 0.4, 0.6, 0.8) if highest <= t), 1.0)
    edges = rollout.scores[inks[0][0]].edges
    return Histogram(
        bars=tuple(_bars(rollout, inks, top)),
        edges=tuple(
            Tick(round(PLOT_WIDTH * i / (len(edges) - 1), 1), number(edge))
            for i, edge in enumerate(edges)
        ),
        shares=tuple(
            Tick(PLOT_HEIGHT * (1 - part), f"{100 * top * part:.0f} %") for part in (0.0, 0.5, 1.0)
        ),
        totals=tuple((name, ink, sum(rollout.scores[name].counts)) for name, ink in inks),
    )


def _across(rollout: Rollout, seconds: float) -> float:
    length = rollout.t_end - rollout.t_start
    share = (seconds - rollout.t_start) / length if length > 0 else 0.0
    return GLANCE_WIDTH * min(1.0, max(0.0, share))


def _shares(rollout: Rollout, name: str) -> list[float]:
    counts = rollout.scores[name].counts
    total = sum(counts)
    return [count / total if total else 0.0 for count in counts]


def _bars(rollout: Rollout, inks: list[tuple[str, str]], top: float) -> Iterator[Bar]:
    for place, (name, ink) in enumerate(inks):
        edges, shares = rollout.scores[name].edges, _shares(rollout, name)
        bin_width = PLOT_WIDTH / max(1, len(shares))
        width = bin_width * 0.8 / len(inks)
        for index, (share, low, high) in enumerate(zip(shares, edges, edges[1:], strict=False)):
            height = PLOT_HEIGHT * share / top
            yield Bar(
                x=round(bin_width * (index + 0.1) + place * width, 2),
                y=round(PLOT_HEIGHT - height, 2),
                width=round(width, 2),
                height=round(height, 2),
                ink=ink,
                text=f"{name}: {100 * share:.1f} % from {number(low)} to {number(high)}",
            )
