"""A plan as the terminal shows it and as JSON says it; prints nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table

from steelyard.planning.plan import Plan, Setting, Sight, tolerated_errors
from steelyard.planning.times import DEPLOY_SECONDS, Extra, Times
from steelyard.planning.trial import WEIGHTS_SECONDS
from steelyard.spec.quantities import duration, percent

_ASSUMED = (
    f"assumed of the platform, promised by nobody: {WEIGHTS_SECONDS} s for a change of weights, "
    f"{duration(DEPLOY_SECONDS)} of both fleets at a deployment",
    "not played: latency, client errors, confidence, errors in bursts; during the soak no champion "
    "runs beside the challenger, so only alarms judge it there",
)


def tables(
    name: str, setting: Setting, plan: Plan, times: Times, extras: Sequence[Extra]
) -> Iterator[RenderableType]:
    """Yield everything that is shown of a plan, from the top."""
    expected = setting.expected
    yield (
        f"[bold]{name}[/] at {_count(expected.requests_per_minute)} requests a minute, of which "
        f"the champion fails {percent(expected.errors)}; a challenger that fails up to "
        f"{percent(tolerated_errors(setting))} is harmless"
    )
    yield from ("", "[bold]each step[/]", _indented(_steps(setting, plan)))
    for index in times.late:
        yield _late(setting, index)
    yield ("\n[bold]a fault that begins with a step[/]" + f", {setting.runs} rollouts each")
    yield _indented(_sights(setting, plan))
    yield from ("", "[bold]times[/]", _indented(_times(setting, plan, times)))
    yield from ("", "[bold]extra instance-hours[/]", _indented(_extras(extras)), "")
    yield from _ASSUMED


def as_dict(
    name: str, setting: Setting, plan: Plan, times: Times, extras: Sequence[Extra]
) -> dict[str, Any]:
    """Return the plan as JSON says it; every time is in seconds, every share a fraction."""
    policy = setting.policy
    return {
        "schema": 1,
        "endpoint": name,
        "requests_per_minute": setting.expected.requests_per_minute,
        "champion_errors": setting.expected.errors,
        "tolerated_errors": round(tolerated_errors(setting), 9),
        "undecided": policy.undecided,
        "runs": setting.runs,
        "seed": setting.seed,
        "healthy": asdict(plan.healthy),
        "steps": [_step(setting, plan, index) for index in range(len(policy.steps))],
        "faults": [asdict(sight) for sight in plan.sights],
        "times": asdict(times),
        "extra_instance_hours": [asdict(extra) for extra in extras],
    }


def _indented(table: Table) -> Padding:
    return Padding(table, (0, 0, 0, 2), expand=False)


def _table(*columns: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for index, column in enumerate(columns):
        table.add_column(column, justify="right" if index else "left", no_wrap=index == 0)
    return table


def _step(setting: Setting, plan: Plan, index: int) -> dict[str, Any]:
    """Return what holds for a step: its requests, and the error rates that it tells."""
    step = setting.policy.steps[index]
    per_minute = setting.expected.requests_per_minute * step.weight / 100
    rates = {
        sight.fault.errors: sight.is_sure
        for sight in plan.sights
        if sight.step == index and sight.fault.errors is not None
    }
    unsure = [rate for rate, is_sure in rates.items() if not is_sure]
    sure = [rate for rate in rates if rate > max(unsure, default=0.0)]
    return {
        "weight": step.weight,
        "bake_seconds": step.bake_seconds,
        "requests_per_minute": per_minute,
        "requests_at_risk": per_minute * step.bake_seconds / 60,
        "sees_errors_from": min(sure, default=None),
        "cannot_exclude_errors_of": max(unsure, default=None),
    }


def _steps(setting: Setting, plan: Plan) -> Table:
    table = _table(
        "weight",
        "least bake",
        "requests a minute",
        "requests at risk",
        "surely sees errors of",
        "cannot exclude errors of",
    )
    for index in range(len(setting.policy.steps)):
        step = _step(setting, plan, index)
        sees, misses = step["sees_errors_from"], step["cannot_exclude_errors_of"]
        table.add_row(
            f"{step['weight']}%",
            duration(step["bake_seconds"]),
            _count(step["requests_per_minute"]),
            f"{step['requests_at_risk']:,.0f}",
            "none played" if sees is None else percent(sees),
            percent(misses) if misses is not None else f"below {percent(sees)}" if sees else "any",
        )
    return table


def _late(setting: Setting, index: int) -> str:
    policy, rate = setting.policy, setting.expected.requests_per_minute
    weight = policy.plan()[index].weight
    end = "advances undecided" if policy.undecided == "advance" else "pauses"
    return (
        f"[yellow]step {weight}% {end}: {_count(rate * weight / 100)} requests a minute do not "
        f"make {policy.minimum_requests:,} within {duration(policy.longest_seconds)}[/]"
    )


def _count(number: float) -> str:
    """Return a count that need not be whole, such as the requests of a minute."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def _sights(setting: Setting, plan: Plan) -> Table:
    table = _table(
        "fault", "step", "aborted", "paused", "went on", "minutes", "requests", "any rule", "hurt"
    )
    before = None
    for sight in plan.sights:
        table.add_row(
            sight.fault.name if sight.fault.name != before else "",
            _where(setting, sight),
            f"{sight.seen / sight.runs:.0%}",
            f"{sight.paused / sight.runs:.0%}",
            f"{sight.missed / sight.runs:.0%}",
            "–" if sight.seconds is None else f"{sight.seconds / 60:,.0f}",
            "–" if sight.requests is None else f"{sight.requests:,.0f}",
            "–" if sight.fewest is None else f"{sight.fewest:,.0f}",
            f"{sight.hurt:,.0f}",
        )
        before = sight.fault.name
    return table


