"""How a rollout is conducted: who confirms it, when it rests, when it must have ended."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal, get_args

from steelyard.rollout.fields import SHARE, Rule, at_least, read_numbers

Gate = Literal["start", "promotion"]
GATES: tuple[Gate, ...] = get_args(Gate)
ScaleOut = Literal["hold", "allow"]

WEEK = 7 * 86400
# 1970-01-01 was a Thursday: the first Monday began three days before.
_MONDAY = 3 * 86400

LEASE_SECONDS = 180
"""How long a challenger's weight outlives whoever drives the rollout: three ticks of the judge."""
WATCHDOG_SECONDS = 60
"""The watchdog's period: how late it can notice that a lease has expired."""


@dataclass(frozen=True)
class Window:
    """
    A time in which no weight is raised, `begin` inclusive and `end` exclusive.

    weekly: seconds since Monday 00:00 UTC, and one whose end is before its begin spans the weekend;
    else epoch seconds.
    """

    weekly: bool
    begin: int
    end: int

    def until(self, now: float) -> float | None:
        """Return when the window that holds epoch second `now` ends; None when none does."""
        if not self.weekly:
            return float(self.end) if self.begin <= now < self.end else None
        passed = (now + _MONDAY) % WEEK
        length = (self.end - self.begin) % WEEK
        within = (passed - self.begin) % WEEK
        return now + length - within if within < length else None


@dataclass(frozen=True)
class Conduct:
    """
    What is not judged but agreed: durations in seconds, `headroom` a share of capacity.

    confirm: where a person must approve; freeze: when no weight is raised; deadline_seconds: from
    the rollout's begin until it must have ended; headroom: what the champion must have free before
    its scaling is held, unless champion_scale_out allows that it grows.
    """

    confirm: tuple[Gate, ...] = ()
    freeze: tuple[Window, ...] = ()
    deadline_seconds: int = 30 * 86400
    headroom: float = 0.3
    champion_scale_out: ScaleOut = "hold"

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form, from which `read_conduct` makes an equal one."""
        freeze = [asdict(window) for window in self.freeze]
        return asdict(self) | {"confirm": list(self.confirm), "freeze": freeze}

    def frozen_until(self, now: float) -> float | None:
        """Return the latest end of the freeze windows that hold `now`; None when none does."""
        ends = [end for window in self.freeze if (end := window.until(now)) is not None]
        return max(ends, default=None)


CONDUCT: Mapping[str, Rule | None] = {
    "confirm": None,
    "freeze": None,
    "deadline_seconds": at_least(60),
    "headroom": SHARE,
    "champion_scale_out": None,
}
_WEEKLY = Rule(True, f"an integer in 0..{WEEK - 1}", lambda number: 0 <= number < WEEK)
_EPOCH = at_least(0)


def read_conduct(value: Any, problems: list[str]) -> Conduct:
    """Return the conduct that `value` says; each problem is appended to `problems`."""
    before = len(problems)
    numbers = read_numbers(value, "conduct.", CONDUCT, problems)
    if len(problems) > before:
        return Conduct()
    confirm, scale_out = value.get("confirm"), value.get("champion_scale_out")
    if not isinstance(confirm, list | tuple) or any(gate not in GATES for gate in confirm):
        problems.append(f"conduct.confirm is {confirm!r}: give a list of {' and '.join(GATES)}")
    if scale_out not in get_args(ScaleOut):
        problems.append(f"conduct.champion_scale_out is {scale_out!r}: it must be hold or allow")
    freeze = _windows(value.get("freeze"), problems)
    if len(problems) > before:
        return Conduct()
    return Conduct(tuple(confirm), freeze, champion_scale_out=scale_out, **numbers)


def _windows(value: Any, problems: list[str]) -> tuple[Window, ...]:
    if not isinstance(value, list | tuple):
        problems.append(f"conduct.freeze is {value!r}: give a list of windows, or an empty one")
        return ()
    return tuple(
        window
        for index, item in enumerate(value)
        if (window := _window(f"conduct.freeze[{index}]", item, problems)) is not None
    )


def _window(name: str, value: Any, problems: list[str]) -> Window | None:
    weekly = value.get("weekly") if isinstance(value, Mapping) else None
    if not isinstance(weekly, bool):
        problems.append(f"{name} is {value!r}: give weekly (true or false), begin and end")
        return None
    before, rule = len(problems), _WEEKLY if weekly else _EPOCH
    numbers = read_numbers(
        {key: value[key] for key in value if key != "weekly"},
        f"{name}.",
        {"begin": rule, "end": rule},
        problems,
    )
    if len(problems) > before:
        return None
    window = Window(weekly, **numbers)
    if window.begin == window.end or (not weekly and window.end < window.begin):
        problems.append(f"{name} ends at {window.end}, begins at {window.begin}: end it later")
        return None
    return window
