"""What a plan says of times, freeze windows and instances, line by line, and on what it rests."""

from collections.abc import Iterator

from steelyard.planning import fleet
from steelyard.planning.fleet import DEPLOY_SECONDS
from steelyard.planning.outlook import Outlook
from steelyard.planning.plan import Healthy
from steelyard.planning.traffic import BURST_ERRORS, BURST_MINUTES
from steelyard.planning.trial import HISTORY_MINUTES, TICK_SECONDS, WEIGHTS_SECONDS
from steelyard.rollout.conduct import LEASE_SECONDS, WATCHDOG_SECONDS
from steelyard.rollout.decide import utc
from steelyard.spec.quantities import duration, percent

Line = tuple[str, str]


def lengths(found: Outlook) -> list[Line]:
    """Return how long a promotion, an abort and a wait may take."""
    times, policy = found.times, found.rollout.setting.policy
    gates = policy.conduct.confirm
    waits = f", {' and '.join(gates)} approved at once" if gates else ""
    lines = [(_clock(times.shortest), f"shortest promotion: least bakes, requests, soak{waits}")]
    lines += _healthy(found)
    lines.append((_clock(times.longest), f"longest promotion{_longest(policy.undecided)}"))
    lines.append(
        (_clock(times.deadline), "the deadline: aborted, whatever it waits for" + _for(found))
    )
    if times.forgotten is not None:
        lines.append((_clock(times.forgotten), "a step that nobody decides is home again"))
    return [
        *lines,
        (
            f"{times.told} s",
            "slowest abort, from the end of the minute that convicts to all at home: "
            f"{policy.settle_seconds} s until it has settled, a tick, a change of weights",
        ),
        (
            f"{times.leased} s",
            "from the last renewal of its lease until a challenger's weight is home, whoever died: "
            f"{LEASE_SECONDS} s of lease, {WATCHDOG_SECONDS} s of the watchdog, "
            f"{WEIGHTS_SECONDS} s of the platform; a judge that lives renews it once more, "
            f"{TICK_SECONDS} s after the execution died at the latest",
        ),
        (
            f"{WEIGHTS_SECONDS} s",
            f"revert after the promotion: one change of weights to {_previous(found)}",
        ),
    ]


def freezes(found: Outlook) -> list[Line]:
    """Return what freeze windows the shortest promotion meets, if its start is given."""
    schedule = found.schedule
    if schedule is None:
        return []
    plan = found.rollout.setting.policy.plan()
    lines = [
        (
            utc(it.begun),
            f"the weight {plan[it.step].weight} waits until {utc(it.until)}, when the freeze ends"
            + (": a start before that is refused" if it.step == 0 else ""),
        )
        for it in schedule.crossings
    ]
    end = "promoted at the earliest" + ("" if lines else ", no freeze window is met")
    return [(utc(schedule.begun), "the start"), *lines, (utc(schedule.ended), end)]


def instances(found: Outlook) -> list[Line]:
    """Return extra instance-hours, the champion's headroom and what a revert finds."""
    lines = []
    for extra in found.extras:
        priced = "" if extra.price is None else f": {extra.price:,.2f} at the file's prices"
        lines.append((f"{extra.hours:,.1f} h", f"{extra.why}{priced}"))
    champion, policy = found.rollout.champion, found.rollout.setting.policy
    free = fleet.room(champion, found.rollout.setting.expected.requests_per_minute)
    if free is not None and policy.conduct.champion_scale_out == "hold":
        lines.append(
            (
                percent(free),
                f"of {champion.variant}'s load is free while its scaling is held; "
                f"{percent(policy.conduct.headroom)} must be",
            )
        )
    return lines


def assumed(found: Outlook) -> Iterator[str]:
    """Yield what is taken for granted, and how to make the same plan again."""
    setting = found.rollout.setting
    expected = setting.expected
    yield (
        f"assumed of the platform, promised by nobody: {WEIGHTS_SECONDS} s for a change of "
        f"weights, {duration(DEPLOY_SECONDS)} of both fleets at a deployment"
    )
    yield (
        f"assumed of the champion: {percent(expected.errors)} errors, "
        f"{percent(expected.client_errors)} client errors, a median of "
        f"{1000 * expected.latency:g} ms; a burst fails {percent(BURST_ERRORS)} more in one minute "
        f"of {BURST_MINUTES}, of each variant on its own"
    )
    yield (
        f"played: the judge itself, {setting.runs} rollouts of each kind with seed {setting.seed}, "
        f"after {HISTORY_MINUTES} minutes of the champion alone; the same command gives the same "
        f"numbers, --runs 100 surer ones"
    )
    yield (
        "minutes and requests: half of the rollouts to nine of ten; surely sees: each of them saw "
        "it; excludes: no rule can exclude less within the longest time, the judge somewhat more; "
        "in the soak no champion runs beside the challenger, so only its alarms see there"
    )


def _healthy(found: Outlook) -> Iterator[Line]:
    plan, promised = found.plan, percent(found.rollout.setting.policy.false_rollback)
    usual, slow = plan.healthy.quantile(0.5), plan.healthy.quantile(0.9)
    if usual is not None and slow is not None:
        yield _clock(usual), "usual promotion, median"
        yield _clock(slow), "nine of ten promotions take no longer"
    yield _ended(plan.healthy), f"healthy challengers promoted; {_others(plan.healthy, promised)}"
    bursts = "the same while errors come in bursts"
    yield _ended(plan.bursts), f"{bursts}; {_others(plan.bursts, promised)}"


def _ended(healthy: Healthy) -> str:
    return f"{healthy.promoted} of {healthy.runs}"


def _others(healthy: Healthy, promised: str) -> str:
    return (
        f"{healthy.paused} paused, {healthy.aborted} aborted by mistake "
        f"(promised: {promised} at most)"
    )


def _longest(undecided: str) -> str:
    if undecided == "advance":
        return ": what is undecided after the longest time advances"
    return " without a person; each resume of a pause begins that step's bake anew"


def _for(found: Outlook) -> str:
    """Return what a rollout may wait for beside its evidence."""
    conduct = found.rollout.setting.policy.conduct
    waits = [f"the approval of {gate}" for gate in conduct.confirm]
    waits += ["a pause"] if found.rollout.setting.policy.undecided == "pause" else []
    waits += ["the end of a freeze"] if conduct.freeze else []
    return f", {' or '.join(waits)} too" if waits else ""


def _previous(found: Outlook) -> str:
    """Return what a revert needs of the previous champion, in words."""
    champion = found.rollout.champion
    count, load = fleet.warm(champion)
    said = f"{champion.variant}, which stays warm until a deployment removes it: "
    if load is None:
        return said + f"its {count} instances take all traffic at once"
    rate = found.rollout.setting.expected.requests_per_minute
    enough = "which is enough" if load >= rate else f"too few for {rate:g}: raise its count first"
    return said + f"without traffic it shrinks to {count}, for {load:g} requests a minute, {enough}"


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 3600}:{int(seconds) % 3600 // 60:02d} h"
