"""Sum up what became of a fault over many trials: how often it was seen, when, at what cost."""

import statistics
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import chain

from steelyard.planning import trial
from steelyard.planning.bound import fewest_requests
from steelyard.planning.soak import Alarms
from steelyard.planning.traffic import Expected, Fault
from steelyard.planning.trial import TICK_SECONDS, WEIGHTS_SECONDS, Stretch
from steelyard.rollout.policy import Policy


@dataclass(frozen=True)
class Setting:
    """
    What a plan is made from; the same one gives the same plan.

    runs: how many trials of each rollout; seed: of the imagined traffic.
    """

    policy: Policy
    expected: Expected
    alarms: Alarms
    runs: int
    seed: int


@dataclass(frozen=True)
class Spread:
    """A quantity over the trials: half of them had at most `p50`, nine of ten at most `p90`."""

    p50: float
    p90: float

    @classmethod
    def of(cls, values: Sequence[float]) -> "Spread | None":
        """Return the spread of some values, None where there is none."""
        rising = sorted(values)
        if not rising:
            return None
        # The smallest value that so many do not exceed.
        p50, p90 = (rising[-(-share * len(rising) // 100) - 1] for share in (50, 90))
        return cls(p50, p90)


@dataclass(frozen=True)
class Sight:
    """
    What became of a fault that begins with a step.

    step: the index in the plan, the soak's the last; None: from the first step on, through all;
    seen: in how many of the `runs` the evidence, at the soak an alarm, aborted; paused: how many
    waited for a person; missed: how many went on; seconds: from the change of weights to the
    verdict and requests: of the challenger's until then, both where it was seen; hurt: mean of the
    challenger's requests that failed, came late or were answered otherwise, until traffic was home
    or the step was left; fewest: requests that any rule needs (None: not worked out for this
    fault); evidence: its median (nats) over the minutes, a trial that ended keeps its last.
    """

    step: int | None
    fault: Fault
    runs: int
    seen: int
    paused: int
    missed: int
    seconds: Spread | None
    requests: Spread | None
    hurt: float
    fewest: float | None
    evidence: tuple[float, ...] = ()

    @property
    def is_sure(self) -> bool:
        """Whether every run saw it."""
        return self.seen == self.runs


def judged(
    setting: Setting, fault: Fault, step: int | None, played: Sequence[Sequence[Stretch]]
) -> Sight:
    """Return what the judge saw of a fault in a step, or in all that it was played in."""
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
        seconds=Spread.of([trial.seconds(stretches) for stretches in seen]),
        requests=Spread.of(requests),
        hurt=statistics.mean(_hurt(setting, fault, stretches) for stretches in played),
        fewest=None if step is None else _fewest(setting, fault, step),
        evidence=_median([list(chain(*(it.evidence for it in one))) for one in played]),
    )


def rung(setting: Setting, fault: Fault, minutes: Sequence[int | None]) -> Sight:
    """Return what alarms saw of a fault in the soak: in which minute of it, None in none."""
    policy, rate = setting.policy, setting.expected.requests_per_minute
    rings = [minute for minute in minutes if minute is not None]
    at_risk = [minute or policy.soak_seconds / 60 for minute in minutes]
    # Requests come while the weight goes home, too.
    last = WEIGHTS_SECONDS / 60
    return Sight(
        step=len(policy.steps),
        fault=fault,
        runs=len(minutes),
        seen=len(rings),
        paused=0,
        missed=len(minutes) - len(rings),
        seconds=Spread.of([WEIGHTS_SECONDS + TICK_SECONDS * minute for minute in rings]),
        requests=Spread.of([rate * minute for minute in rings]),
        hurt=_share(fault) * rate * (statistics.mean(at_risk) + last),
        fewest=None,
    )


def _share(fault: Fault) -> float:
    """Return the share of the challenger's requests that a fault hurts."""
    if fault.is_silent or fault.is_constant or fault.slower > 1:
        return 1.0
    return fault.altered + (fault.errors or 0.0) + (fault.client_errors or 0.0)


def _hurt(setting: Setting, fault: Fault, stretches: Sequence[Stretch]) -> float:
    """Return how many requests a fault hurts on average, those on the way home, too."""
    per_minute = _share(fault) * setting.expected.requests_per_minute
    plan = setting.policy.plan()
    return sum(
        per_minute * plan[it.step].weight / 100 * (it.seconds + WEIGHTS_SECONDS) / 60
        for it in stretches
    )


def _fewest(setting: Setting, fault: Fault, step: int) -> float | None:
    policy, expected = setting.policy, setting.expected
    rate, usual = fault.errors, expected.errors
    if fault.client_errors is not None:
        rate, usual = fault.client_errors, expected.client_errors
    if rate is None:
        return None
    rho, delta = 1 + policy.tolerance.errors_relative, policy.tolerance.errors_absolute
    weight, alpha = policy.plan()[step].weight, policy.false_rollback
    return fewest_requests(rate, usual, weight, rho, delta, alpha)


def _median(trials: Sequence[Sequence[float]]) -> tuple[float, ...]:
    length = max(map(len, trials))
    held = [[*one, *[one[-1]] * (length - len(one))] for one in trials]
    return tuple(statistics.median(values) for values in zip(*held, strict=True))
