"""Held-out rows, sent as requests at a steady rate of virtual time."""

import json
import random
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from steelyard.rehearsal.router import Answer, Router

# Requests under way at a time: enough to keep two cores busy, few enough for a small container.
CONCURRENCY = 4


class Traffic:
    """
    Seeded requests, each a held-out row drawn at random.

    `bodies` are JSON; `per_minute` is the rate that is played.
    """

    def __init__(self, bodies: Sequence[bytes], per_minute: float, seed: int) -> None:
        self.per_minute = per_minute
        self._bodies = bodies
        self._random = random.Random(seed)
        self._owed = 0.0
        self._pool = ThreadPoolExecutor(CONCURRENCY, thread_name_prefix="traffic")

    def play(self, router: Router, seconds: float) -> list[Answer]:
        """Send what arrives in so many virtual seconds, and return every answer."""
        self._owed += self.per_minute * seconds / 60
        count = int(self._owed)
        self._owed -= count
        # Chosen here, in order, so that threads cannot change who gets what.
        requests = [(router.choose(), self._random.choice(self._bodies)) for _ in range(count)]
        answers = list(self._pool.map(lambda request: router.send(*request), requests))
        for answer in answers:
            router.record(answer)
        return answers

    def close(self) -> None:
        """Let the threads end."""
        self._pool.shutdown()


def bodies(records: Sequence[dict[str, Any]]) -> list[bytes]:
    """Return records as request bodies."""
    return [json.dumps(record).encode() for record in records]
