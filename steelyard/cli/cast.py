"""From what somebody wants to see to what is played: challenger, faults, how it must end."""

from collections.abc import Sequence
from dataclasses import dataclass

from steelyard.cli.place import Unusable
from steelyard.rehearsal import events
from steelyard.rehearsal.events import Event
from steelyard.rehearsal.faults import Fault, parse
from steelyard.rollout.shadow import WEIGHT
from steelyard.spec import Endpoint, SpecError
from steelyard.spec.held_out import is_worse


@dataclass(frozen=True)
class Wish:
    """A rollout that somebody wants to see, before anything is known of it."""

    name: str
    challenger: str | None
    faults: Sequence[str]
    expected: str | None
    events: Sequence[str] = ()
    shadow: bool = False


@dataclass(frozen=True)
class Cast:
    """A rollout that can be synthesised and played."""

    name: str
    endpoint: Endpoint
    faults: tuple[Fault, ...]
    is_worse: bool
    expected: str
    events: tuple[Event, ...] = ()

    @property
    def weights(self) -> tuple[int, ...]:
        """The challenger's weights, step by step, the last one for the soak."""
        return _plan(self.endpoint, self.is_shadow)

    @property
    def is_shadow(self) -> bool:
        """Whether the challenger answers copies only."""
        return self.endpoint.file.shadow is not None

    @property
    def longest_seconds(self) -> float:
        """The longest that the policy lets a rollout take, and an hour for what goes around it."""
        policy = self.endpoint.trial_policy()
        undecided = policy.longest_seconds + policy.pause_seconds
        return 3600.0 + sum(undecided + step.bake_seconds for step in policy.plan())


def cast(endpoint: Endpoint, wishes: Sequence[Wish]) -> list[Cast]:
    """
    Return every wish as it is played.

    What is not said is expected: aborted with a fault, with an event that must end the rollout or
    with a challenger that is worse on the held-out rows, else promoted, or passed for a shadow run.
    Raises Unusable with every unusable challenger, fault and event.
    """
    problems: list[str] = []
    found = [_cast(endpoint, wish, problems) for wish in wishes]
    casts = [one for one in found if one is not None]
    if problems:
        raise Unusable(list(dict.fromkeys(problems)))
    return casts


def unplayable(field: str, text: str, weights: Sequence[int]) -> str | None:
    """Return what is wrong with one of the `faults` or `events`, None when it can be played."""
    try:
        (parse if field == "faults" else events.parse)(text, weights)
    except ValueError as error:
        return str(error)
    return None


def _cast(endpoint: Endpoint, wish: Wish, problems: list[str]) -> Cast | None:
    is_shadow = wish.shadow or endpoint.file.shadow is not None
    plan = _plan(endpoint, is_shadow)
    faults = _faults(plan, wish, problems)
    happening = _events(plan, wish, problems)
    try:
        ready = endpoint
        if wish.challenger is not None:
            ready = endpoint.with_challenger(wish.challenger)
        if is_shadow:
            ready = ready.with_shadow()
        worse = is_worse(ready)
    except SpecError as error:
        problems += error.problems
        return None
    expected = wish.expected
    if expected is None:
        is_ended = any(event.kind in events.ENDING for event in happening)
        good = "passed" if is_shadow else "promoted"
        expected = "aborted" if faults or worse or is_ended else good
    return Cast(wish.name, ready, faults, worse, expected, happening)


def _events(plan: Sequence[int], wish: Wish, problems: list[str]) -> tuple[Event, ...]:
    """Return the events that can be played, and note what is wrong with the others."""
    found = []
    for text in wish.events:
        try:
            found.append(events.parse(text, plan))
        except ValueError as error:
            problems.append(str(error))
    return tuple(found)


def _plan(endpoint: Endpoint, is_shadow: bool) -> tuple[int, ...]:
    """Return the weights of the steps that are played; a shadow run has one, and asks for none."""
    if is_shadow:
        return (WEIGHT,)
    return (*(step.weight for step in endpoint.file.rollout.steps), 100)


def _faults(weights: Sequence[int], wish: Wish, problems: list[str]) -> tuple[Fault, ...]:
    """Return the faults that can be played, and note what is wrong with the others."""
    found = [unplayable("faults", text, weights) for text in wish.faults]
    problems += [problem for problem in found if problem is not None]
    faults = tuple(
        parse(text, weights)
        for text, problem in zip(wish.faults, found, strict=True)
        if problem is None
    )
    kinds = [fault.kind for fault in faults]
    problems += [
        f"faults of {wish.name!r}: given {kind} {kinds.count(kind)} times, allowed is each kind "
        f"once: keep one"
        for kind in dict.fromkeys(kinds)
        if kinds.count(kind) > 1
    ]
    return faults
