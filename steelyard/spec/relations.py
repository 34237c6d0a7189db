"""
Fields of endpoint.yaml held against each other.

They are read one by one from the raw file, so that no other problem hides these.
"""

import itertools
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from steelyard.spec.document import Document
from steelyard.spec.endpoint import EndpointFile, Rollout, Scenario, Step, Traffic, Variant
from steelyard.spec.parse import usable
from steelyard.spec.quantities import duration

# A fault's text and the plan's weights; returns what is wrong with it, None when it can be played.
FaultCheck = Callable[[str, Sequence[int]], str | None]

# AWS Lambda, CreateFunction: a name has at most 64 characters. The longest of ours is
# <endpoint>-<environment>-set-weights; SageMaker allows endpoints 63, alarms have room for 255.
FUNCTION_NAME_LIMIT = 64
LONGEST_SUFFIX = "-set-weights"
# The judge looks once a minute: at its first look after the bake a step must not be overdue yet.
LOOK_SECONDS = 60


def relations(document: Document, check_fault: FaultCheck) -> list[str]:
    """Return a sentence for each contradiction of the file."""
    return [
        *_variants(document),
        *_weights(document),
        *_longest(document),
        *_requests(document),
        *_names(document),
        *_scenarios(document),
        *_faults(document, check_fault),
    ]


def items(raw: Any, name: str) -> list[Any]:
    """Return a list of the raw file, empty when it is none."""
    found = raw.get(name) if isinstance(raw, dict) else None
    return found if isinstance(found, list) else []


def section(raw: Any, name: str) -> Any:
    """Return a section of the raw file, None when it has none."""
    return raw.get(name) if isinstance(raw, dict) else None


def _variants(document: Document) -> Iterator[str]:
    variants = items(document.content, "variants")
    versions = [usable(Variant, variant, "version") for variant in variants]
    for index, version in enumerate(versions):
        if version is not None and version in versions[:index]:
            yield (
                f"{document.at('variants', index, 'version')}: given {version} a second time, "
                f"allowed is each version once: keep one"
            )
    roles = [usable(Variant, variant, "role") for variant in variants]
    for role in ("champion", "challenger", "previous"):
        found = [index for index, it in enumerate(roles) if it == role]
        if len(found) > 1:
            yield (
                f"{document.at('variants', found[1], 'role')}: given {len(found)} variants with "
                f"the role {role}, allowed is one: give the others another role, or remove them"
            )
    if variants and "champion" not in roles and None not in roles:
        yield (
            f"{document.at('variants')}: given no variant with the role champion, allowed is "
            f"one: give it to the version that serves now"
        )


def weights(document: Document) -> list[int | None]:
    """Return the challenger's weight in each step, None where it is unusable."""
    steps = items(section(document.content, "rollout"), "steps")
    return [usable(Step, step, "weight") for step in steps]


def _weights(document: Document) -> Iterator[str]:
    for index, (before, after) in enumerate(itertools.pairwise(weights(document)), 1):
        if before is not None and after is not None and after <= before:
            yield (
                f"{document.at('rollout', 'steps', index, 'weight')}: given {after}, allowed is "
                f"above {before}, the step before it: let weights rise from step to step"
            )


def _longest(document: Document) -> Iterator[str]:
    rollout = section(document.content, "rollout")
    bakes = [usable(Step, step, "bake") for step in items(rollout, "steps")]
    watched = [it for it in [*bakes, usable(Rollout, rollout, "soak")] if it is not None]
    longest = usable(Rollout, rollout, "longest")
    if longest is None or not watched or longest > max(watched) + LOOK_SECONDS:
        return
    least = -(-(max(watched) + LOOK_SECONDS + 1) // 60) * 60
    yield (
        f"{document.at('rollout', 'longest')}: given {duration(longest)}, allowed is more than a "
        f"minute above the longest bake or soak, {duration(max(watched))}, since no such step "
        f"could advance before it pauses: write {duration(least)} or more"
    )


def _requests(document: Document) -> Iterator[str]:
    rollout = section(document.content, "rollout")
    least = usable(Rollout, rollout, "minimum_requests")
    longest = usable(Rollout, rollout, "longest")
    rate = usable(Traffic, section(document.content, "traffic"), "requests_per_minute")
    first = next(iter(weights(document)), None)
    if least is None or longest is None or rate is None or first is None:
        return
    expected = rate * first / 100 * longest / 60
    if expected < least:
        yield (
            f"{document.at('rollout', 'minimum_requests')}: given {least}, allowed is at most "
            f"{int(expected)}, the requests at weight {first} in {duration(longest)}, since "
            f"the first step would always pause: lower it, or raise weight or longest"
        )


def _names(document: Document) -> Iterator[str]:
    endpoint = usable(EndpointFile, document.content, "endpoint")
    environments = section(document.content, "environments")
    if endpoint is None or not isinstance(environments, dict):
        return
    room = FUNCTION_NAME_LIMIT - len(LONGEST_SUFFIX)
    for environment in environments:
        name = f"{endpoint}-{environment}"
        if len(name) > room:
            yield (
                f"{document.at('environments', str(environment))}: given {name!r}, which has "
                f"{len(name)} characters, allowed is {room}, since Lambda functions are called "
                f"{name}{LONGEST_SUFFIX}: shorten the endpoint's name or the environment's"
            )


def _scenarios(document: Document) -> Iterator[str]:
    variants = items(document.content, "variants")
    champions = [
        usable(Variant, variant, "version")
        for variant in variants
        if usable(Variant, variant, "role") == "champion"
    ]
    for index, scenario in enumerate(items(document.content, "rehearsal")):
        challenger = usable(Scenario, scenario, "challenger")
        if challenger is not None and challenger in champions:
            yield (
                f"{document.at('rehearsal', index, 'challenger')}: given {challenger}, the "
                f"champion, allowed is any other version: name another, or leave the field out"
            )


def _faults(document: Document, check_fault: FaultCheck) -> Iterator[str]:
    plan = [*weights(document), 100]
    known = [weight for weight in plan if weight is not None]
    if len(known) < len(plan):
        return
    for index, scenario in enumerate(items(document.content, "rehearsal")):
        for number, text in enumerate(usable(Scenario, scenario, "faults") or []):
            problem = check_fault(text, known)
            if problem is not None:
                yield f"{document.at('rehearsal', index, 'faults', number)}: {problem}"
