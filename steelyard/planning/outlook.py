"""Gather what is known of a rollout before it moves: what is played, and what is arithmetic."""

from dataclasses import dataclass

from steelyard.planning import fleet
from steelyard.planning.fleet import Extra, Fleet
from steelyard.planning.limits import Limits, limits
from steelyard.planning.plan import Note, Plan, make
from steelyard.planning.sight import Setting, Sight
from steelyard.planning.times import Schedule, Times, schedule, times


@dataclass(frozen=True)
class Rollout:
    """
    The rollout that is planned: of which endpoint, in which setting, from which fleet to which.

    `start`: epoch second of its begin, None where it is left open.
    """

    name: str
    setting: Setting
    champion: Fleet
    challenger: Fleet
    start: int | None = None


@dataclass(frozen=True)
class Outlook:
    """
    Everything that a plan says.

    refused: why the rollout would be refused, a sentence each; limits: what each step can exclude;
    schedule: None without a start.
    """

    rollout: Rollout
    plan: Plan
    limits: tuple[Limits, ...]
    times: Times
    schedule: Schedule | None
    refused: tuple[str, ...]
    extras: tuple[Extra, ...]

    def sights(self, step: int | None) -> dict[str, list[Sight]]:
        """Return what was played in a step, None for all together: by channel, smallest first."""
        found: dict[str, list[Sight]] = {}
        for sight in self.plan.sights:
            if sight.step == step:
                found.setdefault(sight.fault.channel, []).append(sight)
        return found


def surely(sights: list[Sight]) -> Sight | None:
    """Return the smallest fault of a channel that every run saw, it and each larger one."""
    found = None
    for sight in reversed(sights):
        if not sight.is_sure:
            break
        found = sight
    return found


def look(rollout: Rollout, note: Note, workers: int = 1) -> Outlook:
    """Return the outlook of a rollout; the same one gives the same, however many processes."""
    setting = rollout.setting
    policy, rate = setting.policy, setting.expected.requests_per_minute
    plan = make(setting, note, workers)
    bounds = times(policy, rate)
    fleets = rollout.champion, rollout.challenger
    return Outlook(
        rollout=rollout,
        plan=plan,
        limits=tuple(limits(policy, setting.expected, it) for it in range(len(policy.steps))),
        times=bounds,
        schedule=None if rollout.start is None else schedule(policy, rate, rollout.start),
        refused=tuple(fleet.refused(policy, *fleets, rate)),
        extras=fleet.extras(*fleets, plan.healthy.quantile(0.5) or bounds.longest),
    )
