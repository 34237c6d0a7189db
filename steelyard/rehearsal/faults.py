"""Faults that a rehearsal injects into the challenger's process, from a named step on."""

import re
import signal
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from steelyard.rehearsal.containers import Container

# The module that the image runs.
IMAGE = ("inference",)
_FAULT = re.compile(r"(?P<kind>[a-z-]+)(=(?P<value>[^@]+))?(@(?P<step>.+))?")
_SHARE = re.compile(r"(\d+(?:\.\d+)?)(%?)")


@dataclass(frozen=True)
class Fault:
    """
    One fault: `errors` fails a share of the requests, `dead` ends the process.

    `step` is the index in the rollout's plan from whose weights on it happens.
    """

    kind: Literal["errors", "dead"]
    share: float
    step: int
    text: str

    def command(self) -> tuple[str, ...]:
        """Return the module, and its arguments, whose container can fail so."""
        if self.kind == "errors":
            return ("steelyard.rehearsal.sabotage", str(self.share))
        return IMAGE

    def strike(self, container: Container) -> None:
        """Let it happen now."""
        if self.kind == "dead":
            container.kill()
        else:
            container.process.send_signal(signal.SIGUSR1)


def parse(text: str, weights: Sequence[int]) -> Fault:
    """
    Read KIND[=VALUE][@STEP], for example errors=5%@25% or dead@2.

    STEP is a step's number from 1, its weight (with a percent sign where it could be a number), or
    soak; without it the fault begins with the first step. `weights` are the plan's. Raises
    ValueError with what is allowed.
    """
    match = _FAULT.fullmatch(text.strip())
    if match is None or match["kind"] not in ("errors", "dead"):
        raise ValueError(
            f"fault {text!r}: allowed are errors=SHARE@STEP and dead@STEP: write for example "
            f"errors=5%@2"
        )
    step = _step(text, match["step"], weights)
    if match["kind"] == "dead":
        if match["value"] is not None:
            raise ValueError(f"fault {text!r}: dead takes no value: write dead@STEP")
        return Fault("dead", 1.0, step, text)
    return Fault("errors", _share(text, match["value"]), step, text)


def _share(text: str, value: str | None) -> float:
    match = _SHARE.fullmatch(value or "")
    share = float(match[1]) / (100 if match[2] else 1) if match else 0.0
    if not 0 < share <= 1:
        raise ValueError(
            f"fault {text!r}: given the share {value!r}, allowed is above 0 up to 100%: write for "
            f"example errors=5%"
        )
    return share


def _step(text: str, name: str | None, weights: Sequence[int]) -> int:
    names = {str(weight): index for index, weight in enumerate(weights)}
    names |= {f"{weight}%": index for index, weight in enumerate(weights)}
    # A plain number is a step's number first, and a weight only where no step has that number.
    names |= {str(index + 1): index for index in range(len(weights))}
    names["soak"] = len(weights) - 1
    if name is None:
        return 0
    if name not in names:
        raise ValueError(
            f"fault {text!r}: given the step {name!r}, allowed are 1 to {len(weights)}, by weight "
            f"{', '.join(f'{weight}%' for weight in weights)}, and soak: name one of them"
        )
    return names[name]
