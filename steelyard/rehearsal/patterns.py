"""
EventBridge's event patterns, as far as they compare with values.

Every field that a pattern names must hold one of the values it lists ("Amazon EventBridge event
patterns" in the user guide).
"""

from collections.abc import Iterator, Mapping
from typing import Any


def matches(pattern: Mapping[str, Any], event: Mapping[str, Any]) -> bool:
    """Say whether every field of a pattern holds one of its values."""
    for name, wanted in pattern.items():
        found = event.get(name)
        if isinstance(wanted, Mapping):
            if not isinstance(found, Mapping) or not matches(wanted, found):
                return False
        elif not any(value in wanted for value in (found if isinstance(found, list) else [found])):
            return False
    return True


def unplayed(pattern: Mapping[str, Any], path: str = "") -> Iterator[str]:
    """Yield each part of a pattern that compares otherwise than with values."""
    for name, wanted in pattern.items():
        if isinstance(wanted, Mapping):
            yield from unplayed(wanted, f"{path}{name}.")
        elif not isinstance(wanted, list) or any(isinstance(one, dict | list) for one in wanted):
            yield f"{path}{name}"
