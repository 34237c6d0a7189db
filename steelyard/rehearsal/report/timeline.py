"""A rollout over virtual time: the columns, bands and marks that its charts share.

Minutes (float) count from the rollout's start.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from steelyard.rehearsal.report.schema import Decision, Rollout

Cell = float | None

CHANNEL_INKS = 7  # page.css has as many; an eighth channel would share the first one's


@dataclass(frozen=True)
class Line:
    """One series: its name, the ink that names it everywhere on the page, one value per x."""

    name: str
    ink: str
    values: tuple[Cell, ...]


@dataclass(frozen=True)
class Panel:
    """One chart: `minutes` is its ascending x; `kind` says how it is drawn."""

    kind: str
    title: str
    minutes: tuple[float, ...]
    lines: tuple[Line, ...]


@dataclass(frozen=True)
class Band:
    """The time a step was in force, and its weight in percent of all traffic."""

    start: float
    end: float
    weight: int


@dataclass(frozen=True)
class Mark:
    """An event worth a flag; `number` ties the flag in the chart to its sentence below."""

    number: int
    seconds: float
    minute: float
    kind: str
    text: str


@dataclass(frozen=True)
class Timeline:
    """What the charts of one rollout draw; `danger` is the span from fault to safe."""

    end: float
    panels: tuple[Panel, ...]
    bands: tuple[Band, ...]
    marks: tuple[Mark, ...]
    danger: tuple[float, float] | None


def timeline(rollout: Rollout) -> Timeline:
    """Return what the charts of a rollout draw."""
    panels = (_weights(rollout), _answers(rollout, "requests"), _answers(rollout, "errors"))
    return Timeline(
        end=_minute(rollout, rollout.t_end),
        panels=(*panels, _evidence(rollout)),
        bands=tuple(_bands(rollout)),
        marks=marks(rollout),
        danger=_danger(rollout),
    )


def variants(rollout: Rollout) -> dict[str, str]:
    """Return each variant that had traffic, champion and challenger first, with its ink."""
    seen = {change.variant for change in rollout.weights if change.weight > 0}
    seen |= {name for minute in rollout.minutes for name in minute.variants}
    others = sorted(seen - {rollout.champion, rollout.challenger})
    inks = {rollout.champion: "champion", rollout.challenger: "challenger"}
    return inks | dict.fromkeys(others, "other")


def ratios(decision: Decision) -> dict[str, Cell]:
    """Return each channel's evidence as a share of its limit; 1 is where the judge acts."""
    evidence = decision.evidence
    return {
        name.removesuffix("_limit"): _ratio(evidence.get(name.removesuffix("_limit")), limit)
        for name, limit in evidence.items()
        if name.endswith("_limit")
    }


def channels(rollout: Rollout) -> tuple[str, ...]:
    """Return the names of the channels that the judge weighed, in the order of the evidence."""
    return tuple(dict.fromkeys(name for one in rollout.decisions for name in ratios(one)))


def weights_at(rollout: Rollout, seconds: float) -> dict[str, int]:
    """Return the weight in force of each variant at a time; a variant not yet set is absent."""
    changes = sorted(rollout.weights, key=lambda change: change.t_seconds)
    return {change.variant: change.weight for change in changes if change.t_seconds <= seconds}


def shares_at(rollout: Rollout, seconds: float) -> dict[str, float]:
    """Return each variant's share of the traffic at a time, in percent: a weight of the sum."""
    weights = weights_at(rollout, seconds)
    total = sum(weights.values()) or 1
    return {variant: 100 * weight / total for variant, weight in weights.items()}


def marks(rollout: Rollout) -> tuple[Mark, ...]:
    """Return the events worth a flag, in order of time."""
    events = sorted(_events(rollout), key=lambda event: event[0])
    return tuple(
        Mark(number, seconds, _minute(rollout, seconds), kind, text)
        for number, (seconds, kind, text) in enumerate(events, start=1)
    )


def _minute(rollout: Rollout, seconds: float) -> float:
    return round((seconds - rollout.t_start) / 60, 4)


def _ratio(value: Cell, limit: Cell) -> Cell:
    return None if value is None or limit is None or limit <= 0 else value / limit


def _framed(rollout: Rollout, seconds: Iterable[float]) -> list[float]:
    """Every panel begins and ends with the rollout, so that all share one x axis."""
    inside = {t for t in seconds if rollout.t_start <= t <= rollout.t_end}
    return sorted(inside | {rollout.t_start, rollout.t_end})


