"""Compute integer weights in one place: the challenger's is chosen, the champion's follows."""

from collections.abc import Iterable

WHOLE = 100


def weights(
    champion: str, challenger: str, weight: int, others: Iterable[str] = ()
) -> dict[str, int]:
    """
    Give the challenger `weight` of 100, the champion the rest and every other variant 0.

    `others` may be all variants of the endpoint: the two named here keep their own weight.
    Raises ValueError with every problem found.
    """
    problems = []
    if champion == challenger:
        problems.append(f"champion and challenger are both '{champion}': name two variants")
    if weight not in range(WHOLE + 1):
        problems.append(f"weight {weight} is outside 0..{WHOLE}: choose an integer in that range")
    if problems:
        raise ValueError("; ".join(problems))
    return {**dict.fromkeys(others, 0), champion: WHOLE - weight, challenger: weight}


def home(champion: str, others: Iterable[str]) -> dict[str, int]:
    """Give the champion everything and every other variant 0; `others` may include it."""
    return {**dict.fromkeys(others, 0), champion: WHOLE}
