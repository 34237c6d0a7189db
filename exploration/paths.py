"""What the state language reads from its data: paths, payload templates, choices."""

import re
from collections.abc import Callable, Mapping
from typing import Any

from exploration.expressions import CannotPlay

# The only use of an intrinsic function: a number as text.
_FORMAT = re.compile(r"States\.Format\('\{\}', (\$[\w.]+)\)")


class NoSuchPath(Exception):
    """A path leads nowhere: the platform fails the execution with States.Runtime."""


def look(path: str, data: Any, context: Any) -> Any:
    """Return what `$.a.b`, `$$.a.b` or States.Format('{}', $.a) gives; raises NoSuchPath."""
    if (formatted := _FORMAT.fullmatch(path)) is not None:
        return str(look(formatted[1], data, context))
    found, names = (context, path[2:]) if path.startswith("$$") else (data, path[1:])
    for name in filter(None, names.split(".")):
        if not name.isidentifier():
            raise CannotPlay(f"path {path!r} is more than names with dots")
        if not isinstance(found, Mapping) or name not in found:
            raise NoSuchPath(path)
        found = found[name]
    return found


def fill(template: Any, data: Any, context: Any) -> Any:
    """Return a payload template with its `.$` members looked up."""
    if isinstance(template, Mapping):
        filled = {}
        for name, value in template.items():
            if name.endswith(".$"):
                filled[name[:-2]] = look(value, data, context)
            else:
                filled[name] = fill(value, data, context)
        return filled
    if isinstance(template, list):
        return [fill(value, data, context) for value in template]
    return template


def place(path: str | None, data: Any, result: Any) -> Any:
    """Return the data with a result at a path: `$` replaces it, None drops the result."""
    if path is None:
        return data
    if path == "$":
        return result
    name = path.removeprefix("$.")
    if not name.isidentifier():
        raise CannotPlay(f"ResultPath {path!r} is more than one name")
    return {**data, name: result}


_TESTS: Mapping[str, Callable[[Any, Any], bool]] = {
    "BooleanEquals": lambda found, wanted: found is wanted,
    "StringEquals": lambda found, wanted: isinstance(found, str) and found == wanted,
    "NumericEquals": lambda found, wanted: found == wanted,
    "NumericGreaterThan": lambda found, wanted: found > wanted,
}


def chosen(rule: Mapping[str, Any], data: Any, context: Any) -> bool:
    """Say whether a choice's rule holds."""
    if "And" in rule:
        return all(chosen(one, data, context) for one in rule["And"])
    if "Or" in rule:
        return any(chosen(one, data, context) for one in rule["Or"])
    if "Not" in rule:
        return not chosen(rule["Not"], data, context)
    ((kind, wanted),) = (
        (k, v) for k, v in rule.items() if k not in ("Variable", "Next", "Comment")
    )
    if kind == "IsPresent":
        return is_there(rule["Variable"], data, context) is wanted
    if kind not in _TESTS:
        raise CannotPlay(f"choice {kind} is not known")
    return _TESTS[kind](look(rule["Variable"], data, context), wanted)


def is_there(path: str, data: Any, context: Any) -> bool:
    """Say whether a path leads somewhere."""
    try:
        look(path, data, context)
    except NoSuchPath:
        return False
    return True
