"""Read and check a rollout's policy: steps, times, tolerances and the accepted error rate."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from functools import lru_cache
from itertools import pairwise
from typing import Any, Literal

from steelyard.rollout.conduct import Conduct, read_conduct
from steelyard.rollout.fields import (
    DIGITS,
    NOT_NEGATIVE,
    SHARE,
    Rule,
    at_least,
    number_of,
    read_numbers,
)

SCHEMA = 1


class PolicyError(ValueError):
    """The policy cannot be used; `problems` holds every reason, one sentence each."""

    def __init__(self, problems: tuple[str, ...]):
        super().__init__("; ".join(problems))
        self.problems = problems


@dataclass(frozen=True)
class Step:
    """One weight of the challenger (integer of 100) and how long it bakes, in seconds."""

    weight: int
    bake_seconds: int


@dataclass(frozen=True)
class Tolerance:
    """
    How much worse a challenger may be and still be harmless.

    Errors: p_challenger <= (1 + errors_relative) * p_champion + errors_absolute.
    Latency: every answer of the champion takes 1 + latency times as long.
    Predictions: total variation beyond the expected one.
    """

    errors_relative: float
    errors_absolute: float
    latency: float
    predictions: float


@dataclass(frozen=True)
class Expected:
    """Total variation between the variants' histograms on the same held-out rows."""

    score: float
    confidence: float


Undecided = Literal["pause", "advance"]


@dataclass(frozen=True)
class Policy:
    """
    What a rollout may do and when; every duration is in seconds.

    undecided: what happens to a step that is not decided after `longest_seconds`;
    patience_minutes: how many bad minutes a conviction takes at least (1: one that is gross, else
    two); warmup_seconds: how long after the first step's start latency is not judged;
    latency_edges: the inner edges of the latency histograms, in seconds (none: not judged);
    promotion_margin: how much worse a challenger may be and still advance without evidence against
    it, as wide as `tolerance` or wider (None: what the evidence does not show is let through);
    false_promotion: the accepted probability that one worse than that advances on evidence.
    """

    steps: tuple[Step, ...]
    soak_seconds: int
    longest_seconds: int
    pause_seconds: int
    settle_seconds: int
    false_rollback: float
    tolerance: Tolerance
    expected: Expected
    minimum_requests: int
    undecided: Undecided = "pause"
    patience_minutes: int = 1
    warmup_seconds: int = 0
    latency_edges: tuple[float, ...] = ()
    promotion_margin: Tolerance | None = None
    false_promotion: float = 0.05
    conduct: Conduct = field(default_factory=Conduct)

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> "Policy":
        """Build the policy that `value` says; raises PolicyError with every problem at once."""
        problems: list[str] = []
        steps = _steps(value.get("steps"), problems)
        fields = read_numbers(value, "", POLICY, problems)
        tolerance = read_numbers(value.get("tolerance"), "tolerance.", TOLERANCE, problems)
        expected = read_numbers(value.get("expected"), "expected.", EXPECTED, problems)
        fields["undecided"] = _undecided(value.get("undecided"), problems)
        fields["latency_edges"] = _edges(value.get("latency_edges"), problems)
        fields["promotion_margin"] = _margin(value.get("promotion_margin"), tolerance, problems)
        fields["conduct"] = read_conduct(value.get("conduct"), problems)
        problems += _relations(steps, fields)
        if problems:
            raise PolicyError(tuple(problems))
        kept = {name: field for name, field in fields.items() if name != "schema"}
        return cls(
            steps=steps, tolerance=Tolerance(**tolerance), expected=Expected(**expected), **kept
        )

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form, from which `from_dict` makes an equal policy."""
        fields = asdict(self)
        lists = {
            "steps": [asdict(step) for step in self.steps],
            "latency_edges": list(self.latency_edges),
            "conduct": self.conduct.to_dict(),
        }
        return {"schema": SCHEMA, **fields, **lists}

    def digest(self) -> str:
        """Return the policy's name: sha256 (hex) of its canonical JSON."""
        return _digest(self)

    def plan(self) -> tuple[Step, ...]:
        """Return all steps, the last being weight 100 for the soak time."""
        return (*self.steps, Step(100, self.soak_seconds))


@lru_cache(maxsize=16)
def _digest(policy: Policy) -> str:
    # Each minute that is folded asks for it: anew, it would take a quarter of the judge's time.
    return hashlib.sha256(canonical(policy.to_dict()).encode()).hexdigest()


