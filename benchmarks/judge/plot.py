"""Draw lines of labelled dots as SVG, harm upwards on a scale of powers."""

import math
from collections.abc import Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT, LEFT, TOP, BOTTOM = 420, 300, 56, 34, 46
STYLES = (("#0072b2", "start"), ("#d55e00", "start"), ("#009e73", "end"))
"""
Of each line: a colour, and which end of its labels is at the dots.

The colours are told apart by people who see them otherwise, too (Okabe and Ito 2008).
"""


@dataclass(frozen=True)
class Dot:
    """A point of a line, and what is written beside it."""

    x: float
    y: float
    label: str


@dataclass(frozen=True)
class Panel:
    """One pair of axes: lines of dots, all through one that is marked."""

    title: str
    lines: Sequence[Sequence[Dot]]
    here: Dot


def svg(panels: Sequence[Panel], names: Sequence[str], upwards: str) -> str:
    """Return panels side by side, with the lines' names below."""
    width, height = WIDTH * len(panels), HEIGHT + 24
    drawn = "".join(
        f'<g transform="translate({WIDTH * index},0)">{_panel(panel, upwards)}</g>'
        for index, panel in enumerate(panels)
    )
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" '
        f'width="{width}" height="{height}" font-family="sans-serif" font-size="11">'
        f'<rect width="100%" height="100%" fill="#fff"/>{drawn}'
        f"{_legend(names, height - 10)}</svg>\n"
    )


def _legend(names: Sequence[str], y: float) -> str:
    return "".join(
        f'<circle cx="{LEFT + 150 * index}" cy="{y - 4}" r="4" fill="{colour}"/>'
        f'<text x="{LEFT + 9 + 150 * index}" y="{y}">{escape(name)}</text>'
        for index, (name, (colour, _)) in enumerate(zip(names, STYLES, strict=False))
    )


def _panel(panel: Panel, upwards: str) -> str:
    dots = [dot for line in panel.lines for dot in line] + [panel.here]
    across = Scale([dot.x for dot in dots], LEFT, WIDTH - 40)
    up = Scale([math.log(dot.y) for dot in dots], HEIGHT - BOTTOM, TOP)
    lines = "".join(
        _line([(across(dot.x), up(math.log(dot.y)), dot.label) for dot in line], *style)
        for line, style in zip(panel.lines, STYLES, strict=False)
    )
    x, y = across(panel.here.x), up(math.log(panel.here.y))
    mark = f'<circle cx="{x:.1f}" cy="{y:.1f}" r="7" fill="none" stroke="#000" stroke-width="2"/>'
    return _axes(panel.title, upwards) + _marks(dots, across, up) + lines + mark


class Scale:
    """Maps values to pixels, a twentieth of the range to spare at both ends."""

    def __init__(self, values: Sequence[float], begin: float, end: float):
        low, high = min(values), max(values)
        spare = 0.05 * (high - low) or 0.5
        self.low, self.high, self.begin, self.end = low - spare, high + spare, begin, end

    def __call__(self, value: float) -> float:
        """Return the pixel of a value."""
        part = (value - self.low) / (self.high - self.low)
        return self.begin + part * (self.end - self.begin)


def _line(points: Sequence[tuple[float, float, str]], colour: str, anchor: str) -> str:
    aside = 7 if anchor == "start" else -7
    path = " ".join(f"{x:.1f},{y:.1f}" for x, y, _ in points)
    dots = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4" fill="{colour}"/>'
        f'<text x="{x + aside:.1f}" y="{y - 6:.1f}" text-anchor="{anchor}" fill="{colour}">'
        f"{escape(label)}</text>"
        for x, y, label in points
    )
    return f'<polyline points="{path}" fill="none" stroke="{colour}"/>{dots}'


def _axes(title: str, upwards: str) -> str:
    right, foot = WIDTH - 40, HEIGHT - BOTTOM
    return (
        f'<path d="M{LEFT} {TOP}V{foot}H{right}" fill="none" stroke="#666"/>'
        f'<text x="{(LEFT + right) / 2}" y="{HEIGHT - 10}" text-anchor="middle">'
        f"{escape(title)}</text>"
        f'<text x="{LEFT}" y="{TOP - 16}">{escape(upwards)}</text>'
    )


def _marks(dots: Sequence[Dot], across: Scale, up: Scale) -> str:
    """Return the numbers on both axes: the least, the most, and what is between."""
    foot = HEIGHT - BOTTOM
    xs, ys = [dot.x for dot in dots], [dot.y for dot in dots]
    middle = (min(xs) + max(xs)) / 2, math.sqrt(min(ys) * max(ys))
    found = [
        f'<text x="{across(x):.1f}" y="{foot + 16}" text-anchor="middle">{x:.3g}</text>'
        for x in {min(xs), middle[0], max(xs)}
    ]
    found += [
        f'<text x="{LEFT - 6}" y="{up(math.log(y)) + 4:.1f}" text-anchor="end">{y:.3g}</text>'
        for y in {min(ys), middle[1], max(ys)}
    ]
    return "".join(sorted(found))
