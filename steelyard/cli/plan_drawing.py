"""A plan as the terminal shows it and as JSON says it; prints nothing."""

from collections.abc import Iterator, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import RenderableType
from rich.padding import Padding
from rich.table import Table

from steelyard.cli.plan_times import assumed, freezes, instances, lengths
from steelyard.planning.faults import tolerated
from steelyard.planning.limits import Limits
from steelyard.planning.outlook import Outlook, surely
from steelyard.planning.sight import Sight, Spread
from steelyard.spec.quantities import duration, percent


def tables(found: Outlook, is_whole: bool) -> Iterator[RenderableType]:
    """Yield everything that is shown of a plan, from the top; `is_whole`: each fault, too."""
    yield from _head(found)
    yield from ("", "[bold]each step and channel[/]", _indented(_steps(found)))
    yield from _warnings(found)
    if is_whole:
        yield "\n[bold]each fault that was played[/]"
        yield _indented(_sights(found))
    yield from ("", "[bold]times[/]", _indented(_lines(lengths(found))))
    if found.schedule is not None:
        yield from ("", "[bold]if it begins then[/]", _indented(_lines(freezes(found))))
    yield from ("", "[bold]instances[/]", _indented(_lines(instances(found))), "")
    yield from assumed(found)


def as_dict(found: Outlook) -> dict[str, Any]:
    """Return the plan as JSON says it; every time is in seconds, every share a fraction."""
    setting = found.rollout.setting
    policy, expected = setting.policy, setting.expected
    sights = [asdict(sight) for sight in found.plan.sights]
    for sight in sights:
        sight["evidence"] = [round(it, 3) for it in sight["evidence"]]
    return {
        "schema": 2,
        "endpoint": found.rollout.name,
        "requests_per_minute": expected.requests_per_minute,
        "champion_errors": expected.errors,
        "champion_client_errors": expected.client_errors,
        "champion_latency": expected.latency,
        "tolerated_errors": round(tolerated(policy, expected.errors), 9),
        "undecided": policy.undecided,
        "runs": setting.runs,
        "seed": setting.seed,
        "refused": found.refused,
        "healthy": asdict(found.plan.healthy),
        "healthy_with_bursts": asdict(found.plan.bursts),
        "steps": [_step(found, index) for index in range(len(policy.plan()))],
        "faults": sights,
        "times": asdict(found.times),
        "schedule": None if found.schedule is None else asdict(found.schedule),
        "extra_instance_hours": [asdict(extra) for extra in found.extras],
    }


def _step(found: Outlook, index: int) -> dict[str, Any]:
    """Return what holds for a step: its requests, what it surely sees, and what it can exclude."""
    setting = found.rollout.setting
    step = setting.policy.plan()[index]
    per_minute = setting.expected.requests_per_minute * step.weight / 100
    sure = {channel: surely(sights) for channel, sights in found.sights(index).items()}
    return {
        "weight": step.weight,
        "bake_seconds": step.bake_seconds,
        "requests_per_minute": per_minute,
        "requests_at_risk": per_minute * step.bake_seconds / 60,
        "surely_sees": {channel: it and it.fault.name for channel, it in sure.items()},
        "can_exclude": asdict(found.limits[index]) if index < len(found.limits) else None,
    }


def _head(found: Outlook) -> Iterator[str]:
    setting = found.rollout.setting
    expected, policy = setting.expected, setting.policy
    limit = percent(tolerated(policy, expected.errors))
    yield (
        f"[bold]{found.rollout.name}[/] at {_count(expected.requests_per_minute)} requests a "
        f"minute, of which the champion fails {percent(expected.errors)}; a challenger that fails "
        f"up to {limit} is harmless"
    )
    for sentence in found.refused:
        yield f"[red]refused: {sentence}[/]"


def _indented(table: Table) -> Padding:
    return Padding(table, (0, 0, 0, 2), expand=False)