def _panel(
    rollout: Rollout, kind: str, title: str, times: Sequence[float], lines: Iterable[Line]
) -> Panel:
    return Panel(kind, title, tuple(_minute(rollout, t) for t in times), tuple(lines))


def _weights(rollout: Rollout) -> Panel:
    times = _framed(rollout, (change.t_seconds for change in rollout.weights))
    rows = [shares_at(rollout, t) for t in times]
    lines = (
        Line(name, ink, tuple(row.get(name) for row in rows))
        for name, ink in variants(rollout).items()
    )
    return _panel(rollout, "weights", "Share of traffic", times, lines)


def _answers(rollout: Rollout, field: str) -> Panel:
    minutes = {minute.t_seconds: minute.variants for minute in rollout.minutes}
    times = _framed(rollout, minutes)
    rows = [minutes.get(t, {}) for t in times]
    lines = (
        Line(name, ink, tuple(getattr(row.get(name), field, None) for row in rows))
        for name, ink in variants(rollout).items()
    )
    return _panel(rollout, field, f"{field.capitalize()} per minute", times, lines)


def _evidence(rollout: Rollout) -> Panel:
    by_time = {one.t_seconds: ratios(one) for one in rollout.decisions}
    times = _framed(rollout, by_time)
    rows = [by_time.get(t, {}) for t in times]
    lines = (
        Line(name, f"channel-{index % CHANNEL_INKS + 1}", tuple(row.get(name) for row in rows))
        for index, name in enumerate(channels(rollout))
    )
    return _panel(rollout, "evidence", "Evidence as a share of its limit", times, lines)


def _bands(rollout: Rollout) -> Iterable[Band]:
    for step in rollout.steps:
        end = step.t_end if step.t_end is not None else _withdrawn(rollout, step.t_start)
        yield Band(_minute(rollout, step.t_start), _minute(rollout, end), step.weight)


def _withdrawn(rollout: Rollout, after: float) -> float:
    """An interrupted step is in force until the challenger's weight is 0."""
    zeros = (
        change.t_seconds
        for change in rollout.weights
        if change.variant == rollout.challenger and change.weight == 0
    )
    return min((t for t in zeros if t > after), default=rollout.t_end)


def _safe_seconds(rollout: Rollout) -> float | None:
    if rollout.t_fault is None or rollout.seconds_from_fault_to_safe is None:
        return None
    return rollout.t_fault + rollout.seconds_from_fault_to_safe


def _danger(rollout: Rollout) -> tuple[float, float] | None:
    if rollout.t_fault is None:
        return None
    safe = _safe_seconds(rollout)
    until = safe if safe is not None else rollout.t_end
    return _minute(rollout, rollout.t_fault), _minute(rollout, until)


def _events(rollout: Rollout) -> Iterable[tuple[float, str, str]]:
    if rollout.t_fault is not None:
        # Nothing injected, and bad answers all the same: the challenger itself is the fault.
        what = (
            f"{rollout.challenger}, itself the fault," if rollout.fault is None else rollout.fault
        )
        yield rollout.t_fault, "fault", f"{what} begins"
    for alarm in rollout.alarms:
        if alarm.state == "ALARM":
            yield alarm.t_seconds, "alarm", f"{alarm.name} in ALARM: {alarm.reason}"
    for decision in rollout.decisions:
        if decision.outcome in ("pause", "abort", "promote"):
            yield decision.t_seconds, decision.outcome, _because(decision)
    yield from _endings(rollout)


def _because(decision: Decision) -> str:
    return f"verdict {decision.outcome}: {'; '.join(decision.reasons) or 'no reason given'}"


def _endings(rollout: Rollout) -> Iterable[tuple[float, str, str]]:
    safe = _safe_seconds(rollout)
    if safe is not None:
        yield safe, "safe", f"{rollout.challenger} is at weight 0: safe"
    whole = [
        change.t_seconds
        for change in rollout.weights
        if change.variant == rollout.challenger
        and {name for name, w in weights_at(rollout, change.t_seconds).items() if w > 0}
        == {rollout.challenger}
    ]
    if rollout.outcome == "promoted" and whole:
        yield whole[0], "promote", f"{rollout.challenger} carries the whole traffic"
