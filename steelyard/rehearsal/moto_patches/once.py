"""What moto works out anew for each request, although it is always the same, worked out once."""

from collections import deque
from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from moto import backends
from moto.core import responses, utils
from moto.core.serialize import (
    AttributePicker,
    AttributePickerContext,
    XFormedAttributePicker,
)
from moto.dynamodb.comparisons import ConditionExpressionParser

from steelyard.rehearsal.moto_patches import replace

_modules = backends.list_of_moto_modules
_methods = utils.method_names_from_class
_names = {
    picker: vars(picker)["get_possible_keys"]
    for picker in (AttributePicker, XFormedAttributePicker)
}
_words = ConditionExpressionParser._lex_condition_expression


def install() -> None:
    """Remember moto's services, its classes' methods, its names of attributes, its conditions."""
    found = frozenset(_modules())
    backends.list_of_moto_modules = lambda: found
    vars(responses)["method_names_from_class"] = cache(lambda kind: frozenset(_methods(kind)))
    for picker, possible in _names.items():
        replace(picker, _remembered(possible))
    replace(ConditionExpressionParser, _lex_condition_expression)


def _remembered(
    possible: Callable[[AttributePicker, AttributePickerContext], Iterable[str]],
) -> Callable[[AttributePicker, AttributePickerContext], list[str]]:
    """Remember under which names a member of a shape may stand in objects of one class."""
    known: dict[Any, list[str]] = {}

    def get_possible_keys(picker: AttributePicker, context: AttributePickerContext) -> list[str]:
        # The providers look at the class of an object, never at what it holds.
        key = (tuple(picker.alias_providers), type(context.obj), context.key, context.shape)
        if key not in known:
            known[key] = list(possible(picker, context))
        return known[key]

    return get_possible_keys


def _lex_condition_expression(parser: ConditionExpressionParser) -> deque[Any]:
    # A copy, since the parser takes words away while it reads.
    return deque(_words_of(parser.condition_expression))


@cache
def _words_of(expression: str | None) -> tuple[Any, ...]:
    return tuple(_words(ConditionExpressionParser(expression, None, None)))
