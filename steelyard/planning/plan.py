"""Play the judge on imagined traffic, and count what it sees, when, and at what cost."""

import multiprocessing
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, replace
from typing import TypeVar

from steelyard.planning import soak, trial
from steelyard.planning.faults import ladders
from steelyard.planning.sight import Setting, Sight, judged, rung
from steelyard.planning.traffic import HEALTHY, Fault, Traffic
from steelyard.planning.trial import Stretch

UNLIKELY = 0.5
"""No smaller size of a fault is played in a step that sees this one less often."""

Note = Callable[[int, int], None]
"""Is told how many parts of the plan are done, and of how many."""

Journeys = tuple[tuple[Stretch, ...], ...]
T = TypeVar("T")
R = TypeVar("R")


@dataclass(frozen=True)
class Healthy:
    """
    What became of a challenger without a fault.

    runs: how many were played; promoted, aborted and paused: how many ended so; stopped: in which
    steps the paused ones wait; seconds: how long the promoted ones took, rising.
    """

    runs: int
    promoted: int
    aborted: int
    paused: int
    stopped: tuple[int, ...]
    seconds: tuple[int, ...]

    def quantile(self, share: float) -> int | None:
        """Return after how long that share of the promoted ones were so, None where none was."""
        return self.seconds[int(share * len(self.seconds))] if self.seconds else None


@dataclass(frozen=True)
class Plan:
    """
    What was found: without a fault, without one while errors come in bursts, and with each fault.

    `sights` go by fault, then by step; the soak's and that of all steps together come last.
    """

    healthy: Healthy
    bursts: Healthy
    sights: tuple[Sight, ...]


@dataclass(frozen=True)
class _Rollouts:
    """A few of the rollouts without a fault, which one process plays."""

    setting: Setting
    runs: range


@dataclass(frozen=True)
class _Ladder:
    """A channel's faults, the largest first, that begin with a step as each of `starts` did."""

    setting: Setting
    faults: tuple[Fault, ...]
    step: int
    starts: tuple[Stretch, ...]


def make(setting: Setting, note: Note, workers: int = 1) -> Plan:
    """Return the plan that a setting gives, however many processes play it."""
    bursty = replace(setting, expected=replace(setting.expected, has_bursts=True))
    shares = [range(part, setting.runs, 2) for part in range(min(2, setting.runs))]
    first = [_Rollouts(it, runs) for it in (setting, bursty) for runs in shares]
    count = len(first) + len(_faults(setting)) * len(setting.policy.steps)
    with _pool(workers) as pool:
        played = _each(pool, _journeys, first, lambda done: note(done, count))
        half = len(shares)
        journeys, troubled = sum(played[:half], ()), sum(played[half:], ())
        found = _each(
            pool,
            _climb,
            list(_parts(setting, journeys)),
            lambda done: note(len(first) + done, count),
        )
    sights = [*(sight for part in found for sight in part), *_soaks(setting)]
    last = len(setting.policy.steps)
    return Plan(_healthy(journeys, last), _healthy(troubled, last), _sorted(setting, sights))


def _faults(setting: Setting) -> tuple[tuple[Fault, ...], ...]:
    return tuple(ladders(setting.policy, setting.expected).values())


def _pool(workers: int) -> AbstractContextManager[Executor | None]:
    if workers == 1:
        return nullcontext()
    # Spawned, since a fork would copy the threads of whoever shows the progress.
    return ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"))


def _each(
    pool: Executor | None, play: Callable[[T], R], parts: Sequence[T], note: Callable[[int], None]
) -> list[R]:
    found: list[R] = []
    for result in pool.map(play, parts) if pool is not None else map(play, parts):
        found.append(result)
        note(len(found))
    return found


def _journeys(rollouts: _Rollouts) -> Journeys:
    """Play rollouts without a fault, from the history before them to their end."""
    policy, found = rollouts.setting.policy, []
    for run in rollouts.runs:
        traffic = _traffic(rollouts.setting, "healthy", run)
        begin = trial.begin(policy, traffic)
        steps = range(len(policy.plan()))
        found.append(tuple(trial.play(policy, begin, 0, steps, traffic, HEALTHY)))
    return tuple(found)


def _traffic(setting: Setting, part: str, run: int) -> Traffic:
    return Traffic(setting.expected, f"{setting.seed}/{part}/{run}")


def _healthy(journeys: Journeys, last: int) -> Healthy:
    ends = [journey[-1] for journey in journeys]
    promoted = [
        trial.seconds(journey)
        for journey in journeys
        if (journey[-1].step, journey[-1].ending) == (last, "advance")
    ]
    stopped = sorted(
        end.step for end in ends if end.ending != "advance" and not end.after.convictions
    )
    aborted = len(ends) - len(promoted) - len(stopped)
    return Healthy(
        len(ends), len(promoted), aborted, len(stopped), tuple(stopped), tuple(sorted(promoted))
    )


def _parts(setting: Setting, journeys: Journeys) -> Iterator[_Ladder]:
    for faults in _faults(setting):
        for step in range(len(setting.policy.steps)):
            # Where no rollout comes this far without a fault, none does with one.
            starts = tuple(journey[step] for journey in journeys if len(journey) > step)
            if starts:
                yield _Ladder(setting, faults[::-1], step, starts)


def _climb(ladder: _Ladder) -> list[Sight]:
    """
    Return what became of each fault, from the largest down to one that is rarely seen.

    Of those that begin with the first step, also what became of them in all steps.
    """
    found: list[Sight] = []
    for fault in ladder.faults:
        played = [_suffered(ladder, fault, run) for run in range(len(ladder.starts))]
        sight = judged(ladder.setting, fault, ladder.step, [it[:1] for it in played])
        found.append(sight)
        if ladder.step == 0:
            found.append(judged(ladder.setting, fault, None, played))
        if sight.seen < UNLIKELY * sight.runs:
            break
    return found


def _suffered(ladder: _Ladder, fault: Fault, run: int) -> list[Stretch]:
    policy, start = ladder.setting.policy, ladder.starts[run]
    steps = range(ladder.step, len(policy.steps) if ladder.step == 0 else ladder.step + 1)
    traffic = _traffic(ladder.setting, f"{fault.channel}/{ladder.step}", run)
    return trial.play(policy, start.before, start.begun, steps, traffic, fault)


def _soaks(setting: Setting) -> Iterator[Sight]:
    minutes = max(1, setting.policy.soak_seconds // 60)
    for fault in (fault for faults in _faults(setting) for fault in faults):
        yield rung(
            setting,
            fault,
            [
                soak.rings(
                    setting.alarms,
                    setting.expected,
                    _traffic(setting, f"{fault.channel}/soak", run),
                    fault,
                    minutes,
                )
                for run in range(setting.runs)
            ],
        )


def _sorted(setting: Setting, sights: Sequence[Sight]) -> tuple[Sight, ...]:
    order = [fault for faults in _faults(setting) for fault in faults]
    last = len(setting.policy.plan())

    def place(sight: Sight) -> tuple[int, int]:
        return order.index(sight.fault), last if sight.step is None else sight.step

    return tuple(sorted(sights, key=place))
