"""What moto works out anew for each request, although it is always the same, worked out once."""

from collections.abc import Callable, Iterable
from functools import cache
from typing import Any

from moto import backends
from moto.core import responses
from moto.core.serialize import (
    AttributePicker,
    AttributePickerContext,
    XFormedAttributePicker,
)

from steelyard.rehearsal.moto_patches import replace

_modules = backends.list_of_moto_modules
_methods = responses.method_names_from_class
_names = {
    picker: vars(picker)["get_possible_keys"]
    for picker in (AttributePicker, XFormedAttributePicker)
}


def install() -> None:
    """Remember moto's list of services, its classes' methods and its names of attributes."""
    found = frozenset(_modules())
    backends.list_of_moto_modules = lambda: found
    responses.method_names_from_class = cache(lambda kind: frozenset(_methods(kind)))
    for picker, possible in _names.items():
        replace(picker, _remembered(possible))


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
