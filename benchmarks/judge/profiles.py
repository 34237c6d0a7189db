"""Our judge under other policies: the same rollouts, other words in the spec."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from steelyard.rollout import protocol
from steelyard.rollout.judge import Judge

MARGINS = ("margin_err_rel", "margin_err_abs", "margin_latency_rel", "margin_score_tv")
BAKES = ("FEWEST_TICKS", "MOST_TICKS", "ENOUGH_REQUESTS")
"""What the judge's bakes under the protocol are made of."""


@dataclass(frozen=True)
class Profile:
    """
    A factory of our judge that is told another policy.

    spec: what the spec says instead; margin: the promotion margin, as a multiple of every tolerance
    (None: there is none); bakes: how many times as long each step bakes.
    """

    spec: Mapping[str, Any] = field(default_factory=dict)
    margin: float | None = None
    bakes: float = 1.0

    def __call__(self, start: Mapping[str, Any]) -> Judge:
        """Return the judge of one rollout."""
        spec = {**start["spec"], **self.spec}
        if self.margin is not None:
            spec["promotion_margin"] = widened(start["spec"], self.margin)
        with _baking(self.bakes):
            return Judge({**start, "spec": spec})


OURS = Profile()
PATIENT = Profile({"patience_minutes": 2})


def widened(spec: Mapping[str, Any], factor: float) -> dict[str, float]:
    """Return every tolerance of a spec, `factor` times as wide."""
    return {name: factor * spec[name] for name in MARGINS}


@contextmanager
def _baking(factor: float) -> Iterator[None]:
    """Let judges that begin meanwhile bake `factor` times as long: the protocol asks for none."""
    usual = {name: getattr(protocol, name) for name in BAKES}
    try:
        for name, value in usual.items():
            setattr(protocol, name, round(factor * value))
        yield
    finally:
        for name, value in usual.items():
            setattr(protocol, name, value)
