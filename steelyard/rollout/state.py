"""Remember what the judge has seen, in integers and text, so that JSON keeps it exactly."""

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, replace
from typing import Any

from steelyard.rollout.counters import Point
from steelyard.rollout.policy import Policy

KEPT = 16
"""How many of the champion's worst minutes are remembered in each channel."""


@dataclass(frozen=True)
class Learned:
    """
    A histogram of all that was seen, and the one in use, renewed when there is twice as much.

    A histogram in use stays the same for long, so that what is derived from it need not be derived
    each minute.
    """

    used: tuple[int, ...] = ()
    seen: tuple[int, ...] = ()

    def add(self, histogram: tuple[int, ...]) -> "Learned":
        """Return it with one more minute; a source without histograms changes nothing."""
        if not histogram:
            return self
        seen = histogram
        if self.seen:
            seen = tuple(a + b for a, b in zip(self.seen, histogram, strict=True))
        used = seen if sum(seen) >= 2 * sum(self.used) else self.used
        return Learned(used, seen)


HISTOGRAMS = ("latency", "score", "confidence")


@dataclass(frozen=True)
class Tally:
    """
    What was seen of one variant.

    requests, errors, client_errors: judged over the whole rollout; since this step began:
    step_requests and newest, the newest minute with data (None: none yet); the rest: histograms,
    the champion's from before the rollout, too.
    """

    requests: int = 0
    errors: int = 0
    client_errors: int = 0
    step_requests: int = 0
    newest: int | None = None
    latency: Learned = Learned()
    score: Learned = Learned()
    confidence: Learned = Learned()

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> "Tally":
        """Build the tally from its JSON form."""
        histograms = {
            name: Learned(tuple(value[name]["used"]), tuple(value[name]["seen"]))
            for name in HISTOGRAMS
        }
        return cls(**{**value, **histograms})

    def learn(self, point: Point) -> "Tally":
        """Return the tally with a minute's histograms."""
        return replace(
            self,
            latency=self.latency.add(point.lat),
            score=self.score.add(point.score),
            confidence=self.confidence.add(point.conf),
        )

    def add(self, point: Point, is_current: bool) -> "Tally":
        """Return the tally with one more judged minute in it, of the current step or another."""
        return replace(
            self.learn(point),
            requests=self.requests + point.n,
            errors=self.errors + point.em,
            client_errors=self.client_errors + point.e4,
            step_requests=self.step_requests + (point.n if is_current else 0),
        )


@dataclass(frozen=True)
class State:
    """
    All that the judge remembers, in integers and text, so that JSON keeps it exactly.

    policy: digest; step: None before the first; entered_at: epoch second of the step's bake;
    began_at: of the first step's; last_minute: newest folded epoch minute; compared: minutes in
    which both variants were weighed, in all and in this step; listened: in which the champion had
    traffic; alarmed: how many were compared when recent evidence was last alarming; wealth:
    millionths of a nat per channel and effect, recent: of the last minutes; doubts: of the effect
    that is least excluded, per channel and as a part of its stake; champion_minutes: how
    many were seen, before the rollout, too; worst: the champion's worst minutes per channel, in
    millionths of its requests beyond the usual, worst first; usual: its bad requests per channel,
    and of how many; excluding: what each promotion test keeps, for each step that was entered;
    shared: how many were compared when both variants were last worse than usual; convictions: why
    to abort, from the first minute that convicted.
    """

    policy: str
    wealth: Mapping[str, tuple[int, ...]]
    recent: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    doubts: Mapping[str, int] = field(default_factory=dict)
    step: int | None = None
    entered_at: int = 0
    began_at: int = 0
    last_minute: int | None = None
    compared: int = 0
    step_compared: int = 0
    listened: int = 0
    alarmed: int | None = None
    skipped: int = 0
    champion: Tally = Tally()
    challenger: Tally = Tally()
    champion_minutes: int = 0
    worst: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    usual: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    excluding: Mapping[str, tuple[tuple[int, ...], ...]] = field(default_factory=dict)
    shared: int | None = None
    convictions: tuple[str, ...] = ()

    @classmethod
    def from_dict(cls, value: Mapping[str, Any]) -> "State":
        """Build the state from its JSON form."""
        built = {
            "wealth": {channel: tuple(logs) for channel, logs in value["wealth"].items()},
            "recent": {channel: tuple(logs) for channel, logs in value["recent"].items()},
            "worst": {channel: tuple(shares) for channel, shares in value["worst"].items()},
            "usual": {channel: tuple(counts) for channel, counts in value["usual"].items()},
            "excluding": {
                test: tuple(tuple(sums) for sums in kept)
                for test, kept in value["excluding"].items()
            },
            "champion": Tally.from_dict(value["champion"]),
            "challenger": Tally.from_dict(value["challenger"]),
            "convictions": tuple(value["convictions"]),
        }
        return cls(**{**value, **built})

    def to_dict(self) -> dict[str, Any]:
        """Return the JSON form, from which `from_dict` makes an equal state."""
        return asdict(self)


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
    return replace(
        state,
        step=step,
        entered_at=second,
        began_at=second if state.step is None else state.began_at,
        step_compared=state.step_compared if step == state.step else 0,
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
