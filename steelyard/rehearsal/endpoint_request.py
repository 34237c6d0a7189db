"""
What SageMaker refuses in requests about an endpoint's variants.

The marks in brackets are explained in `endpoint_model`.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

_CHANGE_KEYS = {"VariantName", "DesiredWeight", "DesiredInstanceCount"}


class Refused(Exception):
    """The platform's refusal of a call: its error code and message."""

    def __init__(self, code: str, message: str) -> None:
        super().__init__(f"{code}: {message}")
        self.code = code
        self.message = message


def invalid(message: str) -> Refused:
    """Return the refusal of a request that makes no sense."""
    return Refused("ValidationException", message)


def check_config(entries: Sequence[Mapping[str, Any]]) -> None:
    """Check the variants of an endpoint config [share]; raises Refused with every problem."""
    _refuse(_entry_problems(entries, "InitialVariantWeight", "InitialInstanceCount", 1))


def check_shadows(
    entries: Sequence[Mapping[str, Any]], shadows: Sequence[Mapping[str, Any]]
) -> None:
    """Check that shadow variants may stand beside production ones [shadow]; raises Refused."""
    if shadows and (len(entries), len(shadows)) != (1, 1):
        raise invalid(
            f"{len(entries)} ProductionVariants and {len(shadows)} ShadowProductionVariants: with "
            f"a shadow variant, write one of each."
        )


def check_change(
    requests: Sequence[Mapping[str, Any]], known: Collection[str], config_name: str
) -> None:
    """
    Check a request for weights and capacities; raises Refused with every problem.

    `known` are the variants of the endpoint config in force, `config_name` is its name.
    """
    _refuse(_change_problems(requests, known, config_name))


def _entry_problems(
    entries: Sequence[Mapping[str, Any]], weight_key: str, count_key: str, least_count: int
) -> Iterator[str]:
    names = [entry["VariantName"] for entry in entries]
    if not names:
        yield "The list of variants is empty: name at least one."
    for name in sorted({name for name in names if names.count(name) > 1}):  # [sentence]
        yield f'The variant name "{name}" was non-unique within the request.'
    for entry in entries:
        weight, count = entry.get(weight_key, 0), entry.get(count_key, least_count)
        if not 0 <= weight < math.inf:
            yield f"{weight_key} of {entry['VariantName']} is {weight}: write at least 0."
        if not isinstance(count, int) or count < least_count:
            yield f"{count_key} of {entry['VariantName']} is {count}: write at least {least_count}."


def _change_problems(
    requests: Sequence[Mapping[str, Any]], known: Collection[str], config_name: str
) -> Iterator[str]:
    yield from _entry_problems(requests, "DesiredWeight", "DesiredInstanceCount", 0)
    for name in sorted({request["VariantName"] for request in requests} - set(known)):  # [sentence]
        yield (
            f'The variant name(s) "{name}" is/are not present within endpoint configuration '
            f'"{config_name}".'
        )
    if sum("DesiredInstanceCount" in request for request in requests) > 1:  # [weights]
        yield "DesiredInstanceCount is given for several variants: change one variant per call."
    if foreign := {key for request in requests for key in request} - _CHANGE_KEYS:
        yield f"{sorted(foreign)} cannot be played, allowed are {sorted(_CHANGE_KEYS)}."


def _refuse(problems: Iterator[str]) -> None:
    if message := " ".join(problems):
        raise invalid(message)
