"""One rollout to be judged."""

import zlib
from dataclasses import dataclass
from typing import Any

from benchmarks.judge.delivery import Delivery
from benchmarks.judge.world import World


@dataclass(frozen=True, eq=False)
class Case:
    """One rollout to be judged: what a judge is told (`spec`), and all that it is not."""

    family: str
    scenario: str
    level: str
    seed: tuple[int, ...]
    spec: dict[str, Any]
    world: World
    delivery: Delivery

    @property
    def id(self) -> str:
        """Return a name that says nothing about the case."""
        return f"r{zlib.crc32(repr(self.seed).encode()):08x}"

    @property
    def steps(self) -> list[float]:
        """Return the challenger's weights, step by step."""
        steps: list[float] = self.spec["steps"]
        return steps

    @property
    def edges(self) -> tuple[float, ...]:
        """Return the edges of the latency bins, in us."""
        return tuple(self.spec["latency_edges_us"])
