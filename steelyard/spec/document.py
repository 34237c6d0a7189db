"""YAML and JSON documents, read with every problem in words and the line of every field."""

import json
from collections.abc import Hashable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

Place = tuple[str | int, ...]
_DEEP = "is nested too deeply: write it flat, as the example endpoint does"


@dataclass(frozen=True)
class Document:
    """
    What a file holds.

    `name` is the file's name for people; `lines` has the line, from 1, of each place in the file,
    and is empty for JSON.
    """

    name: str
    content: Any
    lines: Mapping[Place, int] = field(default_factory=dict)

    def at(self, *place: str | int) -> str:
        """Return where a field stands, as a problem begins: file, line, and path to the field."""
        known = next((place[:n] for n in range(len(place), 0, -1) if place[:n] in self.lines), None)
        line = f", line {self.lines[known]}" if known is not None else ""
        path = "".join(f"[{part}]" if isinstance(part, int) else f".{part}" for part in place)
        return f"{self.name}{line}: {path.lstrip('.')}" if path else f"{self.name}{line}"


class _Loader(yaml.SafeLoader):
    """YAML whose keys are text as written, where YAML reads `no` as false and 1 as a number."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        """Return the mapping; raises ConstructorError for a key that is no text."""
        self.flatten_mapping(node)
        for key, _ in node.value:
            if not isinstance(key, yaml.ScalarNode):
                raise yaml.constructor.ConstructorError(
                    None, None, "a key is a list or a mapping, allowed is text", key.start_mark
                )
        return {key.value: self.construct_object(value, deep) for key, value in node.value}


def read_text(path: Path, name: str, cure: str) -> tuple[str | None, list[str]]:
    """Return a text file's content, or why it has none; `cure` says what to do if it is missing."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return None, [f"{name}: is missing: {cure}"]
    except OSError as error:
        return None, [f"{name}: cannot be read: {error.strerror}: make it a readable file"]
    try:
        text = content.decode("utf-8-sig")  # spreadsheets and some editors begin with a mark
    except UnicodeDecodeError as error:
        line = content[: error.start].count(b"\n") + 1
        byte = content[error.start]
        return None, [
            f"{name}, line {line}: holds the byte 0x{byte:02x}, allowed is UTF-8 text: "
            f"save the file as UTF-8"
        ]
    return (text, []) if text.strip() else (None, [f"{name}: is empty: {cure}"])


def read_yaml(path: Path) -> tuple[Document | None, list[str]]:
    """Return what a YAML file holds, and a problem for each key that is written twice in it."""
    text, problems = read_text(path, path.name, "begin with a copy of the example endpoint's file")
    if text is None:
        return None, problems
    lines: dict[Place, int] = {}
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
        # Before construction, which folds what `<<` merges into the nodes.
        twice = [] if node is None else list(_walk(node, (), lines, set()))
        content = None if node is None else loader.construct_document(node)
    except yaml.MarkedYAMLError as error:
        return None, [_yaml_sentence(path.name, error)]
    except yaml.reader.ReaderError as error:
        line = text[: error.position].count("\n") + 1
        found = f"the character {chr(error.character)!r}"
        return None, [f"{path.name}, line {line}: holds {found}, which YAML forbids: remove it"]
    except RecursionError:
        return None, [f"{path.name}: {_DEEP}"]
    except (ValueError, TypeError) as error:  # such as the date 2026-99-99
        return None, [f"{path.name}: holds a value that cannot be read: {error}: put it in quotes"]
    document = Document(path.name, content, lines)
    return document, [
        f"{path.name}, line {line}: {'.'.join(map(str, place))}: is written twice, first in line "
        f"{lines[place]}: keep one"
        for place, line in twice
    ]


def read_json(path: Path, name: str) -> tuple[Document | None, list[str]]:
    """Return what a JSON file holds, or why it cannot be read; `name` is its name for people."""
    cure = "run the training script of this endpoint, which writes it"
    text, problems = read_text(path, name, cure)
    if text is None:
        return None, problems
    try:
        return Document(name, json.loads(text)), []
    except json.JSONDecodeError as error:
        place = f"{name}, line {error.lineno}, column {error.colno}"
        return None, [f"{place}: is not JSON: {error.msg[:1].lower()}{error.msg[1:]}: {cure} anew"]
    except RecursionError:
        return None, [f"{name}: {_DEEP}"]
    except ValueError as error:  # an integer of thousands of digits
        return None, [f"{name}: holds a number that cannot be read: {error}: {cure} anew"]


def _yaml_sentence(name: str, error: yaml.MarkedYAMLError) -> str:
    mark = error.problem_mark or error.context_mark
    where = f", line {mark.line + 1}, column {mark.column + 1}" if mark is not None else ""
    context = f" ({error.context})" if error.context is not None else ""
    return (
        f"{name}{where}: is not YAML: {error.problem}{context}: mend it; the usual cause is "
        f"indentation, or a colon, quote or bracket in this line or the one before"
    )


def _walk(
    node: yaml.Node, place: Place, lines: dict[Place, int], seen: set[int]
) -> Iterator[tuple[Place, int]]:
    """Note the line of every field below a node; yield place and line of each repeated key."""
    lines.setdefault(place, node.start_mark.line + 1)
    if id(node) in seen:  # an alias, which may even hold itself
        return
    seen.add(id(node))
    if isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield from _walk(item, (*place, index), lines, seen)
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            below = (*place, str(key.value))
            line = key.start_mark.line + 1
            if below in lines:
                yield below, line
            else:
                lines[below] = line
                yield from _walk(value, below, lines, seen)
