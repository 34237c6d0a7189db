"""
Weigh one minute's counts, and gather the weights over minutes.

Every e-value here compares the variants within one minute and has mean at most 1 while the
challenger is tolerated, whatever the champion does in that minute. docs/judge.md has the proofs:
reverse information projections in closed form (Turner, Ly and Grünwald 2024; for a tolerance of
total variation Huber 1965), mixtures over effects and onsets (Robbins 1970; Shin, Ramdas and
Rinaldo 2024), Ville's inequality (1939).
"""

import math
from collections.abc import Sequence
from typing import NamedTuple

MICRO = 1_000_000
"""Log-wealth is kept as an integer of millionths of a nat."""

Wealth = tuple[int, ...]

MOST = 0.98
"""How much of a champion's success a failure of the champion lacks at most."""

KEPT = 0.8
"""How much of the recent evidence the next minute builds on."""


class Trials(NamedTuple):
    """One variant's minute: requests answered and how many of them failed (or are expected to)."""

    n: int
    x: float


class Effect(NamedTuple):
    """
    What is wrong with a challenger.

    failing: how many times as much its failures count as its successes, above 1; succeeding: how
    many times as much these count as the champion's, at most 1.
    """

    failing: float
    succeeding: float


def log_rates(
    effect: Effect, challenger: Trials, champion: Trials, rho: float, delta: float
) -> float:
    """
    Return the log e-value (nats) of failures against p_challenger <= rho * p_champion + delta.

    It is 0 where either variant had no request.
    """
    n_c, n_0 = challenger.n, champion.n
    if n_c == 0 or n_0 == 0:
        return 0.0
    # Less of what would make a failure of the champion count for nothing or less.
    lead = min(effect.failing - 1, MOST * n_0 / (rho * n_c * effect.succeeding))
    champion_ok = (n_c + n_0) / (n_0 + n_c * effect.succeeding * (1 + delta * lead))
    challenger_ok = effect.succeeding * champion_ok
    # So much that, along p_challenger = rho p_champion + delta, the champion's rate drops out.
    champion_fails = champion_ok - rho * n_c / n_0 * challenger_ok * lead
    return (
        challenger.x * math.log(challenger_ok * (1 + lead))
        + (n_c - challenger.x) * math.log(challenger_ok)
        + champion.x * math.log(champion_fails)
        + (n_0 - champion.x) * math.log(champion_ok)
    )


def log_shares(
    ratios: Sequence[float], challenger: Sequence[int], champion: Sequence[int], distance: float
) -> float:
    """
    Return the log e-value (nats) of histograms against a total variation of at most `distance`.

    `ratios` says for each bin how many times the champion's share the challenger's is; fixed before
    the minute. It is 0 where either histogram is empty.
    """
    n_c, n_0 = sum(challenger), sum(champion)
    if n_c == 0 or n_0 == 0:
        return 0.0
    n = n_c + n_0
    scale = [n / (ratio * n_c + n_0) for ratio in ratios]
    log = math.fsum(
        x_c * math.log(ratio * b) + x_0 * math.log(b)
        for ratio, b, x_c, x_0 in zip(ratios, scale, challenger, champion, strict=True)
    )
    most, least = max(ratios), min(ratios)
    # Of the tolerated pairs, the best for the e-value shares all but `distance` of its mass.
    reach = n_c / n * most * n / (most * n_c + n_0) + n_0 / n * n / (least * n_c + n_0) - 1
    return log - n * math.log1p(distance * max(0.0, reach))


def log_order(
    ratios: Sequence[float],
    slowed: Sequence[Sequence[tuple[int, float]]],
    challenger: Sequence[int],
    champion: Sequence[int],
) -> float:
    """
    Return the log e-value (nats) of latencies against "no slower than the champion slowed down".

    `ratios`, which must not fall, says for each bin how many times the share of the slowed champion
    the challenger's is; `slowed[i]` over which bins (index, share) the champion's bin i spreads
    when it is slowed as far as is tolerated. It is 0 where either histogram is empty.
    """
    n_c, n_0 = sum(challenger), sum(champion)
    if n_c == 0 or n_0 == 0:
        return 0.0
    n = n_c + n_0
    gains = [ratio * n / (ratio * n_c + n_0) for ratio in ratios]
    log = 0.0
    for gain, spread, x_c, x_0 in zip(gains, slowed, challenger, champion, strict=True):
        if x_c:
            log += x_c * math.log(gain)
        if x_0:
            mean = sum(share * gains[index] for index, share in spread)
            log += x_0 * math.log((n - n_c * mean) / n_0)
    return log


def start(stakes: Sequence[float]) -> Wealth:
    """Return the log-wealth before any minute: what is staked on each effect, at most 1 in all."""
    return tuple(_floor(math.log(stake)) for stake in stakes)


def update(wealth: Wealth, stakes: Sequence[float], logs: Sequence[float]) -> Wealth:
    """
    Return the wealth after one minute: W <- e * (W + stake), for each effect.

    `stakes` is what is put on a fault that begins in this minute, `logs` the log e-values.
    """
    return tuple(
        _floor(log_sum((old / MICRO, math.log(stake))) + log)
        for old, stake, log in zip(wealth, stakes, logs, strict=True)
    )


def recent(wealth: Wealth | None, stakes: Sequence[float], logs: Sequence[float]) -> Wealth:
    """
    Return the evidence of the last minutes: V <- e * (KEPT V + (1 - KEPT) stake), for each effect.

    In all, its mean is at most 1 in every minute while the challenger is tolerated.
    """
    before = wealth or start(stakes)
    return tuple(
        _floor(log_sum((old / MICRO + math.log(KEPT), math.log((1 - KEPT) * stake))) + log)
        for old, stake, log in zip(before, stakes, logs, strict=True)
    )


def capped(wealth: Wealth, before: Wealth, stakes: Sequence[float], limit: float) -> Wealth:
    """
    Return the wealth, lowered to about `limit` (nats) above what it was or the stake, if more.

    Each effect keeps what is within half that limit of its own, or its part of what is within that
    of all: so neither does one effect crowd out the others, nor do many hold back the one that
    fits. In all it is at most three times what the limit says.
    """
    excess = log_total(wealth) - max(log_total(before), math.log(sum(stakes))) - limit
    if excess <= 0:
        return wealth
    return tuple(
        min(log, _floor(max(max(old / MICRO, math.log(stake)) + limit / 2, log / MICRO - excess)))
        for log, old, stake in zip(wealth, before, stakes, strict=True)
    )


def log_total(wealth: Wealth) -> float:
    """Return the log (nats) of the evidence: the wealth of all effects together."""
    return log_sum(tuple(log / MICRO for log in wealth))


def log_sum(logs: Sequence[float]) -> float:
    """Return log(sum(exp(log))) without overflow."""
    top = max(logs)
    return top + math.log(math.fsum(math.exp(log - top) for log in logs))


def _floor(log: float) -> int:
    # Down, never to the nearest: the stored wealth is at most the true one, so its mean stays at
    # most 1 and the guarantee survives the rounding.
    return math.floor(log * MICRO)
