"""Which runs of a sabotaged model fail."""

import random

from hypothesis import given
from hypothesis import strategies as st

from steelyard.rehearsal.sabotage import Chance

ROWS = [bytes([row]) for row in range(40)]


@given(st.randoms(use_true_random=False))
def test_the_order_of_the_requests_does_not_change_how_each_row_fares(order: random.Random) -> None:
    requests = ROWS * 3
    shuffled = list(requests)
    order.shuffle(shuffled)

    def fates(sent: list[bytes]) -> list[tuple[bytes, bool]]:
        chance = Chance(0.3)
        return sorted((row, chance.strikes(row)) for row in sent)

    assert fates(requests) == fates(shuffled)


def test_about_the_given_share_fails_and_not_always_the_same_rows() -> None:
    chance = Chance(0.2)
    rounds = [[chance.strikes(row) for row in ROWS] for _ in range(100)]

    share = sum(map(sum, rounds)) / 4000

    assert abs(share - 0.2) < 0.03
    assert len({tuple(fates) for fates in rounds}) > 90


def test_a_share_of_one_fails_everything() -> None:
    chance = Chance(1.0)

    assert all(chance.strikes(row) for row in ROWS)
