"""Read numbers out of JSON, with a sentence for each that cannot be used."""

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

DIGITS = 6
"""Digits after the point that canonical JSON keeps."""


@dataclass(frozen=True)
class Rule:
    """One field's type and allowed values; `allowed` completes the sentence 'it must be ...'."""

    integer: bool
    allowed: str
    holds: Callable[[float], bool]


def at_least(bound: int) -> Rule:
    """Return the rule for an integer of `bound` or more."""
    return Rule(True, f"an integer of {bound} or more", lambda number: number >= bound)


SHARE = Rule(False, "a number in 0..1", lambda number: 0 <= number <= 1)
NOT_NEGATIVE = Rule(False, "a number of 0 or more", lambda number: number >= 0)


def read_numbers(
    value: Any, prefix: str, rules: Mapping[str, Rule | None], problems: list[str]
) -> dict[str, Any]:
    """
    Return the numbers that `rules` name (None: read elsewhere), None for one that cannot be used.

    Each problem is appended, with the field's name behind `prefix`.
    """
    if not isinstance(value, Mapping):
        problems.append(f"{prefix[:-1]} is {value!r}: give an object with {', '.join(rules)}")
        return {}
    unknown = [key for key in value if key not in rules]
    problems += [
        f"{prefix}{key} is unknown: remove it, or use one of {', '.join(rules)}" for key in unknown
    ]
    numbers = {}
    for name, rule in rules.items():
        if rule is not None:
            number = number_of(value.get(name), rule)
            if number is None:
                given = f"is {value[name]!r}" if name in value else "is missing"
                problems.append(f"{prefix}{name} {given}: it must be {rule.allowed}")
            numbers[name] = number
    return numbers


def number_of(value: Any, rule: Rule) -> float | None:
    """Return the number, rounded as canonical JSON rounds it; None where the rule forbids it."""
    kinds = int if rule.integer else (int, float)
    if isinstance(value, bool) or not isinstance(value, kinds) or not math.isfinite(value):
        return None
    # Rounded as canonical JSON rounds, so that the digest names exactly what is used.
    number = value if rule.integer else round(float(value), DIGITS)
    return number if rule.holds(number) else None