def _table(*columns: str, left: int = 1) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for index, column in enumerate(columns):
        is_left = index < left
        table.add_column(column, justify="left" if is_left else "right", no_wrap=is_left)
    return table


def _lines(rows: Sequence[tuple[str, str]]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(justify="right", no_wrap=True)
    table.add_column()
    for row in rows:
        table.add_row(*row)
    return table


_COLUMNS = ("weight", "least bake", "at risk", "channel", "surely sees", "minutes", "requests")


def _steps(found: Outlook) -> Table:
    table = _table(*_COLUMNS, "excludes", left=1)
    for column in (3, 4, 7):
        table.columns[column].justify = "left"
    plan = found.rollout.setting.policy.plan()
    for index, step in enumerate(plan):
        rate = found.rollout.setting.expected.requests_per_minute * step.weight / 100
        named = (
            f"{step.weight}%" if index < len(plan) - 1 else "soak",
            duration(step.bake_seconds),
            f"{rate * step.bake_seconds / 60:,.0f}",
        )
        for channel, sights in found.sights(index).items():
            sure = surely(sights)
            table.add_row(
                *named,
                channel,
                "none played" if sure is None else sure.fault.name,
                _spread(None if sure is None else sure.seconds, 60),
                _spread(None if sure is None else sure.requests, 1),
                _excluded(channel, found.limits[index]) if index < len(found.limits) else "–",
            )
            named = ("", "", "")
    return table


def _excluded(channel: str, least: Limits) -> str:
    """Return the least harm that a step can exclude in a channel, in the words of its faults."""
    said = {
        "errors": f"{100 * least.errors:.2g}% errors",
        "client errors": f"{100 * least.client_errors:.2g}% client errors",
        "latency": f"{least.slower or 1:.2f} times as slow",
        "predictions": f"{100 * least.predictions:.2g}% apart",
    }
    return said.get(channel, "–")


def _spread(spread: Spread | None, unit: float) -> str:
    if spread is None:
        return "–"
    return f"{spread.p50 / unit:,.0f} to {spread.p90 / unit:,.0f}"


def _warnings(found: Outlook) -> Iterator[str]:
    policy = found.rollout.setting.policy
    end = "advances undecided" if policy.undecided == "advance" else "pauses"
    longest = duration(policy.longest_seconds)
    rate = found.rollout.setting.expected.requests_per_minute
    for index in found.times.late:
        weight = policy.plan()[index].weight
        yield (
            f"[yellow]step {weight}% {end}: {_count(rate * weight / 100)} requests a minute do not "
            f"make {policy.minimum_requests:,} within {longest}[/]"
        )
    for index, least in enumerate(found.limits):
        if least.short:
            yield (
                f"[yellow]step {policy.plan()[index].weight}% {end}: {least.requests:,.0f} "
                f"requests within {longest} cannot exclude the promotion margin of "
                f"{' and '.join(least.short)}[/]"
            )


def _count(number: float) -> str:
    """Return a count that need not be whole, such as the requests of a minute."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def _sights(found: Outlook) -> Table:
    table = _table(
        "fault", "step", "aborted", "paused", "went on", "minutes", "requests", "any rule", "hurt"
    )
    before = None
    for sight in found.plan.sights:
        table.add_row(
            sight.fault.name if sight.fault.name != before else "",
            _where(found, sight),
            f"{sight.seen / sight.runs:.0%}",
            f"{sight.paused / sight.runs:.0%}",
            f"{sight.missed / sight.runs:.0%}",
            _spread(sight.seconds, 60),
            _spread(sight.requests, 1),
            "–" if sight.fewest is None else f"{sight.fewest:,.0f}",
            f"{sight.hurt:,.0f}",
        )
        before = sight.fault.name
    return table


def _where(found: Outlook, sight: Sight) -> str:
    steps = found.rollout.setting.policy.steps
    if sight.step is None:
        return "all steps"
    return f"{steps[sight.step].weight}%" if sight.step < len(steps) else "soak"
