"""
Fields of endpoint.yaml held against each other.

They are read one by one from the raw file, so that no other problem hides these.
"""

import itertools
import math
from collections.abc import Callable, Iterator, Sequence
from typing import Any

from steelyard.rollout.shadow import WEIGHT
from steelyard.spec.document import Document
from steelyard.spec.endpoint import EndpointFile, Scaling, Scenario, Traffic, Variant
from steelyard.spec.moment import length
from steelyard.spec.parse import usable
from steelyard.spec.quantities import duration, percent
from steelyard.spec.rollout import Freeze, Margin, Rollout, Shadow, Step, Tolerance

# `faults` or `events`, the text of one and the plan's weights; returns what is wrong with it, None
# when it can be played.
Check = Callable[[str, str, Sequence[int]], str | None]

# AWS Lambda, CreateFunction: a name has at most 64 characters. The longest of ours is
# <endpoint>-<environment>-set-weights; SageMaker allows endpoints 63, alarms have room for 255.
FUNCTION_NAME_LIMIT = 64
LONGEST_SUFFIX = "-set-weights"
# The judge looks once a minute: at its first look after the bake a step must not be overdue yet.
LOOK_SECONDS = 60


def relations(document: Document, check: Check) -> list[str]:
    """Return a sentence for each contradiction of the file."""
    return [
        *_variants(document),
        *_shadow(document),
        *_weights(document),
        *_longest(document),
        *_deadline(document),
        *_gates(document),
        *_freeze(document),
        *_margin(document),
        *_requests(document),
        *_scaling(document),
        *_names(document),
        *_scenarios(document),
        *_happenings(document, check),
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
    for role in ("champion", "challenger", "previous", "shadow"):
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


def _shadow(document: Document) -> Iterator[str]:
    """Refuse what cannot stand beside a shadow variant: one production variant is all it may."""
    variants = items(document.content, "variants")
    roles = [usable(Variant, variant, "role") for variant in variants]
    if "shadow" not in roles:
        return
    cures = {
        "challenger": "one is on trial at a time: remove it, or the shadow",
        "previous": "with a shadow SageMaker takes one production variant only, which is the "
        "champion: remove previous first",
    }
    for index, role in enumerate(roles):
        if role in cures:
            yield (
                f"{document.at('variants', index, 'role')}: given {role} beside a shadow, "
                f"allowed is the champion alone, since {cures[role]}"
            )
    index = roles.index("shadow")
    if section(variants[index], "scaling") is not None:
        yield (
            f"{document.at('variants', index, 'scaling')}: given for a shadow, allowed is none, "
            f"since nothing documents that a shadow variant scales: leave it out, and choose its "
            f"instance_count for all of the traffic"
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
    bakes.append(usable(Shadow, section(rollout, "shadow") or {}, "bake"))
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


def _deadline(document: Document) -> Iterator[str]:
    rollout = section(document.content, "rollout")
    deadline = usable(Rollout, rollout, "deadline")
    bakes = [usable(Step, step, "bake") for step in items(rollout, "steps")]
    watched = [*bakes, usable(Rollout, rollout, "soak")]
    if deadline is None or None in watched or deadline > sum(watched):
        return
    least = (sum(watched) // 60 + 1) * 60
    yield (
        f"{document.at('rollout', 'deadline')}: given {duration(deadline)}, allowed is more than "
        f"{duration(sum(watched))}, the bakes and the soak together, since no rollout could end "
        f"in time: write {duration(least)} or more"
    )


def _gates(document: Document) -> Iterator[str]:
    gates = items(section(document.content, "rollout"), "confirm")
    for index, gate in enumerate(gates):
        if gate in gates[:index]:
            yield (
                f"{document.at('rollout', 'confirm', index)}: given {gate} a second time, "
                f"allowed is each gate once: keep one"
            )


def _freeze(document: Document) -> Iterator[str]:
    for index, window in enumerate(items(section(document.content, "rollout"), "freeze")):
        begin, until = (usable(Freeze, window, name) for name in ("begin", "until"))
        if begin is None or until is None:
            continue
        where = document.at("rollout", "freeze", index)
        given = f"{where}: given from {window['from']} until {window['until']}, allowed"
        if begin.weekly != until.weekly:
            yield f"{given} are two of one kind: write days of the week, or dates, for both"
        elif length(begin, until) <= 0:
            yield f"{given} is an end after the begin: write a later until"


def _margin(document: Document) -> Iterator[str]:
    rollout = section(document.content, "rollout")
    margin, tolerance = section(rollout, "promotion_margin"), section(rollout, "tolerance")
    for name in Margin.model_fields:
        # What is not written is never narrower than the tolerance.
        if not isinstance(margin, dict) or name not in margin:
            continue
        wide, tolerated = usable(Margin, margin, name), usable(Tolerance, tolerance or {}, name)
        if wide is not None and tolerated is not None and wide < tolerated:
            yield (
                f"{document.at('rollout', 'promotion_margin', name)}: given {percent(wide)}, "
                f"allowed is the tolerance's {percent(tolerated)} or more, since what is "
                f"tolerated may advance: raise it"
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


def _scaling(document: Document) -> Iterator[str]:
    rate = usable(Traffic, section(document.content, "traffic"), "requests_per_minute")
    for index, variant in enumerate(items(document.content, "variants")):
        scaling = section(variant, "scaling")
        least, most = usable(Scaling, scaling, "min"), usable(Scaling, scaling, "max")
        count = usable(Variant, variant, "instance_count")
        if least is None or most is None:
            continue
        if least > most:
            yield (
                f"{document.at('variants', index, 'scaling', 'max')}: given {most}, allowed is "
                f"{least}, the min, or more: raise it, or lower min"
            )
        elif count is not None and not least <= count <= most:
            yield (
                f"{document.at('variants', index, 'instance_count')}: given {count}, allowed is "
                f"{least} to {most}, between which it scales: write one of these, or change scaling"
            )
        if usable(Variant, variant, "role") == "challenger":
            yield from _last_step(document, index, most, rate)


def _last_step(document: Document, index: int, most: int, rate: float | None) -> Iterator[str]:
    """Refuse a challenger that cannot grow to what it must carry when it serves everything."""
    scaling = items(document.content, "variants")[index]["scaling"]
    load = usable(Scaling, scaling, "invocations_per_instance")
    if rate is None or load is None or most * load >= rate:
        return
    yield (
        f"{document.at('variants', index, 'scaling', 'max')}: given {most}, allowed is "
        f"{math.ceil(rate / load)} or more, which the last step, the soak at weight 100, needs "
        f"for {rate:g} requests a minute at {load:g} an instance: raise it"
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
        good = "passed" if usable(Scenario, scenario, "shadow") else "promoted"
        expected = usable(Scenario, scenario, "expect")
        if expected not in (None, "aborted", good):
            yield (
                f"{document.at('rehearsal', index, 'expect')}: given {expected}, allowed is "
                f"{good} or aborted, since a shadow run passes and a rollout promotes: write one "
                f"of these, or change shadow"
            )


def _happenings(document: Document, check: Check) -> Iterator[str]:
    plan = [*weights(document), 100]
    if None in plan:
        return
    for index, scenario in enumerate(items(document.content, "rehearsal")):
        is_shadow = usable(Scenario, scenario, "shadow")
        known = [WEIGHT] if is_shadow else [weight for weight in plan if weight is not None]
        for field in ("faults", "events"):
            for number, text in enumerate(usable(Scenario, scenario, field) or []):
                problem = check(field, text, known)
                if problem is not None:
                    yield f"{document.at('rehearsal', index, field, number)}: {problem}"
