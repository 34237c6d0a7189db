"""DynamoDB's spelling of values: typed on the way in, plain on the way out."""

from collections.abc import Mapping
from typing import Any


def typed(attributes: Mapping[str, Any]) -> dict[str, Any]:
    """Return attributes as DynamoDB takes them: text, numbers, lists of both, None."""
    return {name: _typed_value(value) for name, value in attributes.items()}


def plain(item: Mapping[str, Any]) -> dict[str, Any]:
    """Return an item's attributes as Python's own values; whole numbers are integers."""
    return {name: _plain_value(value) for name, value in item.items()}


def _typed_value(value: Any) -> dict[str, Any]:
    if value is None:
        return {"NULL": True}
    if isinstance(value, str):
        return {"S": value}
    if isinstance(value, tuple | list):
        return {"L": [_typed_value(item) for item in value]}
    return {"N": repr(value)}


def _plain_value(value: Mapping[str, Any]) -> Any:
    ((kind, content),) = value.items()
    if kind == "NULL":
        return None
    if kind == "L":
        return [_plain_value(item) for item in content]
    if kind == "N":
        return float(content) if "." in content or "e" in content.lower() else int(content)
    return content
