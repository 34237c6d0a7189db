"""
Make rows for the model out of records, with the very code that training used.

A version may bring its own features.py, with `row(record)`; without one, a row is the record in the
order of the table.
"""

import ast
import math
import sys
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import ModuleType

from inference.contract.feature import Feature
from inference.contract.manifest import Manifest, read_file
from inference.contract.schema import Record, Value

RowCode = Callable[[Record], list[float]]


def read_row_code(folder: Path, manifest: Manifest, problems: list[str]) -> RowCode | None:
    """Give the function that makes rows; what is wrong is added to `problems`, the answer None."""
    if manifest.feature_code is None:
        return default_row(manifest.features)
    file, sha256 = manifest.feature_code.file, manifest.feature_code.sha256
    found: list[str] = []
    content = read_file(folder, file, sha256, found)
    row = _loaded(folder / file, content, found) if content is not None else None
    if row is not None:
        found += _trial_problems(file, row, manifest)
    problems += found
    return None if found else row


def default_row(features: Sequence[Feature]) -> RowCode:
    """Make rows in the table's order: null is NaN, a boolean 0 or 1, a listed value its index."""
    if all(feature.type == "float" and not feature.nullable for feature in features):
        return lambda record: list(record.values())  # type: ignore[arg-type]
    numbers = [_number(feature) for feature in features]
    return lambda record: [
        number(value) for number, value in zip(numbers, record.values(), strict=True)
    ]


def _number(feature: Feature) -> Callable[[Value], float]:
    if feature.values is None:
        return lambda value: math.nan if value is None else float(value)
    index: dict[Value, float] = {value: float(i) for i, value in enumerate(feature.values)}
    index[None] = math.nan
    return index.__getitem__


def _loaded(path: Path, content: bytes, problems: list[str]) -> RowCode | None:
    """Run the module from the bytes that were checked: nothing is read twice or written."""
    module = ModuleType("feature_code")
    module.__file__ = str(path)
    try:
        tree = ast.parse(content, path.name)
        problems += _import_problems(path.name, tree)
        if problems:
            return None
        sys.modules[module.__name__] = module  # dataclasses look themselves up here
        exec(compile(tree, str(path), "exec"), module.__dict__)
    except (Exception, SystemExit) as error:  # it may raise anything
        problems.append(f"{path.name} does not load: {_named(error)}; mend and train again")
        return None
    row = getattr(module, "row", None)
    if not callable(row):
        problems.append(f"{path.name} has no function row(record); write it, training uses it too")
        return None
    return row  # type: ignore[no-any-return]


def _import_problems(name: str, tree: ast.AST) -> list[str]:
    foreign = sorted(set(_imported(tree)) - sys.stdlib_module_names)
    return [
        f"{name} imports {module}, allowed is the standard library; do without it"
        for module in foreign
    ]


def _imported(tree: ast.AST) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield "." if node.level else (node.module or "").partition(".")[0]


def _trial_problems(name: str, row: RowCode, manifest: Manifest) -> list[str]:
    """Try records from the corners of the table: all rows must be floats, of one width."""
    widths = {}
    for label, record in _trial_records(manifest):
        try:
            numbers = row(record)
        except Exception as error:  # it may raise anything
            return [f"{name}: row() raises for the {label} record: {_named(error)}; mend it"]
        if not isinstance(numbers, list) or not all(type(number) is float for number in numbers):
            return [f"{name}: row() gives no list of floats for the {label} record; convert them"]
        widths[label] = len(numbers)
    if len(set(widths.values())) > 1:
        return [f"{name}: row() gives rows of different lengths, {widths}; give each the same"]
    return []


def _trial_records(manifest: Manifest) -> Iterator[tuple[str, Record]]:
    middle, features = middle_record(manifest), manifest.features
    yield "middle", middle
    yield "lowest", {feature.name: feature.domain[0] for feature in features}
    yield "highest", {feature.name: feature.domain[-1] for feature in features}
    for feature in features:
        if feature.nullable:
            yield f"{feature.name} = null", middle | {feature.name: None}


def middle_record(manifest: Manifest) -> Record:
    """Give an allowed record from the middle of every range and list, for warming up."""
    return {feature.name: _middle(feature) for feature in manifest.features}


def _middle(feature: Feature) -> Value:
    domain = feature.domain
    if feature.range is None:
        return domain[len(domain) // 2]  # type: ignore[no-any-return]
    total: float | int = sum(domain)
    return total / 2 if feature.type == "float" else total // 2


def _named(error: BaseException) -> str:
    return f"{type(error).__name__}: {error}"
