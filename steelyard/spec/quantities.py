"""Quantities as people write them in endpoint.yaml: durations with a unit, shares in per cent."""

import re
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

_SECONDS = {
    "millisecond": 0.001,
    "second": 1.0,
    "minute": 60.0,
    "hour": 3600.0,
    "day": 86400.0,
}
_DURATION = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)\s*([a-z]+?)s?", re.ASCII)
_SHARE = re.compile(r"(\d{1,9}(?:\.\d{1,9})?)\s*%", re.ASCII)
# Longer than anybody watches a step; a rollout's execution ends after a year on AWS in any case.
LONGEST_DAYS = 30
_UNITS = "a number with its unit: milliseconds, seconds, minutes, hours or days"


def seconds(value: Any) -> float:
    """
    Return a duration such as ``10 minutes`` in seconds, to the nanosecond.

    Raises ValueError for a number without a unit, a unit that is not known, nothing, or more than
    30 days.
    """
    match = _DURATION.fullmatch(value.strip().lower()) if isinstance(value, str) else None
    if match is None or match[2] not in _SECONDS:
        raise ValueError(
            f"given {_short(value)}, allowed is {_UNITS}: write for example 10 minutes"
        )
    length = round(float(match[1]) * _SECONDS[match[2]], 9)
    if not 0 < length <= LONGEST_DAYS * _SECONDS["day"]:
        raise ValueError(
            f"given {value!r}, allowed is above 0 and at most {LONGEST_DAYS} days: "
            f"write for example 10 minutes"
        )
    return length


def whole_seconds(value: Any) -> int:
    """Return a duration of at least one second, in whole seconds; raises ValueError else."""
    length = seconds(value)
    if length != int(length):
        raise ValueError(
            f"given {value!r}, allowed is a whole number of seconds: write for example 10 minutes"
        )
    return int(length)


def share(value: Any) -> float:
    """
    Return a share such as ``5%`` or ``0.05`` as a fraction from 0 to 1.

    Raises ValueError for anything else, also for a bare 1, which may mean 1% or 100%.
    """
    match = _SHARE.fullmatch(value.strip()) if isinstance(value, str) else None
    number = float(match[1]) / 100 if match is not None else value
    is_number = isinstance(number, int | float) and not isinstance(number, bool)
    if not is_number or not 0 <= number <= 1 or (match is None and number == 1):
        raise ValueError(
            f"given {_short(value)}, allowed is a percentage from 0% to 100%, or a fraction "
            f"below 1: write for example 5%"
        )
    return round(float(number), 12)


def _short(value: Any) -> str:
    return repr(value) if isinstance(value, str | int | float) else f"a {type(value).__name__}"


def percent(fraction: float) -> str:
    """Return a fraction as people write it: 0.05 is 5%."""
    return f"{fraction * 100:.4g}%"


def duration(length: float) -> str:
    """Return seconds in the largest unit of which they are a whole number: 600 is 10 minutes."""
    for unit in ("day", "hour", "minute"):
        count, rest = divmod(length, _SECONDS[unit])
        if count and not rest:
            return f"{count:.0f} {unit}{'s' if count > 1 else ''}"
    return f"{length:.9f}".rstrip("0").rstrip(".") + " seconds"


_DURATION_FIELD = Field(description=_UNITS, examples=["10 minutes"])
_SHARE_FIELD = Field(description="a percentage such as 5%, or a fraction below 1", examples=["5%"])
Seconds = Annotated[float, BeforeValidator(seconds), _DURATION_FIELD]
WholeSeconds = Annotated[int, BeforeValidator(whole_seconds), _DURATION_FIELD]
Share = Annotated[float, BeforeValidator(share), _SHARE_FIELD]