def _where(setting: Setting, sight: Sight) -> str:
    return "all steps" if sight.step is None else f"{setting.policy.steps[sight.step].weight}%"


def _times(setting: Setting, plan: Plan, times: Times) -> Table:
    healthy, policy = plan.healthy, setting.policy
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(justify="right", no_wrap=True)
    table.add_column()
    table.add_row(_clock(times.shortest), "shortest promotion: least bakes, requests and the soak")
    if healthy.usual is not None:
        table.add_row(_clock(healthy.usual), "usual promotion, median")
        slow = healthy.seconds[int(0.9 * len(healthy.seconds))]
        table.add_row(_clock(slow), "nine of ten promotions take no longer")
    table.add_row(
        f"{healthy.promoted} of {healthy.runs}",
        f"healthy challengers promoted; {healthy.paused} paused, {healthy.aborted} aborted by "
        f"mistake (promised: {percent(policy.false_rollback)} at most)",
    )
    table.add_row(_clock(times.longest), f"longest promotion{_longest(policy.undecided)}")
    if policy.undecided == "pause":
        table.add_row(_clock(times.forgotten), "a step that nobody decides is home again")
    told = f"{times.told} s"
    table.add_row(told, "slowest abort, from the end of the minute that convicts to all at home")
    table.add_row(f"{times.dead_judge} s", "to all at home after the judge's last word, if it dies")
    return table


def _longest(undecided: str) -> str:
    if undecided == "advance":
        return ": what is undecided after the longest time advances"
    return " without a person; each resume of a pause begins that step's bake anew"


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 3600}:{int(seconds) % 3600 // 60:02d} h"


def _extras(extras: Sequence[Extra]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(justify="right", no_wrap=True)
    table.add_column(no_wrap=True)
    table.add_column(justify="right")
    for extra in extras:
        priced = "" if extra.price is None else f"{extra.price:,.2f} at the file's prices"
        table.add_row(f"{extra.hours:,.1f}", extra.why, priced)
    return table
