"""Play the judge on imagined traffic, and count what it sees, when, and at what cost."""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from steelyard.planning import trial
from steelyard.planning.bound import fewest_requests
from steelyard.planning.traffic import HEALTHY, Expected, Fault, Traffic
from steelyard.planning.trial import WEIGHTS_SECONDS, Stretch
from steelyard.rollout import judge
from steelyard.rollout.policy import Policy

RATES = (0.001, 0.002, 0.005, 0.01, 0.02, 0.05, 0.1, 0.3)
"""The error rates that are played, where they are clearly more than is tolerated."""

MOST_RATES = 5
"""So many of them are played at most, the smallest ones."""

Note = Callable[[str], None]
"""Is told what is being played."""


@dataclass(frozen=True)
class Setting:
    """What a plan is made from; the same one gives the same plan. `runs`: how many trials."""

    policy: Policy
    expected: Expected
    runs: int
    seed: int

    def traffic(self, run: int, step: int | None = None) -> Traffic:
        """Return the traffic of one trial: of a healthy rollout, or of a fault in a step."""
        part = 0 if step is None else step + 1
        return Traffic(self.expected, f"{self.seed}/{part}/{run}")


@dataclass(frozen=True)
class Healthy:
    """
    What became of a challenger without a fault.

    runs: how many were played; promoted, aborted and paused: how many ended so; seconds: how long
    the promoted ones took, rising.
    """

    runs: int
    promoted: int
    aborted: int
    paused: int
    seconds: tuple[int, ...]

    @property
    def usual(self) -> int | None:
        """The median of the promoted ones' seconds, None where none was."""
        return self.seconds[len(self.seconds) // 2] if self.seconds else None


@dataclass(frozen=True)
class Sight:
    """
    What became of a fault that begins with a step.

    step: the index in the plan, None for the rollout from its start to its end; seen: how many of
    the `runs` the evidence aborted; paused: how many waited for a person; missed: how many went on;
    seconds: median from the first change of weights to the verdict and requests: mean of the
    challenger's judged until then, where it was seen; hurt: mean of the challenger's requests that
    failed or were answered wrongly until traffic was home or the step was left; fewest: requests
    that any rule needs (None: not worked out for this fault).
    """

    step: int | None
    fault: Fault
    runs: int
    seen: int
    paused: int
    missed: int
    seconds: float | None
    requests: float | None
    hurt: float
    fewest: float | None

    @property
    def is_sure(self) -> bool:
        """Whether every run saw it."""
        return self.seen == self.runs


@dataclass(frozen=True)
class Plan:
    """What was found, per fault and step, all steps together last; the soak is in none of them."""

    healthy: Healthy
    sights: tuple[Sight, ...]


def faults(setting: Setting) -> tuple[Fault, ...]:
    """Return the faults that are played: error rates beyond the tolerated one, and two others."""
    beyond = [rate for rate in RATES if rate > 1.1 * tolerated_errors(setting)]
    return (
        *(Fault(f"{100 * rate:g}% errors", errors=rate) for rate in beyond[:MOST_RATES]),
        Fault("constant answers", is_constant=True),
        Fault("no answers", is_silent=True),
    )


def tolerated_errors(setting: Setting) -> float:
    """Return the largest error rate of a challenger that the policy calls harmless."""
    tolerance = setting.policy.tolerance
    return (1 + tolerance.errors_relative) * setting.expected.errors + tolerance.errors_absolute


def make(setting: Setting, note: Note) -> Plan:
    """Return the plan that a setting gives."""
    note("a healthy challenger")
    last, begin = len(setting.policy.steps), judge.start(setting.policy)
    journeys = [
        trial.play(setting.policy, begin, 0, range(last + 1), setting.traffic(run), HEALTHY)
        for run in range(setting.runs)
    ]
    sights: list[Sight] = []
    for fault in faults(setting):
        note(fault.name)
        found: list[Sight] = []
        for step in range(last):
            starts = [journey[step] for journey in journeys if len(journey) > step]
            found += _sights(setting, fault, step, starts)
        sights += sorted(found, key=lambda sight: sight.step is None)
    return Plan(_healthy(journeys, last), tuple(sights))


def _healthy(journeys: Sequence[Sequence[Stretch]], last: int) -> Healthy:
    ends = [journey[-1] for journey in journeys]
    promoted = [
        trial.seconds(journey)
        for journey in journeys
        if (journey[-1].step, journey[-1].ending) == (last, "advance")
    ]
    aborted = sum(bool(end.after.convictions) for end in ends)
    paused = len(ends) - aborted - len(promoted)
    return Healthy(len(ends), len(promoted), aborted, paused, tuple(sorted(promoted)))


def _sights(setting: Setting, fault: Fault, step: int, starts: Sequence[Stretch]) -> list[Sight]:
    """
    Return what became of a fault that begins with a step, each time as one of `starts` did.

    Of one from the first step on, also what became of it in all of them.
    """
    steps = range(step, len(setting.policy.steps) if step == 0 else step + 1)
    played = [
        trial.play(
            setting.policy, start.before, start.begun, steps, setting.traffic(run, step), fault
        )
        for run, start in enumerate(starts)
    ]
    if not played:
        return []
    found = _sight(setting, fault, step, [stretches[:1] for stretches in played])
    return [found] if step else [found, _sight(setting, fault, None, played)]


def _sight(
    setting: Setting, fault: Fault, step: int | None, played: Sequence[Sequence[Stretch]]
) -> Sight:
    seen = [stretches for stretches in played if stretches[-1].after.convictions]
    paused = sum(stretches[-1].ending != "advance" for stretches in played) - len(seen)
    requests = [sum(stretch.requests for stretch in stretches) for stretches in seen]
    return Sight(
        step=step,
        fault=fault,
        runs=len(played),
        seen=len(seen),
        paused=paused,
        missed=len(played) - len(seen) - paused,
        seconds=statistics.median(map(trial.seconds, seen)) if seen else None,
        requests=statistics.mean(requests) if seen else None,
        hurt=statistics.mean(_hurt(setting, fault, stretches) for stretches in played),
        fewest=None if step is None else _fewest(setting, fault, step),
    )


def _hurt(setting: Setting, fault: Fault, stretches: Sequence[Stretch]) -> float:
    """Return how many requests a fault hurts on average, those on the way home, too."""
    share = 1.0 if fault.errors is None else fault.errors
    hurt_per_minute = share * setting.expected.requests_per_minute
    plan = setting.policy.plan()
    return sum(
        hurt_per_minute * plan[it.step].weight / 100 * (it.seconds + WEIGHTS_SECONDS) / 60
        for it in stretches
    )


def _fewest(setting: Setting, fault: Fault, step: int) -> float | None:
    if fault.errors is None:
        return None
    policy = setting.policy
    rho, delta = 1 + policy.tolerance.errors_relative, policy.tolerance.errors_absolute
    weight, alpha = policy.plan()[step].weight, policy.false_rollback
    return fewest_requests(fault.errors, setting.expected.errors, weight, rho, delta, alpha)
