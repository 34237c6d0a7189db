"""What endpoint.yaml may say of a rollout: when traffic moves, and who has a say in it."""

from dataclasses import replace
from typing import Annotated, Literal

from pydantic import Field

from steelyard.rollout import policy
from steelyard.rollout.conduct import Conduct, Gate, ScaleOut, Window
from steelyard.rollout.policy import Expected, Policy
from steelyard.rollout.shadow import WEIGHT
from steelyard.spec.moment import Moment, length
from steelyard.spec.part import Count, Part
from steelyard.spec.quantities import LONGEST_DAYS, Share, WholeSeconds

# The judge waits this long for a minute's counters: the settle time that section 7 of the
# observability notes starts with for counters published every 10 seconds; to be measured.
SETTLE_SECONDS = 90
# How long a shadow run waits at most until its variant answers.
STANDING_SECONDS = 1800


class Step(Part):
    """One weight of the challenger and the least time under watch there."""

    weight: Annotated[
        int,
        Field(
            ge=1,
            le=99,
            strict=True,
            description="a whole number from 1 to 99, not in quotes; the soak has 100 by itself",
            examples=["5"],
        ),
    ]
    bake: WholeSeconds


class Tolerance(Part):
    """How much worse, or other, a challenger may be without harm."""

    errors_relative: Share = 0.5
    errors_absolute: Annotated[
        Share, Field(lt=1, description="a percentage below 100%", examples=["0.1%"])
    ] = 0.001
    latency: Share = 0.2
    predictions: Share = 0.1


class Margin(Part):
    """How much worse, or other, a challenger may be and still advance on evidence."""

    errors_relative: Share = 1.0
    errors_absolute: Annotated[
        Share, Field(lt=1, description="a percentage below 100%", examples=["2%"])
    ] = 0.02
    latency: Share = 1.0
    predictions: Share = 0.3

    def at_least(self, tolerance: Tolerance) -> dict[str, float]:
        """Return the margin, nowhere narrower than what is tolerated."""
        return {
            name: max(value, getattr(tolerance, name)) for name, value in self.model_dump().items()
        }


class Shadow(Part):
    """A run in which the challenger answers copies of requests, before it serves anybody."""

    bake: WholeSeconds | None = None
    required: Annotated[
        bool, Field(strict=True, description="true or false", examples=["true"])
    ] = False


class Freeze(Part):
    """A time in which no weight is raised."""

    begin: Annotated[Moment, Field(alias="from")]
    until: Moment


class Rollout(Part):
    """When traffic moves, who has a say in it, and what the judge may take for harmless."""

    steps: Annotated[
        list[Step],
        Field(
            min_length=1,
            description="a list of one step or more",
            examples=["- {weight: 5, bake: 15 minutes}"],
        ),
    ]
    soak: WholeSeconds
    longest: WholeSeconds = 3600
    pause: WholeSeconds = 7200
    minimum_requests: Count = 50
    false_rollback: Annotated[
        Share,
        Field(gt=0, lt=0.5, description="a percentage above 0% and below 50%", examples=["1%"]),
    ] = 0.01
    tolerance: Tolerance = Tolerance()
    undecided: Literal["pause", "advance"] = "pause"
    patience: Literal["one minute", "two minutes"] = "one minute"
    warm_up: WholeSeconds = 120
    promotion_margin: Margin = Margin()
    false_promotion: Annotated[
        Share,
        Field(gt=0, lt=0.5, description="a percentage above 0% and below 50%", examples=["5%"]),
    ] = 0.05
    confirm: list[Gate] = []
    freeze: list[Freeze] = []
    deadline: WholeSeconds | None = None
    headroom: Annotated[
        Share, Field(lt=1, description="a percentage below 100%", examples=["30%"])
    ] = 0.3
    champion_scale_out: ScaleOut = "hold"
    shadow: Shadow = Shadow()

    def policy(self, expected: Expected, latency_edges: tuple[float, ...]) -> Policy:
        """
        Return the policy of a rollout, as every Lambda reads it.

        `expected` is how the versions differ on the held-out rows, `latency_edges` (seconds) are
        the inner edges of their latency histograms.
        """
        return Policy(
            steps=tuple(policy.Step(step.weight, step.bake) for step in self.steps),
            soak_seconds=self.soak,
            longest_seconds=self.longest,
            pause_seconds=self.pause,
            settle_seconds=SETTLE_SECONDS,
            false_rollback=self.false_rollback,
            tolerance=policy.Tolerance(**self.tolerance.model_dump()),
            expected=expected,
            minimum_requests=self.minimum_requests,
            undecided=self.undecided,
            patience_minutes=1 if self.patience == "one minute" else 2,
            warmup_seconds=self.warm_up,
            latency_edges=latency_edges,
            promotion_margin=policy.Tolerance(**self.promotion_margin.at_least(self.tolerance)),
            false_promotion=self.false_promotion,
            conduct=self._conduct(),
        )

    def shadow_policy(self, expected: Expected, latency_edges: tuple[float, ...]) -> Policy:
        """
        Return the policy of a shadow run: as strict as a rollout's, with one step and no gate.

        A pass is evidence, so the undecided run always waits for a person; a freeze and the
        gates are about weights, of which it raises none.
        """
        bake = self.shadow.bake or max(step.bake for step in self.steps)
        way = STANDING_SECONDS + self.longest + self.pause
        return replace(
            self.policy(expected, latency_edges),
            steps=(policy.Step(WEIGHT, bake),),
            # Never played, and no longer than the bake, so that `longest` is above both.
            soak_seconds=bake,
            undecided="pause",
            conduct=Conduct(deadline_seconds=min(way, LONGEST_DAYS * 86400)),
        )

    def _conduct(self) -> Conduct:
        return Conduct(
            confirm=tuple(self.confirm),
            freeze=self._windows(),
            deadline_seconds=self.deadline or self._longest_way(),
            headroom=self.headroom,
            champion_scale_out=self.champion_scale_out,
        )

    def _windows(self) -> tuple[Window, ...]:
        return tuple(
            Window(it.begin.weekly, it.begin.seconds, it.until.seconds) for it in self.freeze
        )

    def _longest_way(self) -> int:
        """Return the seconds that a rollout takes which waits wherever it may, at most 30 days."""
        steps, gates = len(self.steps) + 1, len(self.confirm)
        rest = sum(length(it.begin, it.until) for it in self.freeze)
        way = steps * (self.longest + self.pause) + gates * self.pause + rest
        return min(way, LONGEST_DAYS * 86400)
