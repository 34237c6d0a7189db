"""Which files a Lambda needs, so that its asset holds these and changes only when they do."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path, PurePosixPath

ROOT = Path(__file__).resolve().parent.parent
_OURS = ("lambdas", "steelyard")


def needed(handler: str) -> list[str]:
    """Return the source files that `lambdas/<handler>.py` imports, itself too, from the root."""
    found: set[str] = set()
    waiting = [f"lambdas.{handler}"]
    while waiting:
        for path in _files(waiting.pop()):
            if path not in found:
                found.add(path)
                waiting += _imports(path)
    return sorted(found)


def left_out(handler: str) -> list[str]:
    """Return the patterns, as .gitignore has them, that leave only what the handler needs."""
    files = needed(handler)
    folders = {
        parent.as_posix() for file in files for parent in PurePosixPath(file).parents if parent.name
    }
    return ["*", *(f"!/{name}" for name in sorted({*folders, *files}))]


def _files(module: str) -> Iterator[str]:
    """Yield a module's file and those of the packages that it lies in, as Python loads them."""
    parts = module.split(".")
    for length in range(1, len(parts) + 1):
        stem = "/".join(parts[:length])
        yield from (
            path for path in (f"{stem}.py", f"{stem}/__init__.py") if (ROOT / path).is_file()
        )


@cache
def _imports(path: str) -> list[str]:
    names = []
    for node in ast.walk(ast.parse((ROOT / path).read_text("utf-8"))):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom) and node.module is not None:
            # What is imported may be a name in the module or a module of the package.
            names += [f"{node.module}.{alias.name}" for alias in node.names]
    return [name for name in names if name.split(".")[0] in _OURS]
