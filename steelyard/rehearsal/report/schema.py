"""What report.json says, declared once: the page is drawn from it and a report is checked by it.

Times are virtual seconds from the rehearsal's start, unless a field says otherwise.
"""

import json
import reprlib
from collections.abc import Mapping
from typing import Any, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator


class ReportError(ValueError):
    """The report says something that report.json may not say; the message lists every problem."""


class Part(BaseModel):
    """A part of the report: no key too many, no number in a string, no NaN."""

    model_config = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class Phase(Part):
    """What the rehearsal spent its wall time on."""

    name: str
    seconds: float


class Traffic(Part):
    """The requests that the rehearsal sent, and the seed that makes them again."""

    requests_per_minute: float
    seed: int


class Weight(Part):
    """A current weight that changed."""

    t_seconds: float
    variant: str
    weight: int


class Step(Part):
    """A step that began; `t_end` is absent when the rollout ended inside it."""

    index: int
    weight: int
    t_start: float
    t_end: float | None


class Answers(Part):
    """What one variant answered in one minute."""

    requests: int
    errors: int


class Minute(Part):
    """One virtual minute, named by its beginning."""

    t_seconds: float
    variants: dict[str, Answers]


class Scores(Part):
    """A histogram of the predictions a variant served: n + 1 ascending edges around n counts."""

    edges: tuple[float, ...]
    counts: tuple[int, ...]

    @model_validator(mode="after")
    def _edges_enclose_counts(self) -> Self:
        if len(self.edges) != len(self.counts) + 1:
            raise ValueError(f"{len(self.counts) + 1} edges for {len(self.counts)} counts")
        return self


class Decision(Part):
    """One verdict; `evidence` holds pairs `<channel>` and `<channel>_limit`, null if unmeasured."""

    t_seconds: float
    step: int
    outcome: Literal["continue", "advance", "pause", "abort", "promote"]
    reasons: tuple[str, ...]
    evidence: dict[str, float | None]


class Alarm(Part):
    """A change of an alarm's state."""

    t_seconds: float
    name: str
    state: Literal["OK", "ALARM", "INSUFFICIENT_DATA"]
    reason: str


class Event(Part):
    """What somebody or something did from outside, whether it was carried out, what was said."""

    t_seconds: float
    event: str
    done: bool
    said: str


class Record(Part):
    """One line of the ledger."""

    seq: int
    t_seconds: float
    kind: Literal["requested", "measured", "decided", "acted"]
    actor: str
    reason: str


class Rollout(Part):
    """One rehearsed rollout; `fault` and `t_fault` are absent when none was injected.

    `bad_requests` counts the challenger's answers from fault to weight 0.
    """

    scenario: str
    endpoint: str
    champion: str
    challenger: str
    fault: str | None
    expected: Literal["promoted", "passed", "aborted"]
    outcome: Literal["promoted", "passed", "aborted"]
    passed: bool
    problems: tuple[str, ...]
    reason: str
    caught_by: Literal["judge", "alarm", "engine", "operator", "watchdog"] | None
    weights: tuple[Weight, ...]
    requests: int
    bad_requests: int
    seconds_from_fault_to_safe: float | None
    t_start: float
    t_end: float
    t_fault: float | None
    steps: tuple[Step, ...]
    minutes: tuple[Minute, ...]
    scores: dict[str, Scores]
    decisions: tuple[Decision, ...]
    alarms: tuple[Alarm, ...]
    events: tuple[Event, ...]
    ledger: tuple[Record, ...]

    @model_validator(mode="after")
    def _a_pass_has_nothing_against_it(self) -> Self:
        if self.passed and (self.problems or self.outcome != self.expected):
            raise ValueError("passed only with the expected outcome and without problems")
        return self

    @model_validator(mode="after")
    def _scores_share_their_edges(self) -> Self:
        if len({scores.edges for scores in self.scores.values()}) > 1:
            raise ValueError("the same score edges for every variant, else no bin compares")
        return self


class Report(Part):
    """A rehearsal: what was played, what came of it, and what it cannot show."""

    version: Literal[1] = Field(alias="schema")
    endpoint: str
    environment: str
    simulated: tuple[str, ...]
    unverified: tuple[str, ...]
    phases: tuple[Phase, ...]
    virtual_seconds: float
    traffic: Traffic
    rollouts: tuple[Rollout, ...]


def canonical(report: Mapping[str, Any]) -> str:
    """Return the bytes-for-bytes repeatable JSON text of a report: sorted keys, 2 spaces."""
    return json.dumps(report, sort_keys=True, indent=2, ensure_ascii=False) + "\n"


def parse(text: str) -> Report:
    """Return the report that a JSON text holds, or raise ReportError with every problem."""
    try:
        return Report.model_validate_json(text)
    except ValidationError as error:
        problems = "; ".join(_sentence(problem) for problem in error.errors(include_url=False))
        raise ReportError(f"{problems}; correct what the rehearsal handed over") from error


def _sentence(problem: Mapping[str, Any]) -> str:
    where = ".".join(str(part) for part in problem["loc"])
    match problem["type"]:
        case "missing":
            return f"{where} is missing"
        case "extra_forbidden":
            return f"{where} is not a key of report.json"
    allowed = problem["msg"].removeprefix("Input should be ").removeprefix("Value error, ")
    if isinstance(problem["input"], dict):
        return f"{where}: allowed is {allowed}"
    return f"{where}: given {reprlib.repr(problem['input'])}, allowed is {allowed}"
