"""The tables of a rollout: verdicts with runs of `continue` folded, and the numbers by minute."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby

from steelyard.page.wording import number
from steelyard.rehearsal.report.schema import Decision, Rollout
from steelyard.rehearsal.report.timeline import channels, ratios, variants, weights_at


@dataclass(frozen=True)
class Evidence:
    """The channel nearest to its limit; `share` is 1 where the judge acts."""

    channel: str
    value: float
    limit: float
    share: float


@dataclass(frozen=True)
class Run:
    """Verdicts in a row that said the same: one, or several `continue` of one step.

    Times are virtual seconds; `weight` is absent for a step that the report does not list.
    """

    first: float
    last: float
    count: int
    step: int
    weight: int | None
    outcome: str
    reasons: tuple[str, ...]
    nearest: Evidence | None


@dataclass(frozen=True)
class NumbersRow:
    """One minute in words; `cells` follow the columns that `numbers` returns beside it."""

    seconds: float
    cells: tuple[str, ...]


def runs(rollout: Rollout) -> tuple[Run, ...]:
    """Return the verdicts in order, each run of `continue` within a step as one."""
    weights = {step.index: step.weight for step in rollout.steps}
    return tuple(_run(group, weights.get(group[0].step)) for group in _groups(rollout.decisions))


def nearest(decisions: tuple[Decision, ...]) -> Evidence | None:
    """Return the evidence that came nearest to its limit, absent when nothing was measured."""
    weighed = [
        Evidence(
            channel, one.evidence[channel] or 0.0, one.evidence[f"{channel}_limit"] or 0.0, share
        )
        for one in decisions
        for channel, share in ratios(one).items()
        if share is not None
    ]
    return max(weighed, key=lambda evidence: evidence.share, default=None)


def numbers(rollout: Rollout) -> tuple[tuple[str, ...], tuple[NumbersRow, ...]]:
    """Return the column titles and one row per minute: what the charts draw, as text."""
    names = tuple(variants(rollout))
    titles = [f"{field}, {name}" for field in ("weight", "requests", "errors") for name in names]
    titles += [f"{channel} of limit" for channel in channels(rollout)]
    return tuple(titles), tuple(_rows(rollout, names))


def _groups(decisions: tuple[Decision, ...]) -> Iterator[tuple[Decision, ...]]:
    for (outcome, _), group in groupby(decisions, key=lambda one: (one.outcome, one.step)):
        alike = tuple(group)
        yield from [alike] if outcome == "continue" else [(one,) for one in alike]


def _run(group: tuple[Decision, ...], weight: int | None) -> Run:
    last = group[-1]
    return Run(
        first=group[0].t_seconds,
        last=last.t_seconds,
        count=len(group),
        step=last.step,
        weight=weight,
        outcome=last.outcome,
        reasons=last.reasons,
        nearest=nearest(group),
    )


def _rows(rollout: Rollout, names: tuple[str, ...]) -> Iterator[NumbersRow]:
    for minute in rollout.minutes:
        weights = weights_at(rollout, minute.t_seconds)
        answers = [minute.variants.get(name) for name in names]
        shares = _shares_within(rollout, minute.t_seconds)
        cells: list[float | None] = [weights.get(name) for name in names]
        cells += [None if one is None else one.requests for one in answers]
        cells += [None if one is None else one.errors for one in answers]
        cells += [shares.get(channel) for channel in channels(rollout)]
        yield NumbersRow(minute.t_seconds, tuple("–" if c is None else number(c) for c in cells))


def _shares_within(rollout: Rollout, start: float) -> dict[str, float | None]:
    inside = [one for one in rollout.decisions if start <= one.t_seconds < start + 60]
    return ratios(inside[-1]) if inside else {}
