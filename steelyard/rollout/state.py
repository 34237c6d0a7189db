"""Remember what the judge has seen, in integers and text, so that JSON keeps it exactly."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, replace
from typing import Any

from steelyard.rollout import evidence
from steelyard.rollout.counters import Point
from steelyard.rollout.policy import Policy


@dataclass(frozen=True)
class Tally:
    """
    What was judged of one variant.

    requests, errors: over the whole rollout; the rest since this step began: requests, histograms
    and newest minute with data (None: none yet).
    """

    requests: int = 0
    errors: int = 0
    step_requests: int = 0
    newest: int | None = None
    score: tuple[int, ...] = ()
    confidence: tuple[int, ...] = ()

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> "Tally":
        """Build the tally from its JSON form."""
        score, confidence = tuple(value["score"]), tuple(value["confidence"])
        return cls(**{**value, "score": score, "confidence": confidence})


@dataclass(frozen=True)
class State:
    """
    All that the judge remembers, in integers and text, so that JSON keeps it exactly.

    policy: digest; step: None before the first; entered_at: epoch second of the step's bake;
    last_minute: newest folded epoch minute; informative: minutes that weighed errors; wealth:
    millionths of a nat per effect; score_shift, confidence_shift: millionths of total variation;
    convictions: why to abort, from the first minute that convicted.
    """

    policy: str
    wealth: tuple[int, ...]
    step: int | None = None
    entered_at: int = 0
    last_minute: int | None = None
    informative: int = 0
    skipped: int = 0
    champion: Tally = Tally()
    challenger: Tally = Tally()
    score_shift: int = 0
    confidence_shift: int = 0
    convictions: tuple[str, ...] = ()

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> "State":
        """Build the state from its JSON form."""
        built = {
            "wealth": tuple(value["wealth"]),
            "champion": Tally.from_dict(value["champion"]),
            "challenger": Tally.from_dict(value["challenger"]),
            "convictions": tuple(value["convictions"]),
        }
        return cls(**{**value, **built})

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form, from which `from_dict` makes an equal state."""
        return asdict(self)


def start(policy: Policy) -> State:
    """Return the state before any step and any minute."""
    return State(policy=policy.digest(), wealth=evidence.start())


def enter(policy: Policy, state: State, step: int, at: float) -> State:
    """
    Start the bake of plan step `step` at epoch seconds `at`, its weights being verified.

    The same step at the same second changes nothing; at a later one, a resume, it starts its bake
    anew and keeps the evidence. Raises ValueError for a step that is neither the current nor the
    next one, or for another policy.
    """
    refuse_another(policy, state)
    allowed = (0,) if state.step is None else (state.step, state.step + 1)
    if step not in allowed or step >= len(policy.plan()):
        raise ValueError(
            f"step {step} cannot follow step {state.step} of {len(policy.plan())}: "
            f"enter one of {', '.join(map(str, allowed))}"
        )
    # Whole seconds, rounded up: a minute in which weights were still changing must not slip in.
    second = math.ceil(at)
    if step == state.step and second == state.entered_at:
        return state
    champion, challenger = (
        replace(tally, step_requests=0, newest=None) for tally in (state.champion, state.challenger)
    )
    entered = replace(state, entered_at=second, champion=champion, challenger=challenger)
    return entered if step == state.step else _emptied(entered, step)


def _emptied(state: State, step: int) -> State:
    # Histograms of different weights are never added up: were the champion's mix of requests to
    # drift meanwhile, the sums would differ though the variants agree in every minute.
    champion, challenger = (
        replace(tally, score=(), confidence=()) for tally in (state.champion, state.challenger)
    )
    return replace(
        state,
        step=step,
        score_shift=0,
        confidence_shift=0,
        champion=champion,
        challenger=challenger,
    )


def refuse_another(policy: Policy, state: State) -> None:
    """Raise ValueError unless `state` was started with `policy`."""
    if state.policy != policy.digest():
        raise ValueError(
            f"state belongs to policy {state.policy[:12]}, given is {policy.digest()[:12]}: "
            "judge a rollout by the policy it started with"
        )


def add(tally: Tally, point: Point) -> Tally:
    """Return the tally with one more minute in it."""
    return replace(
        tally,
        requests=tally.requests + point.n,
        errors=tally.errors + point.em,
        step_requests=tally.step_requests + point.n,
        score=_sum(tally.score, point.score),
        confidence=_sum(tally.confidence, point.conf),
    )


def _sum(histogram: tuple[int, ...], more: tuple[int, ...]) -> tuple[int, ...]:
    if not histogram:
        return more
    return tuple(a + b for a, b in zip(histogram, more, strict=True))
