"""
Weigh evidence that the challenger fails more often than the policy tolerates.

A two-sample e-process for the null p_challenger <= rho * p_champion + delta. Its proof, and why it
may be looked at every minute, is in docs/judge.md; the engine follows Ville's inequality (1939) and
the mixture method of Robbins (1970).
"""

import math
from typing import NamedTuple

THETAS = (1.5, 2.0, 3.0, 5.0, 10.0, 30.0, 100.0)
"""Effects tried at once: how many times the tolerated rate the challenger fails."""

MICRO = 1_000_000
"""Log-wealth is kept as an integer of millionths of a nat."""

HALF_LIFE = 120
"""Minutes after which half of the mass for later faults is spent."""


class Trials(NamedTuple):
    """One variant's minute: requests answered and how many of them failed."""

    n: int
    x: int


def log_e(theta: float, challenger: Trials, champion: Trials, rho: float, delta: float) -> float:
    """
    Return the log e-value (nats) of one minute for effect `theta` above 1.

    Its exponential has mean at most 1 whenever p_challenger <= rho * p_champion + delta. It is 0
    where either variant had no request.
    """
    weighted = rho * challenger.n
    if weighted == 0 or champion.n == 0:
        return 0.0
    shrink = (weighted + champion.n) / (theta * weighted + champion.n)
    growth = theta * shrink
    return (
        challenger.x * math.log(growth)
        + champion.x * math.log(shrink)
        - challenger.n * delta * (growth - 1)
    )


def restart_mass(index: int) -> float:
    """
    Return the share of the stake put on a fault that begins at informative minute `index`.

    H / ((i + H)(i + H + 1)) / 2 telescopes to 1/2 over all i: nearly even over the first hours,
    never used up however long the rollout. The other half is staked at the start.
    """
    return HALF_LIFE / ((index + HALF_LIFE) * (index + HALF_LIFE + 1)) / 2


def start() -> tuple[int, ...]:
    """Return the log-wealth before any minute, one per effect, half of the stake in all."""
    return tuple(_floor(math.log(0.5 / len(THETAS))) for _ in THETAS)


def update(
    wealth: tuple[int, ...],
    index: int,
    challenger: Trials,
    champion: Trials,
    rho: float,
    delta: float,
) -> tuple[int, ...]:
    """Return the wealth after one minute: W <- e * (W + restart mass), for each effect."""
    stake = math.log(restart_mass(index) / len(THETAS))
    return tuple(
        _floor(log_sum((log / MICRO, stake)) + log_e(theta, challenger, champion, rho, delta))
        for log, theta in zip(wealth, THETAS, strict=True)
    )


def log_total(wealth: tuple[int, ...]) -> float:
    """Return the log (nats) of the evidence: the wealth of all effects together."""
    return log_sum(tuple(log / MICRO for log in wealth))


def log_sum(logs: tuple[float, ...]) -> float:
    """Return log(sum(exp(log))) without overflow."""
    top = max(logs)
    return top + math.log(sum(math.exp(log - top) for log in logs))


def _floor(log: float) -> int:
    # Down, never to the nearest: the stored wealth is at most the true one, so its mean stays at
    # most 1 and the guarantee survives the rounding.
    return math.floor(log * MICRO)
