"""Moments as people write them in endpoint.yaml: a time of each week, or one date; both in UTC."""

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Annotated, Any

from pydantic import BeforeValidator, Field

from steelyard.rollout.conduct import WEEK

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_WEEKLY = re.compile(rf"({'|'.join(_DAYS)}) ([01]\d|2[0-3]):([0-5]\d)", re.ASCII)
_ALLOWED = "a day and a time of each week, or a date and a time, in UTC"
_EXAMPLE = "Fri 16:00, or 2026-12-24 00:00"


@dataclass(frozen=True)
class When:
    """A moment: `seconds` since Monday 00:00 UTC if it is weekly, else since the epoch."""

    weekly: bool
    seconds: int


def moment(value: Any) -> When:
    """
    Return a moment such as ``Fri 16:00`` or ``2026-12-24 00:00``.

    Raises ValueError for anything else, also for a date that no calendar has.
    """
    text = value.strip() if isinstance(value, str) else ""
    weekly = _WEEKLY.fullmatch(text)
    if weekly is not None:
        day, hour, minute = _DAYS.index(weekly[1]), int(weekly[2]), int(weekly[3])
        return When(True, ((day * 24 + hour) * 60 + minute) * 60)
    try:
        date = datetime.strptime(text, "%Y-%m-%d %H:%M").replace(tzinfo=UTC)
    except ValueError as error:
        given = repr(value) if isinstance(value, str) else f"a {type(value).__name__}"
        raise ValueError(
            f"given {given}, allowed is {_ALLOWED}: write for example {_EXAMPLE}"
        ) from error
    return When(False, max(0, int(date.timestamp())))


def length(begin: When, until: When) -> int:
    """Return the seconds between two moments of one kind; a week's end is followed by its begin."""
    passed = until.seconds - begin.seconds
    return passed % WEEK if begin.weekly else passed


Moment = Annotated[
    When, BeforeValidator(moment), Field(description=_ALLOWED, examples=["Fri 16:00"])
]
