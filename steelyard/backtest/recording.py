"""What was recorded of a rollout, whatever it was read from."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from steelyard.rollout.counters import Point


class Unreadable(ValueError):
    """A recording cannot be used; `problems` says every reason found."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Sample:
    """
    One recorded epoch minute.

    A variant without data is None. `weight` is the challenger's of 100, None where the source does
    not say it; 0 before the rollout and after an abort.
    """

    minute: int
    champion: Point | None
    challenger: Point | None
    weight: int | None = None


@dataclass(frozen=True)
class Recording:
    """
    All that was recorded.

    samples: in order of time, a minute once; in_force: since when (epoch seconds) a weight was in
    force, as far as the source knows; ending: how the source says that it ended, empty where it
    does not.
    """

    samples: tuple[Sample, ...]
    in_force: Mapping[int, float] = field(default_factory=dict)
    ending: str = ""

    def check(self, latency_bins: int) -> None:
        """Raise Unreadable unless all histograms of a kind have the same number of bins."""
        problems = []
        points = [
            point
            for sample in self.samples
            for point in (sample.champion, sample.challenger)
            if point is not None
        ]
        for name in ("score", "conf", "lat"):
            found = {len(getattr(point, name)) for point in points} - {0}
            allowed = {latency_bins} if name == "lat" else set(sorted(found)[:1])
            if found - allowed:
                problems.append(
                    f"{name}: given histograms of {', '.join(map(str, sorted(found)))} bins, "
                    f"allowed is {', '.join(map(str, allowed))}: count all minutes in the same bins"
                )
        if problems:
            raise Unreadable(problems)
