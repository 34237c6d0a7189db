"""Faults that a rehearsal injects into the challenger, from a named step on."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from steelyard.rehearsal.containers import ORDERS, Container
from steelyard.rehearsal.steps import step_of

# The module that the image runs, and the one in whose process the same image can be sabotaged.
IMAGE = ("inference",)
SABOTAGED = ("steelyard.rehearsal.sabotage", ORDERS)
# A longer median than two seconds would take some answers past the time that SageMaker waits for
# them, which is not played.
SLOWEST = 100

Kind = Literal["errors", "latency", "constant-output", "dead"]
_FAULT = re.compile(r"(?P<kind>[a-z-]+)(=(?P<value>[^@]+))?(@(?P<step>.+))?")
_SHARE = re.compile(r"(\d+(?:\.\d+)?)(%?)")
_FACTOR = re.compile(r"x(\d+(?:\.\d+)?)")


@dataclass(frozen=True)
class Fault:
    """
    One fault of the challenger's.

    `errors` fails a share of the requests, `latency` makes every answer some times as slow,
    `constant-output` gives one and the same score whatever is asked, `dead` ends the process.
    `size` is that share or factor, else 1; `step` is the index in the rollout's plan from whose
    weights on it happens.
    """

    kind: Kind
    size: float
    step: int
    text: str

    def command(self) -> tuple[str, ...]:
        """Return the module, and its arguments, whose container can fail so."""
        return SABOTAGED if self.kind in ("errors", "constant-output") else IMAGE

    def strike(self, container: Container) -> None:
        """Let it happen now."""
        if self.kind == "dead":
            container.kill()
        elif self.kind == "latency":
            container.slowdown = self.size
        else:
            container.order(f"{self.kind} {self.size}")


def parse(text: str, weights: Sequence[int]) -> Fault:
    """
    Read KIND[=VALUE][@STEP], for example errors=5%@25%, latency=x3@2 or dead@2.

    STEP is a step's number from 1, its weight (with a percent sign where it could be a number), or
    soak; without it the fault begins with the first step. `weights` are the plan's. Raises
    ValueError with what is allowed.
    """
    match = _FAULT.fullmatch(text.strip())
    if match is None or match["kind"] not in _SIZES:
        raise ValueError(
            f"fault {text!r}: allowed are errors=SHARE@STEP, latency=xFACTOR@STEP, "
            f"constant-output@STEP and dead@STEP: write for example errors=5%@2"
        )
    named = match["step"]
    step = 0 if named is None else step_of(f"fault {text!r}", named, weights)
    kind = cast("Kind", match["kind"])
    return Fault(kind, _SIZES[kind](text, kind, match["value"]), step, text)


def _share(text: str, kind: str, value: str | None) -> float:
    match = _SHARE.fullmatch(value or "")
    share = float(match[1]) / (100 if match[2] else 1) if match else 0.0
    if not 0 < share <= 1:
        raise ValueError(
            f"fault {text!r}: given the share {value!r}, allowed is above 0 up to 100%: write for "
            f"example {kind}=5%"
        )
    return share


def _factor(text: str, kind: str, value: str | None) -> float:
    match = _FACTOR.fullmatch(value or "")
    factor = float(match[1]) if match else 0.0
    if not 1 < factor <= SLOWEST:
        raise ValueError(
            f"fault {text!r}: given the factor {value!r}, allowed is above x1 up to x{SLOWEST}: "
            f"write for example {kind}=x3"
        )
    return factor


def _nothing(text: str, kind: str, value: str | None) -> float:
    if value is not None:
        raise ValueError(f"fault {text!r}: {kind} takes no value: write {kind}@STEP")
    return 1.0


_SIZES: Mapping[str, Callable[[str, str, str | None], float]] = {
    "errors": _share,
    "latency": _factor,
    "constant-output": _nothing,
    "dead": _nothing,
}
