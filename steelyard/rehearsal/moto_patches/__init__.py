"""Patches shaped like upstream moto ones; each has a test that fails once moto needs it no more."""

from collections.abc import Callable
from typing import Any


def replace(owner: type, function: Callable[..., Any]) -> None:
    """Put a function in the place of the owner's method of the same name."""
    setattr(owner, function.__name__, function)
