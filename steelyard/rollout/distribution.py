"""
Bound from below how far the variants' predictions are apart, valid at every look.

Beta-binomial mixture confidence sequences (Robbins 1970; Howard, Ramdas, McAuliffe and Sekhon 2021,
section on exact mixtures). Proofs in short are in docs/judge.md.
"""

import math
from collections.abc import Sequence
from itertools import accumulate

_HALVINGS = 40


def lower(k: int, n: int, alpha: float) -> float:
    """
    Return the lower end of a confidence sequence for a share of which `k` of `n` were seen.

    With probability 1 - alpha the ends of all looks, at any n, lie around the true share (both ends
    together). 0.0 where nothing was seen.
    """
    if k == 0:
        return 0.0
    # log of the mixture's likelihood with a Beta(1/2, 1/2) prior, plus the level to reach
    mixture = _log_beta(k + 0.5, n - k + 0.5) - math.log(math.pi)
    needed = mixture + math.log(alpha)
    outside, inside = 0.0, k / n
    for _ in range(_HALVINGS):
        middle = (outside + inside) / 2
        if _log_likelihood(middle, k, n) <= needed:
            outside = middle
        else:
            inside = middle
    return outside  # the end that is excluded for certain


def upper(k: int, n: int, alpha: float) -> float:
    """Return the upper end of the confidence sequence of `lower`; 1.0 where nothing was seen."""
    return 1.0 - lower(n - k, n, alpha)


def past_quantile(histogram: Sequence[int], share: float) -> int:
    """Return the first bin that lies past the quantile `share`, or the last bin if none does."""
    total, below, index = sum(histogram), 0, 0
    while index < len(histogram) - 1 and below < share * total:
        below += histogram[index]
        index += 1
    return index


def shift(challenger: Sequence[int], champion: Sequence[int], alpha: float) -> float:
    """
    Return a lower bound on the total variation between two histograms over the same bins.

    Wrong at any look with probability at most `alpha`; 0.0 where either is empty. Total variation
    is at least the sum of the single bins' gaps of one sign, and at least the gap at any cut of the
    ordered bins; a shift of everything by a little shows at a cut long before it shows in bins.
    """
    n, m = sum(challenger), sum(champion)
    if n == 0 or m == 0:
        return 0.0
    each = alpha / (2 * (2 * len(challenger) - 1))  # two variants, B bins, B - 1 cuts
    cuts, champion_cuts = tuple(accumulate(challenger)), tuple(accumulate(champion))
    return max(
        math.fsum(_gaps(challenger, champion, n, m, each)),
        math.fsum(_gaps(champion, challenger, m, n, each)),
        max(_gaps(cuts, champion_cuts, n, m, each)),
        max(_gaps(champion_cuts, cuts, m, n, each)),
    )


def _gaps(more: Sequence[int], less: Sequence[int], n: int, m: int, each: float) -> list[float]:
    """Bound from below how far each share of `more` (of n) lies above that of `less` (of m)."""
    return [
        max(0.0, lower(k, n, each) - upper(j, m, each)) if k * m > j * n else 0.0
        for k, j in zip(more, less, strict=True)
    ]


def _log_likelihood(p: float, k: int, n: int) -> float:
    return k * math.log(p) + ((n - k) * math.log1p(-p) if n > k else 0.0)


def _log_beta(a: float, b: float) -> float:
    return math.lgamma(a) + math.lgamma(b) - math.lgamma(a + b)
