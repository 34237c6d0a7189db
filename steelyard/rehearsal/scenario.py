"""What a rehearsal plays."""

from collections.abc import Sequence
from dataclasses import dataclass

from steelyard.rehearsal.assembly import Assembly
from steelyard.rehearsal.events import Event
from steelyard.rehearsal.faults import Fault


@dataclass(frozen=True)
class Scenario:
    """
    One rollout to play, and how it must end.

    `plan` holds the challenger's weights, step by step; `is_worse` says that the challenger itself
    is the fault; in a shadow run the challenger answers copies only, and the plan asks for no
    weight. A rollout that has not ended after `longest_seconds` of virtual time never will.
    """

    name: str
    assembly: Assembly
    champion: str
    challenger: str
    plan: Sequence[int]
    faults: Sequence[Fault]
    is_worse: bool
    expected: str
    longest_seconds: float
    events: Sequence[Event] = ()
    is_shadow: bool = False
