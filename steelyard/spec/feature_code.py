"""A record made into the model's row as the container makes it: by features.py, or by the table."""

import ast
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from steelyard.spec.feature import Feature, Value
from steelyard.spec.manifest import Manifest

RowMaker = Callable[[Mapping[str, Value]], Sequence[float]]


def row_maker(home: Path, manifest: Manifest) -> RowMaker:
    """
    Return the function that makes a row of a record; a version without a features.py has a default.

    Raises whatever the version's own code raises. It is run from its source, since an import would
    leave bytecode in the folder, which is packed whole.
    """
    if manifest.feature_code is None:
        return default_row(manifest.features)
    path = home / manifest.feature_code.file
    names: dict[str, Any] = {"__name__": path.stem, "__file__": str(path)}
    exec(compile(path.read_bytes(), path, "exec"), names)
    made: RowMaker = names["row"]
    return made


def default_row(features: Sequence[Feature]) -> RowMaker:
    """Return the row of a table: null is NaN, false and true are 0 and 1, a choice its index."""
    columns = [(feature.name, _column(feature)) for feature in features]
    return lambda record: [column(record[name]) for name, column in columns]


def row_width(home: Path, manifest: Manifest) -> int | None:
    """Return how many columns the version's rows have, None where its features.py makes none."""
    try:
        return len(_trial(home, manifest))
    except Exception:  # `code_problems` says why
        return None


def code_problems(home: Path, manifest: Manifest, source: bytes, name: str) -> Iterator[str]:
    """Yield a sentence for what is wrong with a version's features.py; `name` is for people."""
    try:
        tree = ast.parse(source)
    except (SyntaxError, ValueError) as error:
        yield f"{name}: is not Python: {error}: mend it, and train anew"
        return
    foreign = sorted({it for it in _imported(tree) if it not in sys.stdlib_module_names})
    if foreign:
        yield (
            f"{name}: imports {', '.join(foreign)}, allowed is the standard library, since it "
            f"runs in the serving container: write it without"
        )
        return
    try:
        _trial(home, manifest)
    except Exception as error:  # it may raise anything
        yield (
            f"{name}: fails on a record that manifest.json allows ({type(error).__name__}: "
            f"{error}), allowed is a function row(record) that returns a list of numbers, also "
            f"where a nullable feature is null: mend it, and train anew"
        )


def _trial(home: Path, manifest: Manifest) -> list[float]:
    """Return the row of a record from the middle of every range; nulls are tried, too."""
    row = row_maker(home, manifest)
    middle = {feature.name: _middle(feature) for feature in manifest.features}
    nulls = [middle | {it.name: None} for it in manifest.features if it.nullable]
    return [[float(number) for number in row(record)] for record in (*nulls, middle)][-1]


def _middle(feature: Feature) -> Value:
    if feature.range is None:
        choices = feature.choices or []
        return choices[len(choices) // 2]
    middle = sum(feature.range) / 2
    return int(middle) if feature.type == "integer" else middle


def _imported(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." if node.level else str(node.module).split(".")[0]


def _column(feature: Feature) -> Callable[[Any], float]:
    if feature.choices is None:
        return lambda value: float("nan") if value is None else float(value)
    places = {None: float("nan")} | {it: float(n) for n, it in enumerate(feature.choices)}
    return places.__getitem__