def canonical(value: Any) -> str:
    """
    Return the one JSON text of `value`: sorted keys, no spaces, floats to 6 digits.

    Raises ValueError for NaN and infinities, TypeError for what JSON cannot say.
    """
    return json.dumps(_rounded(value), sort_keys=True, separators=(",", ":"), allow_nan=False)


def _rounded(value: Any) -> Any:
    if isinstance(value, float):
        return round(value, DIGITS) + 0.0  # + 0.0: minus zero has a second spelling
    if isinstance(value, Mapping):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_rounded(item) for item in value]
    return value


_ALPHA = Rule(False, "a number above 0 and below 0.5", lambda number: 0 < number < 0.5)
_SCHEMA = Rule(True, f"{SCHEMA}", lambda number: number == SCHEMA)
_WEIGHT = Rule(True, "an integer in 1..99", lambda number: 1 <= number <= 99)

POLICY: Mapping[str, Rule | None] = {
    "schema": _SCHEMA,
    "steps": None,
    "soak_seconds": at_least(1),
    "longest_seconds": at_least(1),
    "pause_seconds": at_least(0),
    "settle_seconds": at_least(0),
    "false_rollback": _ALPHA,
    "tolerance": None,
    "expected": None,
    "minimum_requests": at_least(1),
    "undecided": None,
    "patience_minutes": Rule(True, "1 or 2", lambda number: number in (1, 2)),
    "warmup_seconds": at_least(0),
    "latency_edges": None,
    "promotion_margin": None,
    "false_promotion": _ALPHA,
    "conduct": None,
}
TOLERANCE = {
    "errors_relative": NOT_NEGATIVE,
    "errors_absolute": SHARE,
    "latency": NOT_NEGATIVE,
    "predictions": SHARE,
}
EXPECTED = {"score": SHARE, "confidence": SHARE}
STEP = {"weight": _WEIGHT, "bake_seconds": at_least(1)}


def _steps(value: Any, problems: list[str]) -> tuple[Step, ...]:
    if not isinstance(value, list | tuple) or not value:
        problems.append(f"steps is {value!r}: give a list with at least one weight and bake time")
        return ()
    before = len(problems)
    fields = [
        read_numbers(step, f"steps[{index}].", STEP, problems) for index, step in enumerate(value)
    ]
    if len(problems) > before:
        return ()
    steps = tuple(Step(**field) for field in fields)
    problems += [
        f"steps[{index}].weight is {after.weight} after {step.weight}: "
        "weights must rise, reorder the steps"
        for index, (step, after) in enumerate(pairwise(steps), start=1)
        if after.weight <= step.weight
    ]
    return steps


def _undecided(value: Any, problems: list[str]) -> Undecided:
    if value not in ("pause", "advance"):
        problems.append(f"undecided is {value!r}: it must be 'pause' or 'advance'")
    return "advance" if value == "advance" else "pause"


def _edges(value: Any, problems: list[str]) -> tuple[float, ...]:
    rule = Rule(False, "a number above 0", lambda number: number > 0)
    given = value if isinstance(value, list | tuple) else [None]
    edges = [number_of(edge, rule) for edge in given]
    known = tuple(edge for edge in edges if edge is not None)
    rises = all(low < high for low, high in pairwise(known))
    if len(known) < len(edges) or not rises or len(known) == 1:
        problems.append(
            f"latency_edges is {value!r}: give two seconds or more, above 0 and rising, or none"
        )
    return known


def _margin(value: Any, tolerance: Mapping[str, float], problems: list[str]) -> Tolerance | None:
    if value is None:
        return None
    before = len(problems)
    margin = read_numbers(value, "promotion_margin.", TOLERANCE, problems)
    if len(problems) > before:
        return None
    problems += [
        f"promotion_margin.{name} is {margin[name]}, below the tolerance of {tolerance[name]}: "
        f"what is tolerated may advance, raise it"
        for name in TOLERANCE
        if tolerance.get(name) is not None and margin[name] < tolerance[name]
    ]
    return Tolerance(**margin)


def _relations(steps: tuple[Step, ...], fields: Mapping[str, Any]) -> list[str]:
    longest, soak = fields.get("longest_seconds"), fields.get("soak_seconds")
    bakes = [step.bake_seconds for step in steps] + ([soak] if soak is not None else [])
    if longest is None or not bakes or longest > max(bakes):
        return []
    return [
        f"longest_seconds is {longest}, not above the longest bake or soak of {max(bakes)}: "
        f"no such step could advance before it pauses, raise it above {max(bakes)}"
    ]
