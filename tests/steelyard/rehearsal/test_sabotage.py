"""What the runs of a sabotaged model give."""

import random
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from steelyard.rehearsal.sabotage import Chance, Sabotage

ROWS = [bytes([row]) for row in range(40)]


def fates(chance: Chance, sent: list[bytes]) -> list[tuple[bytes, bool]]:
    return sorted((row, chance.strikes([row])) for row in sent)


def fates_in_runs(chance: Chance, sent: list[bytes], runs: list[int]) -> list[tuple[bytes, bool]]:
    """Score rows as the container does: together, and one by one when the run failed."""
    fared: list[tuple[bytes, bool]] = []
    for size in runs:
        together, sent = sent[:size], sent[size:]
        if len(together) > 1 and not chance.strikes(together):
            fared += [(row, False) for row in together]
        else:
            fared += fates(chance, together)
    return sorted(fared + fates(chance, sent))


@given(st.randoms(use_true_random=False))
def test_the_order_of_the_requests_does_not_change_how_each_row_fares(order: random.Random) -> None:
    requests = ROWS * 3
    shuffled = list(requests)
    order.shuffle(shuffled)

    assert fates(Chance(0.3), requests) == fates(Chance(0.3), shuffled)


@given(st.lists(st.sampled_from(ROWS[:5]), max_size=60), st.lists(st.integers(1, 8), max_size=20))
def test_rows_that_share_a_run_fare_as_they_would_alone(sent: list[bytes], runs: list[int]) -> None:
    assert fates_in_runs(Chance(0.1), sent, runs) == fates(Chance(0.1), sent)


def test_about_the_given_share_fails_and_not_always_the_same_rows() -> None:
    chance = Chance(0.2)
    rounds = [[chance.strikes([row]) for row in ROWS] for _ in range(100)]

    share = sum(map(sum, rounds)) / 4000

    assert abs(share - 0.2) < 0.03
    assert len({tuple(fates) for fates in rounds}) > 90


def test_a_share_of_one_fails_everything() -> None:
    chance = Chance(1.0)

    assert all(chance.strikes([row]) for row in ROWS)
    assert chance.strikes(ROWS)


def doubled(_session: Any, _names: Any, tensors: dict[str, Any]) -> list[Any]:
    """A model of two outputs: a label a row, and two scores."""
    rows = tensors["x"]
    return [rows[:, 0], 2 * rows]


def warmed(*orders: str) -> Sabotage:
    """A model that was warmed with a row of sevens before it got its orders."""
    sabotage = Sabotage(doubled)
    answered(sabotage, 7.0)
    sabotage.obey("".join(f"{order}\n" for order in orders))
    return sabotage


def answered(sabotage: Sabotage, *values: float) -> list[Any]:
    rows = np.array([[value, value] for value in values], np.float32)
    return [output.tolist() for output in sabotage.run(None, ["label", "score"], {"x": rows})]


def test_a_model_without_orders_answers_as_ever() -> None:
    assert answered(warmed(), 1.0, 2.0) == [[1.0, 2.0], [[2.0, 2.0], [4.0, 4.0]]]


def test_a_constant_model_gives_each_row_the_answer_to_the_first_row_of_all() -> None:
    sabotage = warmed("constant-output 1.0")

    assert answered(sabotage, 1.0) == [[7.0], [[14.0, 14.0]]]
    assert answered(sabotage, 2.0, 3.0) == [[7.0, 7.0], [[14.0, 14.0], [14.0, 14.0]]]


def test_a_model_that_is_to_fail_raises_also_where_its_answers_are_constant() -> None:
    with pytest.raises(RuntimeError, match="made this run fail"):
        answered(warmed("constant-output 1.0", "errors 1.0"), 1.0)
