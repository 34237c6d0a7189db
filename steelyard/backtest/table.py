"""
Read minutes from a CSV file, one row for each minute and variant.

Columns: minute, variant, n, e4, em; where they are known, weight and the bins of the histograms,
score_0, score_1 and so on, conf_0 and so on, lat_0 and so on.
"""

import csv
import re
from collections import defaultdict
from collections.abc import Mapping, Sequence
from datetime import datetime

from steelyard.backtest.recording import Recording, Sample, Unreadable
from steelyard.rollout.counters import Point

NEEDED = ("minute", "variant", "n")
ERRORS = ("e4", "em")
_BIN = re.compile(r"(score|conf|lat)_(\d{1,3})")
_CURE = "write for example minute,variant,n,e4,em"

Roles = Mapping[str, str]
"""Each name that may stand for a variant, and its role: champion or challenger."""


def read(text: str, roles: Roles) -> Recording:
    """Return what a CSV file says; raises Unreadable with every problem."""
    reader = csv.DictReader(text.splitlines())
    columns = [name.strip() for name in reader.fieldnames or ()]
    reader.fieldnames = columns
    problems = _column_problems(columns)
    if problems:
        raise Unreadable(problems)
    points: dict[int, dict[str, Point]] = defaultdict(dict)
    weights: dict[int, int] = {}
    for number, row in enumerate(reader, start=2):
        try:
            minute = _minute(row["minute"])
            role = _role(row["variant"], roles)
            points[minute][role] = _point(row, columns)
            if row.get("weight"):
                weights[minute] = _count(row, "weight")
        except ValueError as error:
            problems.append(f"line {number}: {error}")
    if problems:
        raise Unreadable(problems)
    return Recording(
        tuple(
            Sample(minute, both.get("champion"), both.get("challenger"), weights.get(minute))
            for minute, both in sorted(points.items())
        )
    )


def _column_problems(columns: Sequence[str]) -> list[str]:
    known = {*NEEDED, *ERRORS, "weight"}
    unknown = [name for name in columns if name not in known and not _BIN.fullmatch(name)]
    missing = [name for name in NEEDED if name not in columns]
    problems = [
        f"column {name}: is missing, allowed is a file that has it: {_CURE}" for name in missing
    ]
    allowed = "minute, variant, n, e4, em, weight, score_0, conf_0, lat_0 and so on"
    return problems + [
        f"column {name}: given, allowed are {allowed}: rename it or leave it out"
        for name in unknown
    ]


def _minute(text: str | None) -> int:
    """Return an epoch minute, given as one or as a time such as 2026-06-02T09:00:00Z."""
    given = (text or "").strip()
    if given.isdecimal():
        return int(given)
    try:
        at = datetime.fromisoformat(given)
    except ValueError:
        at = None
    if at is None or at.tzinfo is None:
        raise ValueError(
            f"minute: given {given!r}, allowed is an epoch minute or a time with its zone: "
            f"write for example 2026-06-02T09:00:00Z"
        )
    return int(at.timestamp() // 60)


def _role(name: str | None, roles: Roles) -> str:
    role = roles.get((name or "").strip())
    if role is None:
        raise ValueError(f"variant: given {name!r}, allowed is {', '.join(roles)}: write one")
    return role


def _point(row: Mapping[str, str | None], columns: Sequence[str]) -> Point:
    n, (e4, em) = _count(row, "n"), (_count(row, it) if row.get(it) else 0 for it in ERRORS)
    bins: dict[str, list[tuple[int, int]]] = {"score": [], "conf": [], "lat": []}
    for name in columns:
        match = _BIN.fullmatch(name)
        if match is not None and row.get(name):
            bins[match[1]].append((int(match[2]), _count(row, name)))
    if e4 + em > n:
        raise ValueError(
            f"e4 and em: given {e4} and {em}, allowed is at most n in all, {n}: "
            f"count each request once"
        )
    score, conf, lat = (
        tuple(count for _, count in sorted(bins[name])) for name in ("score", "conf", "lat")
    )
    return Point(n, e4, em, score, conf, lat)


def _count(row: Mapping[str, str | None], name: str) -> int:
    given = (row[name] or "").strip()
    if not given.isdecimal():
        raise ValueError(f"{name}: given {given!r}, allowed is a count: write for example 240")
    return int(given)
