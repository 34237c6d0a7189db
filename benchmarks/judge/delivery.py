"""When the numbers of a minute reach the judge: on time, late, never, twice, or in two parts."""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Literal

import numpy as np

from benchmarks.judge.world import HORIZON

Role = Literal["champion", "challenger"]
ROLES: tuple[Role, Role] = ("champion", "challenger")

Versions = tuple[tuple[int, bool], ...]
"""When a variant's minute arrives, as ticks after its end, and whether it is then complete."""

ON_TIME: Versions = ((0, True),)
FIRST_PART = 0.7
"""The share of requests that the first of two versions has counted."""


@dataclass(frozen=True)
class Delivery:
    """
    How each minute of each variant arrives, where that is not on time and once.

    `whole`: a minute that arrives again brings both variants along, as far as they are known;
    otherwise only the variant that is new.
    """

    odd: dict[tuple[int, Role], Versions] = field(default_factory=dict)
    whole: bool = True

    def versions(self, minute: int, role: Role) -> Versions:
        """Return how a variant's minute arrives; empty if never."""
        return self.odd.get((minute, role), ON_TIME)

    def known(self, minute: int, role: Role, now: int) -> bool | None:
        """Say whether the minute is complete at tick `now`; None if nothing arrived yet."""
        seen = [done for delay, done in self.versions(minute, role) if minute + delay <= now]
        return seen[-1] if seen else None

    def arrives(self, minute: int, role: Role, now: int) -> bool:
        """Say whether a version of the minute arrives at tick `now`."""
        return any(minute + delay == now for delay, _ in self.versions(minute, role))


def late(rng: np.random.Generator, longest: int, chance: float) -> Delivery:
    """Return a delivery in which minutes are up to `longest` ticks late, one or both variants."""
    return _each(rng, chance, lambda: ((int(rng.integers(1, longest + 1)), True),))


def missing(rng: np.random.Generator, longest: int, chance: float) -> Delivery:
    """Return a delivery that loses minutes, of one variant or of both."""
    return _each(rng, chance, lambda: ())


def duplicate(rng: np.random.Generator, longest: int, chance: float) -> Delivery:
    """Return a delivery in which minutes come twice."""
    return _each(rng, chance, lambda: ((0, True), (int(rng.integers(1, longest + 1)), True)))


def revised(rng: np.random.Generator, longest: int, chance: float) -> Delivery:
    """Return a delivery in which minutes come in part, and later whole."""
    return _each(rng, chance, lambda: ((0, False), (int(rng.integers(1, longest + 1)), True)))


KINDS = {"late": late, "missing": missing, "duplicate": duplicate, "revised": revised}


def _each(rng: np.random.Generator, chance: float, draw: Callable[[], Versions]) -> Delivery:
    odd: dict[tuple[int, Role], Versions] = {}
    for minute in np.flatnonzero(rng.random(HORIZON) < chance).tolist():
        who = rng.choice(3)
        for role in ROLES if who == 2 else (ROLES[who],):
            odd[minute, role] = draw()
    return Delivery(odd, whole=bool(rng.random() < 0.5))
