"""
Explain one prediction: what each feature of the record added to it, as Shapley values.

A prediction is compared with those of some training records, the background. A coalition is a set
of features; its worth is the mean score of the background records after these features took the
values of the explained record. A feature's contribution is what it adds to the worth, averaged
over every order in which features can join (Shapley 1953; Lundberg & Lee 2017, who call this the
interventional form). The model is only called, never opened, so any model can be explained.

docs/explanation.md says what is exact, what is estimated, and what it was checked against.
"""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, Protocol

import numpy as np
import numpy.typing as npt

from inference.contract.schema import Record

Floats = npt.NDArray[np.float64]
Masks = npt.NDArray[np.bool_]

RESOLUTION = 2.0**-24
"""
What a probability of 0 is taken for: the step of float32 just below 1, so log odds end at ±16.6.

onnxruntime computes a small probability as 1 - (a large one), which leaves no finer step (source:
ComputeLogistic in onnxruntime/core/providers/cpu/ml/ml_common.h).
"""
ENUMERATED = 8
"""Up to this many features every coalition is scored: 256 a background record."""
PAIRS = 2
"""Of an order and its reverse, for each background record; from two on their spread is known."""
SEED = 1953


class UnexplainedError(Exception):
    """The model gave NaN or an infinity for some mix of the record and the background."""


@dataclass(frozen=True)
class Explanation:
    """
    What made the score of one record: base + sum of contributions, in `unit`.

    `base` is the mean score of the background, `contributions` has every feature in the order of
    the table, `standard_error` is the largest one of any contribution (0 where all are exact).
    """

    unit: str
    base: float
    contributions: dict[str, float]
    standard_error: float


@dataclass(frozen=True)
class Scale:
    """The scale in which contributions add: its name, and how outputs are read in it."""

    unit: str
    read: Callable[[npt.NDArray[Any], int], Floats]


def log_odds(output: npt.NDArray[Any], label: int) -> Floats:
    """Give ln(p / (1 - p)) of a column, shape (n,), of probabilities of shape (n, classes)."""
    probabilities = output.astype(np.float64)
    # The other columns summed: 1 - p would lose what they still resolve when p is close to 1.
    others = np.delete(probabilities, label, axis=1).sum(axis=1)
    odds = np.maximum(probabilities[:, label], RESOLUTION) / np.maximum(others, RESOLUTION)
    result: Floats = np.log(odds)
    return result


def value(output: npt.NDArray[Any], label: int) -> Floats:
    """Give the predicted values themselves, shape (n,), of an output of shape (n, 1) or (n,)."""
    return output.astype(np.float64).reshape(len(output))


SCALES: Mapping[str, Scale] = {
    "binary": Scale("log odds", log_odds),
    "multiclass": Scale("log odds", log_odds),
    "regression": Scale("value", value),
}
"""By the manifest's `task`."""


class Explainer:
    """
    Explains the predictions of one model; holds no state between records, so threads may share it.

    `score` gives the model's raw output for rows, `row` makes such a row of a record, `background`
    is at least one record, `features` are the names of the feature table. The cost is one call of
    `score` with about 4 * len(background) * len(features) rows, and as many calls of `row`.
    """

    def __init__(
        self,
        scale: Scale,
        score: Callable[[list[list[float]]], npt.NDArray[Any]],
        row: Callable[[Record], list[float]],
        background: Sequence[Record],
        features: Sequence[str],
    ) -> None:
        if not background:
            raise ValueError("background has 0 records, allowed are 1 or more; pack some with it")
        self._scale, self._score, self._row, self._features = scale, score, row, features
        self._background = _values(background, features)
        small = len(features) <= ENUMERATED
        self._game: Game = (Enumeration if small else Sampling)(len(background), len(features))
        self._mixes = _distinct(self._game.coalitions)

    def explain(self, record: Record, label: int = 1) -> Explanation:
        """
        Say what each feature added to the score of a record.

        `label` is the column of the class to explain, by default the 1 of a binary model; a
        regression has none. The same record always gets the same answer. Raises UnexplainedError,
        and whatever the model or the feature code raises for a mix of records.
        """
        output = self._score(self._rows(record))
        if not np.isfinite(output).all():
            raise UnexplainedError("the model's output for a mix of records is not finite")
        worth = self._scale.read(output, label)[self._mixes.of]
        contributions, errors = self._game.shapley(worth)
        return Explanation(
            self._scale.unit,
            float(worth[:, 0].mean()),
            dict(zip(self._features, contributions.tolist(), strict=True)),
            float(errors.max()),
        )

    def _rows(self, record: Record) -> list[list[float]]:
        own, others = _values([record], self._features), self._background[self._mixes.background]
        mixed = np.where(self._mixes.coalitions, own, others).tolist()
        return [self._row(dict(zip(self._features, values, strict=True))) for values in mixed]


