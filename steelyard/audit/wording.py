"""How a rollout's history is worded wherever it is shown: moments, steps, what was measured."""

from datetime import UTC, datetime

from steelyard.audit.timeline import Entry
from steelyard.rollout.policy import Policy


def moment(at: float) -> str:
    """Return an epoch second as people read it, in UTC."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S")


def step_name(policy: Policy, step: int) -> str:
    """Return what people call a step: its weight, soak, or a dash before the first."""
    plan = policy.plan()
    if not 0 <= step < len(plan):
        return "–"
    return "soak" if step == len(plan) - 1 else f"{plan[step].weight}%"


def said(entry: Entry) -> str:
    """Return what happened, with what was measured for it."""
    if not entry.minutes and not entry.ticks:
        return entry.why
    times = f", {entry.ticks:,} times until {moment(entry.until)[11:]}" if entry.ticks > 1 else ""
    minutes = "1 minute" if entry.minutes == 1 else f"{entry.minutes:,} minutes"
    seen = f"{minutes}, challenger {entry.requests:,} requests, {entry.bad:,} bad"
    return f"{seen}{times}: {entry.why}"
