"""How people name a step of a rollout: by its number, its weight, or as the soak."""

from collections.abc import Sequence


def step_of(written: str, name: str, weights: Sequence[int]) -> int:
    """
    Return the index of the step that is called `name`; `weights` are the plan's.

    `written` is what the name is part of. Raises ValueError, which begins with it, with what is
    allowed.
    """
    names = {str(weight): index for index, weight in enumerate(weights)}
    names |= {f"{weight}%": index for index, weight in enumerate(weights)}
    # A plain number is a step's number first, and a weight only where no step has that number.
    names |= {str(index + 1): index for index in range(len(weights))}
    names["soak"] = len(weights) - 1
    if name not in names:
        raise ValueError(
            f"{written}: given the step {name!r}, allowed are 1 to {len(weights)}, by weight "
            f"{', '.join(f'{weight}%' for weight in weights)}, and soak: name one of them"
        )
    return names[name]
