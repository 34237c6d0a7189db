"""
Translate the judge protocol, version 1, into the judge's own words.

A tick counts as a minute, e5 as model errors. The protocol knows no confidence and no person who
could decide: what traffic cannot decide in time advances.
"""

import math
from collections.abc import Iterator, Mapping
from typing import Any

from steelyard.rollout.counters import Measurement, Point
from steelyard.rollout.policy import Expected, Policy, Step, Tolerance

ALL_TICKS = 160
"""After so many ticks a rollout counts as stuck."""

FEWEST_TICKS, MOST_TICKS = 10, 22
"""How long a whole rollout bakes at least where traffic is plentiful, and where it is scarce."""

LAST_TICKS = 2
"""How long the last step bakes at least: what is not seen there is seen too late."""

ENOUGH_REQUESTS = 115
"""How many requests of the challenger a step waits for, within `MOST_TICKS`."""


def policy(message: Mapping[str, Any]) -> Policy:
    """Return the policy that a start message asks for."""
    spec = message["spec"]
    steps = spec["steps"]
    longest = max(1, 3 * ALL_TICKS // 4 // len(steps))
    edges = spec.get("latency_edges_us", ())
    return Policy(
        steps=tuple(
            Step(round(100 * weight), 60 * ticks)
            for weight, ticks in zip(steps, _bakes(message), strict=True)
        ),
        soak_seconds=0,
        longest_seconds=60 * longest,
        pause_seconds=60 * (ALL_TICKS - longest),
        settle_seconds=0,
        false_rollback=spec["alpha"],
        tolerance=Tolerance(
            spec["margin_err_rel"],
            spec["margin_err_abs"],
            spec.get("margin_latency_rel", 0.0),
            spec["margin_score_tv"],
        ),
        expected=Expected(0.0, 0.0),
        minimum_requests=1,
        undecided=spec.get("undecided", "advance"),
        patience_minutes=spec.get("patience_minutes", 1),
        warmup_seconds=60 * spec.get("warmup_ticks", 0),
        latency_edges=tuple(edge / 1e6 for edge in edges[1:-1]),
        promotion_margin=_margin(spec.get("promotion_margin")),
        false_promotion=spec.get("false_promotion", 0.05),
    )


def _margin(given: Mapping[str, float] | None) -> Tolerance | None:
    """Return the promotion margin, given in the spec's own words; the protocol itself has none."""
    if given is None:
        return None
    return Tolerance(
        given["margin_err_rel"],
        given["margin_err_abs"],
        given["margin_latency_rel"],
        given["margin_score_tv"],
    )


def _bakes(message: Mapping[str, Any]) -> list[int]:
    """
    Return each step's least ticks: longer at low weights, and where requests are scarce.

    Faults do least harm at low weights, so the first step has what the others do not need; but one
    that shows under load only must be seen there, and after the last step it hurts everybody.
    """
    weights = message["spec"]["steps"]
    counts = [point["champion"]["n"] for point in message["history"] if point["champion"]]
    requests = sum(counts) / max(1, len(counts))
    bakes = []
    for weight in weights:
        least = LAST_TICKS if weight == weights[-1] else 1
        part = 1 / weight / sum(1 / other for other in weights)
        wanted = math.ceil(ENOUGH_REQUESTS / max(1.0, weight * requests))
        bakes.append(max(least, min(wanted, int(MOST_TICKS * part))))
    return [max(bakes[0], FEWEST_TICKS - sum(bakes[1:])), *bakes[1:]]


def history(message: Mapping[str, Any]) -> Iterator[Measurement]:
    """Yield the champion's minutes from before the rollout."""
    for point in message["history"]:
        yield Measurement(point["minute"], -1, 0, _point(point["champion"]), None)


def measurement(policy: Policy, minute: int, point: Mapping[str, Any]) -> Measurement:
    """Return a minute of a rollout; its step is the one whose weight is nearest."""
    gaps = [abs(step.weight - 100 * point["weight"]) for step in policy.steps]
    step = gaps.index(min(gaps))
    champion, challenger = (_point(point.get(role)) for role in ("champion", "challenger"))
    return Measurement(minute, step, policy.steps[step].weight, champion, challenger)


def _point(value: Mapping[str, Any] | None) -> Point | None:
    if value is None:
        return None
    lat, score = tuple(value.get("lat", ())), tuple(value["score"])
    return Point(value["n"], value["e4"], value["e5"], score, (), lat)
