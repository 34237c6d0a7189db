"""Check a message of the judge protocol, version 1, and tell everything that is wrong with it."""

import json
import math
from collections.abc import Callable, Collection, Iterator, Mapping
from itertools import pairwise
from typing import Any, NamedTuple


class Malformed(ValueError):
    """A line is no message; `problems` says every reason."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


class _Rule(NamedTuple):
    """What a field may hold; `allowed` completes "allowed is ..."."""

    allowed: str
    example: str
    holds: Callable[[Any], bool]
    is_optional: bool = False


def _is_number(value: Any) -> bool:
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return is_number and math.isfinite(value)


def _is_count(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_whole(value: Any) -> bool:
    return isinstance(value, int) and not isinstance(value, bool)


def _are_counts(value: Any) -> bool:
    return isinstance(value, list) and all(map(_is_count, value))


def _rise(value: Any) -> bool:
    if not isinstance(value, list) or not value or not all(map(_is_number, value)):
        return False
    return all(low < high for low, high in pairwise(value))


def _are_weights(value: Any) -> bool:
    return _rise(value) and value[0] >= 0.01 and value[-1] <= 1


_WHOLE = _Rule("a whole number", "7", _is_whole)
_COUNT = _Rule("a whole number of 0 or more", "5400", _is_count)
_COUNTS = _Rule("a list of counts", "[3, 0, 12]", _are_counts)
_MARGIN = _Rule("a number of 0 or more", "0.5", lambda it: _is_number(it) and it >= 0)
_SHARE = _Rule("a number from 0 to 1", "0.1", lambda it: _is_number(it) and 0 <= it <= 1)
_LIST = _Rule("a list", "[]", lambda it: isinstance(it, list))
_OBJECT = _Rule("an object", "{...}", lambda it: isinstance(it, dict))
_VARIANT = _Rule("an object or null", "null", lambda it: it is None or isinstance(it, dict))

START = {"spec": _OBJECT, "history": _LIST}
SPEC = {
    "steps": _Rule("a rising list of weights from 0.01 to 1", "[0.05, 0.25]", _are_weights),
    "alpha": _Rule(
        "a number above 0 and below 0.5", "0.01", lambda it: _is_number(it) and 0 < it < 0.5
    ),
    "margin_err_rel": _MARGIN,
    "margin_err_abs": _SHARE,
    "margin_latency_rel": _MARGIN._replace(is_optional=True),
    "margin_score_tv": _SHARE,
    "warmup_ticks": _COUNT._replace(is_optional=True),
    "max_metric_delay": _COUNT,
    "latency_edges_us": _Rule("a rising list of numbers", "[0, 1000, 5000, 60000]", _rise, True),
}
TICK = {"now": _WHOLE, "stage": _COUNT, "weight": _SHARE, "points": _LIST}
POINT = {"minute": _WHOLE, "champion": _VARIANT, "challenger": _VARIANT._replace(is_optional=True)}
VARIANT = {
    "n": _COUNT,
    "e4": _COUNT,
    "e5": _COUNT,
    "score": _COUNTS,
    "lat": _COUNTS._replace(is_optional=True),
}


def checked(line: bytes, started: Collection[str]) -> dict[str, Any]:
    """
    Return the message that a line holds; `started` are the ids of the rollouts so far.

    Raises Malformed with every problem of the line.
    """
    try:
        message = json.loads(line)
    except ValueError as error:
        raise Malformed([f"given {_short(line)}, which is no JSON ({error}): {_CURE}"]) from None
    problems = list(_problems(message, started))
    if problems:
        raise Malformed(problems)
    found: dict[str, Any] = message
    return found


_CURE = "write one start or tick message to a line"


def _short(value: Any) -> str:
    said = repr(value)
    return said if len(said) <= 60 else f"{said[:57]}..."


def _problems(message: Any, started: Collection[str]) -> Iterator[str]:
    kind = message.get("type") if isinstance(message, dict) else None
    if kind not in ("start", "tick"):
        yield f"given {_short(message)}, allowed is an object of type start or tick: {_CURE}"
        return
    name = message.get("id")
    if not isinstance(name, str):
        yield f'id: given {_short(name)}, allowed is text: write for example "r0"'
    elif kind == "tick" and name not in started:
        yield f"id: given {name!r}, allowed is a rollout that was started: send its start first"
    yield from _start(message) if kind == "start" else _tick(message)


def _start(message: Mapping[str, Any]) -> Iterator[str]:
    yield from _fields(message, START)
    yield from _fields(message.get("spec"), SPEC, "spec.")
    yield from _points(message.get("history"), "history", {})


def _tick(message: Mapping[str, Any]) -> Iterator[str]:
    yield from _fields(message, TICK)
    yield from _points(message.get("points"), "points", {"weight": _SHARE})


def _points(points: Any, name: str, more: Mapping[str, _Rule]) -> Iterator[str]:
    for index, point in enumerate(points if isinstance(points, list) else ()):
        prefix = f"{name}[{index}]"
        if not isinstance(point, dict):
            yield f"{prefix}: given {_short(point)}, allowed is an object: {_CURE}"
            continue
        yield from _fields(point, {**POINT, **more}, f"{prefix}.")
        for role in ("champion", "challenger"):
            yield from _fields(point.get(role), VARIANT, f"{prefix}.{role}.")


def _fields(value: Any, rules: Mapping[str, _Rule], prefix: str = "") -> Iterator[str]:
    """Yield what is wrong with an object's fields; what is no object was told before."""
    if not isinstance(value, dict):
        return
    for name, rule in rules.items():
        if name in value and not rule.holds(value[name]):
            given = f"given {_short(value[name])}"
        elif name not in value and not rule.is_optional:
            given = "is missing"
        else:
            continue
        cure = f"write for example {rule.example}"
        yield f"{prefix}{name}: {given}, allowed is {rule.allowed}: {cure}"
