"""What happens to a rehearsed rollout from outside: orders and mishaps, each at its time."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from steelyard.rehearsal.steps import step_of

# What each kind is, for people; each is carried out by `Outside` in `outside.py`.
KINDS: Mapping[str, str] = {
    "pause": "a person pauses the rollout",
    "resume": "a person resumes it",
    "approve": "a person approves what it waits for",
    "abort": "a person aborts it",
    "revert": "a person reverts it after its promotion",
    "start": "somebody starts a second rollout",
    "deploy": "somebody deploys the endpoint with another instance count",
    "config-change": "somebody gives the endpoint another config by hand",
    "stop-execution": "the execution is stopped",
    "kill-judge": "the judge is no longer woken",
    "kill-watchdog": "the watchdog is no longer woken",
}
# Who may end a rollout beside judge and alarm, once one of these has happened.
ENDED_BY: Mapping[str, frozenset[str]] = {
    "abort": frozenset({"operator"}),
    "revert": frozenset({"operator"}),
    "pause": frozenset({"engine", "watchdog"}),
    "config-change": frozenset({"engine", "watchdog"}),
    "stop-execution": frozenset({"engine", "watchdog"}),
    "kill-judge": frozenset({"engine", "watchdog"}),
}
# From these on the challenger's weight must go home, as from a fault on.
HARMFUL = frozenset({"abort", "revert", "config-change", "stop-execution", "kill-judge"})
# What must end the rollout that it happens to.
ENDING = HARMFUL - {"revert"}
# Refused as long as the rollout is under way.
REFUSED = frozenset({"start", "deploy"})
START, END = "start", "end"
_EVENT = re.compile(r"(?P<kind>[a-z-]+)@(?P<moment>[^+]+?)(\+(?P<delay>\d+)(?P<unit>[smh]))?")
_UNITS = {"s": 1.0, "m": 60.0, "h": 3600.0, None: 0.0}


@dataclass(frozen=True)
class Event:
    """
    One event: `delay` seconds after a moment of the rollout.

    `moment` is its start, its end, or the index of the step whose weights have come into force.
    """

    kind: str
    moment: str | int
    delay: float
    text: str

    @property
    def must_be_done(self) -> bool:
        """Whether it must be carried out; else it must be refused."""
        return self.kind not in REFUSED or self.moment == END


def parse(text: str, weights: Sequence[int]) -> Event:
    """
    Read KIND@MOMENT[+DELAY], for example pause@2+3m, abort@25% or revert@end+5m.

    MOMENT is start, end, or a step as a fault names it; DELAY is a number with s, m or h. `weights`
    are the plan's. Raises ValueError with what is allowed.
    """
    match = _EVENT.fullmatch(text.strip())
    if match is None or match["kind"] not in KINDS:
        raise ValueError(
            f"event {text!r}: allowed are KIND@MOMENT and KIND@MOMENT+DELAY, where KIND is one of "
            f"{', '.join(KINDS)}, MOMENT start, end or a step, and DELAY a number with s, m or h: "
            f"write for example pause@2+3m"
        )
    kind, name = match["kind"], match["moment"]
    if kind == "revert" and name != END:
        raise ValueError(
            f"event {text!r}: given {name}, allowed is end, since only a promotion is reverted: "
            f"write for example revert@end+5m"
        )
    moment = name if name in (START, END) else step_of(f"event {text!r}", name, weights)
    delay = float(match["delay"] or 0) * _UNITS[match["unit"]]
    return Event(kind, moment, delay, text.strip())


class Agenda:
    """The events that are to come; times are in virtual seconds."""

    def __init__(self, events: Sequence[Event]) -> None:
        self._open = list(events)
        self._moments: dict[str | int, float] = {}

    def begin(self, moment: str | int, at: float) -> None:
        """Note that a moment of the rollout has come; only its first time counts."""
        self._moments.setdefault(moment, at)

    def due(self, now: float) -> list[Event]:
        """Return the events that are due, the earliest first, each once."""
        at = self._times()
        found = sorted((event for event in at if at[event] <= now), key=at.__getitem__)
        self._open = [event for event in self._open if event not in found]
        return found

    def next(self, until: float) -> Event | None:
        """Return the first event that falls due by then; None when none does."""
        at = self._times()
        return min((event for event in at if at[event] <= until), key=at.__getitem__, default=None)

    @property
    def is_done(self) -> bool:
        """Whether nothing is to come of the moments that were."""
        return not self._times()

    def _times(self) -> dict[Event, float]:
        """Return when each event falls due whose moment has come."""
        known = [event for event in self._open if event.moment in self._moments]
        return {event: self._moments[event.moment] + event.delay for event in known}
