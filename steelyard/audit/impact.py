"""What a rollout cost the callers, from its records: requests, bad ones by channel, seconds."""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from steelyard.audit.reading import policy_of
from steelyard.rollout.counters import Measurement, Point
from steelyard.rollout.hold import SUSPICIOUS
from steelyard.rollout.ledger import Record

SLOW = 0.9
"""What is slower than this share of the champion's answers counts as a slow answer."""

HOME = "weights are home"
"""What the record says by which the champion's weights were first seen in force again."""

Outcome = Literal["promoted", "passed", "aborted", "in progress"]


@dataclass(frozen=True)
class Harm:
    """Of `of` requests or predictions of the challenger, `bad` were; `usual` is the share due."""

    channel: str
    bad: int
    of: int
    usual: float

    @property
    def excess(self) -> int:
        """How many more were bad than the champion's share would have been."""
        return max(0, round(self.bad - self.usual * self.of))


@dataclass(frozen=True)
class Impact:
    """
    What the challenger did to callers; every moment in epoch seconds, None where not known.

    requests: that it got in all measured minutes; bad_since: begin of the minute from which on the
    evidence against it only rose; harms: counted since then, else in all minutes; stopped: when
    weight 0 was first asked for; home: when that was seen in force; unmeasured: requests, at the
    rate of the last measured minute, between that one and home.
    """

    outcome: Outcome
    requests: int
    bad_since: float | None
    harms: tuple[Harm, ...]
    stopped: float | None
    home: float | None
    unmeasured: int

    @property
    def seconds(self) -> float | None:
        """How long callers were harmed: from the first bad minute's begin to weight 0."""
        if self.bad_since is None or self.home is None:
            return None
        return self.home - self.bad_since


def impact(records: Sequence[Record]) -> Impact:
    """Return what a rollout cost; raises Unreadable without its first record."""
    policy = policy_of(records)
    stopped, home = _homeward(records)
    found = outcome(records)
    bad_since = _bad_since(records) if found == "aborted" else None
    measured = [Measurement.from_dict(r.body) for r in records if r.kind == "measured"]
    counted = [it for it in measured if 60 * it.minute >= (bad_since or 0)]
    pairs = [(it.champion, it.challenger) for it in counted if it.challenger is not None]
    expected = {"score": policy.expected.score, "confidence": policy.expected.confidence}
    return Impact(
        outcome=found,
        requests=sum(it.challenger.n for it in measured if it.challenger is not None),
        bad_since=bad_since,
        harms=tuple(
            _harms([c for c, _ in pairs if c is not None], [c for _, c in pairs], expected)
        ),
        stopped=stopped,
        home=home,
        unmeasured=_unmeasured(measured, home),
    )


def outcome(records: Sequence[Record]) -> Outcome:
    """Return how a rollout ended, or that it is under way, as its newest telling act says."""
    for record in reversed(records):
        after = record.body.get("after", {}).get("phase")
        if after in ("promoted", "aborted"):  # a person's repair
            return "promoted" if after == "promoted" else "aborted"
        if record.kind == "acted" and record.actor == "release":
            return "passed" if record.body.get("phase") == "passed" else "promoted"
        if _brings_home(record):
            return "aborted"
    return "in progress"


def _brings_home(record: Record) -> bool:
    """Say whether rollback Lambda or watchdog took traffic home; the latter ends holds, too."""
    is_theirs = record.kind == "acted" and record.actor in ("rollback", "watchdog")
    return is_theirs and record.body.get("done") != "resume"


def _homeward(records: Sequence[Record]) -> tuple[float | None, float | None]:
    """Return when weight 0 was first asked for, and when it was first seen in force."""
    acts = [record for record in records if _brings_home(record) and record.step >= 0]
    seen = [record for record in acts if HOME in (record.reason, record.body.get("done"))]
    return acts[0].at if acts else None, seen[0].at if seen else None


def _bad_since(records: Sequence[Record]) -> float | None:
    """
    Return when the first minute began from which on the evidence rose until the end.

    That is the change point of a cumulative sum: where it was least, counting off half of its mean
    rise since then for each look, lest small rises by chance before the fault count as its begin.
    """
    first, logs = _looks(records)
    if logs[-1] <= math.log(SUSPICIOUS):
        return None
    least = min(range(len(logs)), key=lambda look: logs[look])
    drift = (logs[-1] - logs[least]) / (2 * (len(logs) - 1 - least))
    change = min(range(least, len(logs) - 1), key=lambda look: logs[look] - drift * look)
    return 60.0 * first[change]


def _looks(records: Sequence[Record]) -> tuple[list[int], list[float]]:
    """Return the first minute of each look at the evidence, and its log before and after each."""
    first: list[int] = []
    pending: list[int] = []
    logs = [0.0]
    for record in records:
        if record.kind == "measured" and record.body["challenger"] is not None:
            pending.append(record.body["minute"])
        evidence = record.body["evidence"]["together"] if record.kind == "decided" else 0.0
        # Without any evidence no minute could be compared yet: the next look has these, too.
        if pending and evidence > 0:
            first.append(pending[0])
            logs.append(math.log(evidence))
            pending = []
    return first, logs


def _harms(
    champion: Sequence[Point], challenger: Sequence[Point], expected: dict[str, float]
) -> Iterator[Harm]:
    counts: dict[str, Callable[[Point], int]] = {
        "errors": lambda point: point.em,
        "client errors": lambda point: point.e4,
    }
    ours, theirs = (sum(point.n for point in points) for points in (challenger, champion))
    for channel, count in counts.items():
        bad, usual = (sum(map(count, points)) for points in (challenger, champion))
        yield Harm(channel, bad, ours, usual / max(1, theirs))
    yield from _slow(_summed(champion, "lat"), _summed(challenger, "lat"))
    for channel, name in (("score", "score"), ("confidence", "conf")):
        yield from _shifted(
            channel, _summed(champion, name), _summed(challenger, name), expected[channel]
        )


def _slow(theirs: Sequence[int], ours: Sequence[int]) -> Iterator[Harm]:
    cut, below = 0, 0
    while cut < len(theirs) and below < SLOW * sum(theirs):
        below, cut = below + theirs[cut], cut + 1
    if sum(ours) and sum(theirs):
        usual = sum(theirs[cut:]) / sum(theirs)
        yield Harm("slow answers", sum(ours[cut:]), sum(ours), usual)


def _shifted(
    channel: str, theirs: Sequence[int], ours: Sequence[int], expected: float
) -> Iterator[Harm]:
    """Yield how many predictions had to be others for the histograms to be alike."""
    n, m = sum(ours), sum(theirs)
    if n and m:
        distance = sum(abs(a / n - b / m) for a, b in zip(ours, theirs, strict=True)) / 2
        yield Harm(f"other {channel}", round(distance * n), n, expected)


def _summed(points: Sequence[Point], name: str) -> tuple[int, ...]:
    histograms = [getattr(point, name) for point in points if getattr(point, name)]
    return tuple(map(sum, zip(*histograms, strict=True)))


def _unmeasured(measured: Sequence[Measurement], home: float | None) -> int:
    if not measured or home is None or measured[-1].challenger is None:
        return 0
    seconds = max(0.0, home - 60 * (measured[-1].minute + 1))
    return round(measured[-1].challenger.n * seconds / 60)
