"""
Say why a request was refused, in words for its sender and as a reason to count.

No value that was sent is ever repeated: it may be personal data, and an answer may be logged.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Literal, get_args

Reason = Literal[
    "syntax",  # not the format that it claims to be
    "encoding",  # not UTF-8
    "empty",  # no body, or no record in it
    "missing",  # a feature was not sent
    "unknown",  # a field that is no feature
    "type",
    "null",
    "not_finite",
    "range",
    "value",  # not one of the closed list
    "too_long",
    "media_type",
    "accept",
    "incomplete",  # the body did not come in time
    "overloaded",
]
REASONS: tuple[Reason, ...] = get_args(Reason)
"""Closed, so that every series of the counter exists from the start."""

NO_HEADERS: Mapping[str, str] = MappingProxyType({})


@dataclass(frozen=True, slots=True)
class Problem:
    """What is wrong with one field; the empty field is the request as a whole."""

    field: str
    problem: str
    reason: Reason


class RefusedError(Exception):
    """The request is not scored: `status` of HTTP, `problems` for the body, `headers` beside it."""

    def __init__(
        self, status: int, problems: Sequence[Problem], headers: Mapping[str, str] = NO_HEADERS
    ) -> None:
        super().__init__(status)
        self.status = status
        self.problems = problems
        self.headers = headers


def overloaded(what: str) -> RefusedError:
    """Refuse with 503 what there is no room for now; the caller may come again in a second."""
    said = f"{what}; come again after a second, or add instances"
    return RefusedError(503, [Problem("", said, "overloaded")], {"retry-after": "1"})
