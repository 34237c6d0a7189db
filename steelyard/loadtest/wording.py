"""Numbers as the terminal, the verdict and the page say them."""

import math

from steelyard.loadtest.knee import Knee
from steelyard.loadtest.memory import Memory
from steelyard.loadtest.quantiles import Estimate, least_samples


def span(seconds: float) -> str:
    """Return a time in the unit that reads best, with three digits: `12.3 ms`, `1.5 s`."""
    if seconds >= 0.9995:
        return f"{seconds:,.0f} s" if seconds >= 99.95 else f"{seconds:.3g} s"
    return f"{seconds * 1e3:.3g} ms"


def latency(seconds: float) -> str:
    """Return a latency, `unanswered` when it is infinite."""
    return span(seconds) if math.isfinite(seconds) else "unanswered"


def estimate(given: Estimate) -> str:
    """Return a quantile with its interval, or how many samples are lacking."""
    if given.seconds is None or given.low is None or given.high is None:
        return f"too few samples: {given.samples:,} of {least_samples(given.share):,}"
    if not math.isfinite(given.seconds):
        return "unanswered"
    return f"{span(given.seconds)} ({latency(given.low)} to {latency(given.high)})"


def number(value: float) -> str:
    """Return a number with three digits, or all before the point if more."""
    return f"{value:,.0f}" if abs(value) >= 99.95 else f"{value:.3g}"


def rate(value: float) -> str:
    """Return requests a second."""
    return f"{number(value)} requests/s"


def share(value: float) -> str:
    """Return a share in per cent."""
    return f"{value * 100:.3g}%"


def mebibytes(value: float) -> str:
    """Return bytes in MiB."""
    return f"{number(value / 2**20)} MiB"


def knee(found: Knee) -> str:
    """Say between which rates the knee lies, and what bounds it."""
    if found.good is None:
        return f"no rate was good, down to {rate(found.bad or 0.0)}"
    if found.bad is None:
        return f"{rate(found.good)} were good, and no more was tried"
    if found.why == "unsure":
        return f"at least {rate(found.good)}; at {rate(found.bad)} the generator fell behind"
    return f"{rate(found.good)} were good, {rate(found.bad)} too much"


def growth(held: Memory) -> str:
    """Say whether memory grew, with the interval of its slope."""
    if not held.readings:
        return "unknown"
    if held.trend is None:
        return "too few readings to say whether it grows"
    seen = held.trend.seconds
    low, high = _signed(held.trend.low * seen), _signed(held.trend.high * seen)
    between = f"between {low} and {high} MiB in {span(seen)}"
    return f"it grows, {between}" if held.trend.grows else f"no growth shown, {between}"


def _signed(size: float) -> str:
    return f"{'−' if size < 0 else '+'}{number(abs(size) / 2**20)}"
