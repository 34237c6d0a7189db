"""
Compare what was measured: medians over the rounds, ratios to FastAPI in the same round, targets.

Ratios and medians are the result. Absolute numbers belong to one machine at one hour.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from statistics import median
from typing import Literal

from benchmarks.serving.measure import Round, Start
from benchmarks.serving.servers import BASE, OURS

UNITS = {
    "rate": "requests/s",
    "per_cpu_second": "requests per CPU second",
    "cpu_us": "CPU µs a request",
    "p50_ms": "p50 ms",
    "p99_ms": "p99 ms",
    "first_prediction_seconds": "first prediction, s",
    "memory_mb": "memory (PSS), MB",
    "lines_per_request": "log lines a request",
}
"""Every quantity, by the first part of its name; the second is the number of connections."""


@dataclass(frozen=True)
class Spread:
    """A quantity over all rounds."""

    median: float
    low: float
    high: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread":
        """Summarise one value a round."""
        return cls(median(values), min(values), max(values))


@dataclass(frozen=True)
class Target:
    """What ours is asked for: its quantity as a multiple of FastAPI's."""

    quantity: str
    bound: Literal["at least", "at most"]
    limit: float

    def is_met(self, ratio: Spread) -> bool:
        """Whether the median of the ratios is within the limit."""
        if self.bound == "at least":
            return ratio.median >= self.limit
        return ratio.median <= self.limit


TARGETS = (
    *(Target(f"{name} 64", "at least", 5) for name in ("rate", "per_cpu_second")),
    *(Target(f"{name} 8", "at least", 3) for name in ("rate", "per_cpu_second")),
    *(Target(f"{name} 1", "at least", 1.6) for name in ("rate", "per_cpu_second")),
    Target("p99_ms 64", "at most", 0.05),
    Target("first_prediction_seconds", "at most", 0.7),
    Target("memory_mb", "at most", 1.2),
)

Spreads = Mapping[str, Mapping[str, Spread]]
"""By server, then by quantity."""


def medians(rounds: Sequence[Round]) -> Spreads:
    """Summarise each quantity of each server."""
    return {
        server: {
            name: Spread.of([quantities(it[server])[name] for it in rounds])
            for name in quantities(rounds[0][server])
        }
        for server in rounds[0]
    }


def ratios(rounds: Sequence[Round]) -> Spreads:
    """Divide each quantity by that of FastAPI in the same round, then summarise."""
    return {
        server: {
            name: Spread.of(
                [quantities(it[server])[name] / quantities(it[BASE])[name] for it in rounds]
            )
            for name in quantities(rounds[0][server])
        }
        for server in rounds[0]
    }


def verdicts(found: Spreads) -> dict[Target, bool | None]:
    """Say of each target whether ours met it; None where it was not measured."""
    ours = found[OURS]
    return {
        target: target.is_met(ours[target.quantity]) if target.quantity in ours else None
        for target in TARGETS
    }


def quantities(start: Start) -> dict[str, float]:
    """Name every quantity of one start, those under load with the number of connections."""
    found: dict[str, float] = {}
    for connections, load in start.loads.items():
        values = asdict(load) | {"per_cpu_second": 1e6 / load.cpu_us}
        found |= {f"{name} {connections}": value for name, value in values.items()}
    whole = ("first_prediction_seconds", "memory_mb", "lines_per_request")
    return found | {name: getattr(start, name) for name in whole}
