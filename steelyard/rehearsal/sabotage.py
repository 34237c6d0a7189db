"""
Be a container whose model fails on command; run as `steelyard.rehearsal.sabotage SHARE ...`.

The container's own code runs unchanged. Only onnxruntime's session is patched, before the container
imports it: from the signal SIGUSR1 on, the given share of its runs raises.
"""

import hashlib
import random
import runpy
import signal
import sys
from collections import Counter
from collections.abc import Mapping
from typing import Any

import onnxruntime

MODULE = "inference"


class Chance:
    """
    Says which runs fail: a share of them, drawn anew for each repetition of the same input.

    Only the inputs decide and not their order, so requests under way together give the same report
    each time.
    """

    def __init__(self, share: float) -> None:
        self._share = share
        self._seen: Counter[str] = Counter()

    def strikes(self, content: bytes) -> bool:
        """Say whether the run on this input fails."""
        digest = hashlib.sha256(content).hexdigest()
        self._seen[digest] += 1
        return random.Random(f"{digest} {self._seen[digest]}").random() < self._share


def main(arguments: list[str]) -> None:
    """Patch, then run the container with the remaining arguments."""
    chance, rest = Chance(float(arguments[0])), arguments[1:]
    armed = False
    run = onnxruntime.InferenceSession.run

    def arm(_signal: int, _frame: Any) -> None:
        nonlocal armed
        armed = True

    def failing(session: Any, names: Any, tensors: Mapping[str, Any], *more: Any) -> Any:
        if armed and chance.strikes(b"".join(array.tobytes() for array in tensors.values())):
            raise RuntimeError("the rehearsal made this run fail")
        return run(session, names, tensors, *more)

    signal.signal(signal.SIGUSR1, arm)
    onnxruntime.InferenceSession.run = failing
    sys.argv = [MODULE, *rest]
    runpy.run_module(MODULE, run_name="__main__")


if __name__ == "__main__":
    main(sys.argv[1:])
