"""Documents parsed into models: each problem one sentence of ours, none of the library's."""

import difflib
import reprlib
import types
from typing import Annotated, Any, Literal, TypeVar, Union, get_args, get_origin

from pydantic import BaseModel, Field, TypeAdapter, ValidationError
from pydantic.fields import FieldInfo

from steelyard.spec.document import Document

Model = TypeVar("Model", bound=BaseModel)
_PLAIN = {
    "str": ("text", "write it, in quotes if it looks like anything else"),
    "bool": ("true or false", "write one of these"),
    "int": ("a whole number", "write it without quotes"),
    "float": ("a finite number", "write it without quotes"),
    "list": ("a list", "write each item in a line of its own after a dash"),
    "dict": ("a mapping of names to values", "write one name to a line"),
    "list of two": ("a list of two numbers", "write for example [0.0, 1.0]"),
}
# Bounded, so that a whole section in a wrong place does not fill the screen.
_bounded = reprlib.Repr()
_bounded.maxstring = _bounded.maxother = _bounded.maxlong = 60
_bounded.maxlevel = 2


def parse(model: type[Model], document: Document) -> tuple[Model | None, list[str]]:
    """Return the document as a model, or a sentence for each problem in it."""
    try:
        return model.model_validate(document.content), []
    except ValidationError as error:
        found = error.errors(include_url=False)
        return None, [_sentence(document, model, problem) for problem in found]


def usable(model: type[BaseModel], raw: Any, name: str) -> Any:
    """
    Return one field as the model reads it, whatever is wrong beside it.

    Its default when it is not written; None when it is unusable, or written nowhere and required.
    """
    if not isinstance(raw, dict):
        return None
    info = model.model_fields[name]
    key = info.alias or name
    if key not in raw:
        return None if info.is_required() else info.get_default()
    kind: Any = Annotated
    try:
        rules = kind[info.annotation, Field(), *info.metadata]
        return TypeAdapter(rules).validate_python(raw[key])
    except ValidationError:
        return None


def _sentence(document: Document, model: type[BaseModel], problem: Any) -> str:
    kind, place = problem["type"], problem["loc"]
    key = place[-1:] == ("[key]",)
    where = document.at(*(place[:-1] if key else place))
    if kind == "value_error":
        return f"{where}: {problem['msg'].removeprefix('Value error, ')}"
    if kind == "extra_forbidden":
        return f"{where}: {_stranger(model, place)}"
    allowed, cure = _rule(model, place)
    if kind == "missing":
        return f"{where}: is missing, allowed is {allowed}: {cure}"
    if problem["input"] is None:
        return f"{where}: is empty, allowed is {allowed}: {cure}"
    return f"{where}: given {given(problem['input'])}, allowed is {allowed}: {cure}"


def given(value: Any) -> str:
    """Return a value as a problem says it, no longer than a line."""
    return str(value).lower() if isinstance(value, bool) else _bounded.repr(value)


def _stranger(model: type[BaseModel], place: tuple[str | int, ...]) -> str:
    """Say that a field is unknown, which are known, and which of those may be meant."""
    parent = _inside(model, place[:-1])[0]
    names = _names(parent)
    near = difflib.get_close_matches(str(place[-1]), names, n=1)
    cure = f"write {near[0]}" if near else "remove it"
    return f"is not a field here, allowed is {', '.join(names)}: {cure}"


def _rule(model: type[BaseModel], place: tuple[str | int, ...]) -> tuple[str, str]:
    """Return what a place allows, in words, and what to do about anything else."""
    annotation, info = _inside(model, place)
    described = info.description if info is not None else None
    if info is not None and described is not None and info.examples:
        return described, f"write for example {info.examples[0]}"
    allowed, cure = _words(annotation)
    return described or allowed, cure


def _inside(annotation: Any, place: tuple[str | int, ...]) -> tuple[Any, FieldInfo | None]:
    """Return the type that a place in a type has, and the field that describes it."""
    info: FieldInfo | None = None
    for part in place[:-1] if place[-1:] == ("[key]",) else place:
        bare = _bare(annotation)
        if isinstance(bare, type) and issubclass(bare, BaseModel):
            info = next(it for name, it in bare.model_fields.items() if part in (name, it.alias))
            annotation = info.annotation
            if info.description is None:  # it may stand inside, where the field may be None
                info = _described(annotation) or info
            continue
        # Where the name in a dict is the problem, and not what it names, pydantic adds "[key]".
        is_value = get_origin(bare) is dict and place[-1] != "[key]"
        annotation = get_args(bare)[1 if is_value else 0]
        info = _described(annotation)
    return _bare(annotation), info


def _described(annotation: Any) -> FieldInfo | None:
    if get_origin(annotation) in (Union, types.UnionType):
        annotation = next(it for it in get_args(annotation) if it is not type(None))
    metadata = getattr(annotation, "__metadata__", ())
    return next((it for it in reversed(metadata) if isinstance(it, FieldInfo)), None)


def _bare(annotation: Any) -> Any:
    """Return a type without its metadata and without its None."""
    if get_origin(annotation) is Annotated:
        return _bare(get_args(annotation)[0])
    if get_origin(annotation) in (Union, types.UnionType):
        return _bare(next(it for it in get_args(annotation) if it is not type(None)))
    return annotation


def _words(annotation: Any) -> tuple[str, str]:
    origin, arguments = get_origin(annotation), get_args(annotation)
    if origin is Literal:
        return ", ".join(map(str, arguments)), "write one of these"
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return f"a mapping with {', '.join(_names(annotation))}", "write these fields into it"
    name = "list of two" if origin is tuple else (origin or annotation).__name__
    return _PLAIN[name]


def _names(model: type[BaseModel]) -> list[str]:
    return [info.alias or name for name, info in model.model_fields.items()]
