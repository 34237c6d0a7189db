"""Numbers and times as the pages say them."""


def clock(seconds: float) -> str:
    """Return a point in time as minutes and seconds, `75:04`; minutes go on past 60."""
    whole = round(seconds)
    minutes, rest = divmod(abs(whole), 60)
    return f"{'−' if whole < 0 else ''}{minutes}:{rest:02d}"


def span(seconds: float) -> str:
    """Return a duration in its two largest units: `6.1 s`, `3 min 14 s`, `2 h 5 min`."""
    if seconds < 59.95:
        return f"{seconds:.3g} s"
    whole = round(seconds)
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes} min {rest} s" if rest else f"{minutes} min"
    hours, minutes = divmod(round(whole / 60), 60)
    return f"{hours} h {minutes} min" if minutes else f"{hours} h"


def number(value: float) -> str:
    """Return a number with three significant digits, or all digits before the point if more."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}"


def plural(count: int, word: str) -> str:
    """Return a count with its noun: `1 rollout`, `1,200 rollouts`."""
    return f"{count:,} {word}{'' if count == 1 else 's'}"