def _values(records: Sequence[Record], features: Sequence[str]) -> npt.NDArray[np.object_]:
    values = [[record[name] for name in features] for record in records]
    # Objects: numpy's own types would turn whole numbers, texts and nulls into something else.
    return np.array(values, dtype=object)


class Mixes(NamedTuple):
    """
    What to score, each mix of the record and a background record once.

    `background` (mixes,) and `coalitions` (mixes, features) say what to mix, `of` (background,
    coalitions) which mix a coalition of the game is.
    """

    background: npt.NDArray[np.intp]
    coalitions: Masks
    of: npt.NDArray[np.intp]


def _distinct(coalitions: Masks) -> Mixes:
    # Orders share coalitions: all begin with none and end with all. With every feature taken from
    # the record, it no longer matters which background record it was mixed with.
    count, size, _ = coalitions.shape
    background = np.arange(count).repeat(size).reshape(count, size, 1)
    background = np.where(coalitions.all(axis=2, keepdims=True), 0, background)
    keys = np.concatenate([background, coalitions], axis=2).reshape(count * size, -1)
    mixes, of = np.unique(keys, axis=0, return_inverse=True)
    return Mixes(mixes[:, 0], mixes[:, 1:].astype(bool), of.reshape(count, size))


class Game(Protocol):
    """
    Which coalitions to score, and how their worth becomes contributions.

    `coalitions` has shape (background, coalitions, features); the first of each background record
    is the empty one.
    """

    coalitions: Masks

    def shapley(self, worth: Floats) -> tuple[Floats, Floats]:
        """Give contributions and standard errors, (features,) each, of (background, coalitions)."""


class Enumeration:
    """Scores every coalition: Shapley's own formula, exact for every model."""

    def __init__(self, background: int, features: int) -> None:
        numbers = np.arange(2**features)[:, np.newaxis]
        members = (numbers >> np.arange(features) & 1).astype(bool)
        self.coalitions = np.broadcast_to(members, (background, *members.shape))
        sizes = members.sum(axis=1, keepdims=True)
        # By how many they are: the share of orders in which just these precede a given other one.
        shares = [1 / (features * math.comb(features - 1, size)) for size in range(features)]
        weights = np.array([*shares, 0.0])  # none is left to join the full coalition
        self._weights = np.where(members, weights[sizes - 1], -weights[sizes])

    def shapley(self, worth: Floats) -> tuple[Floats, Floats]:
        """Give the contributions, with standard errors of 0."""
        contributions = worth.mean(axis=0) @ self._weights
        return contributions, np.zeros_like(contributions)


class Sampling:
    """
    Scores the coalitions along random orders, each paired with its reverse.

    A pair is exact when no more than two features interact at a time: an interaction of two goes
    to the later of them, so to each of them once. Otherwise the answer is unbiased over the draw
    of orders (Castro, Gomez & Tejada 2009; pairs: Mitchell, Cooper, Frank & Holmes 2022).
    """

    def __init__(self, background: int, features: int) -> None:
        # Old, but numpy promises equal numbers in every release for this generator alone (NEP 19).
        draw = np.random.RandomState(SEED).random_sample((background, PAIRS, features))
        place = draw.argsort(axis=-1)
        self._place = np.stack([place, features - 1 - place], axis=2)
        joined = np.arange(features + 1)[:, np.newaxis]
        walks = self._place[..., np.newaxis, :] < joined
        self.coalitions = walks.reshape(background, -1, features)

    def shapley(self, worth: Floats) -> tuple[Floats, Floats]:
        """Give the contributions, and standard errors from the spread of pairs."""
        steps = np.diff(worth.reshape(*self._place.shape[:3], -1))
        pairs = np.take_along_axis(steps, self._place, axis=-1).mean(axis=2)
        # The background is given, not drawn: only the spread within one record of it counts.
        variances = pairs.var(axis=1, ddof=1) / PAIRS
        return pairs.mean(axis=(0, 1)), np.sqrt(variances.sum(axis=0)) / len(pairs)
