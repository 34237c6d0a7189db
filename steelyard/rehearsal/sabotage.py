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
from collections.abc import Mapping, Sequence
from typing import Any

import onnxruntime

MODULE = "inference"


class Chance:
    """
    Says which rows fail: a share of them, drawn anew for each repetition of the same row.

    Only the inputs decide and not their order, nor which of them share a run, so requests under way
    together give the same report each time.
    """

    def __init__(self, share: float) -> None:
        self._share = share
        self._seen: Counter[str] = Counter()

    def strikes(self, rows: Sequence[bytes]) -> bool:
        """
        Say whether the run on these rows fails.

        A run of several fails if any row would fail alone, and then is no repetition: the container
        scores the rows one by one after it, and each is drawn then. So a single request of several
        rows that fails will fail each time.
        """
        seen = self._seen.copy()
        fails = any(self._draw(row, seen) for row in rows)
        if len(rows) == 1 or not fails:
            self._seen = seen
        return fails

    def _draw(self, row: bytes, seen: "Counter[str]") -> bool:
        digest = hashlib.sha256(row).hexdigest()
        seen[digest] += 1
        return random.Random(f"{digest} {seen[digest]}").random() < self._share


def main(arguments: list[str]) -> None:
    """Patch, then run the container with the remaining arguments."""
    chance, rest = Chance(float(arguments[0])), arguments[1:]
    armed = False
    run = onnxruntime.InferenceSession.run

    def arm(_signal: int, _frame: Any) -> None:
        nonlocal armed
        armed = True

    def failing(session: Any, names: Any, tensors: Mapping[str, Any], *more: Any) -> Any:
        rows = next(iter(tensors.values()))
        if armed and chance.strikes([row.tobytes() for row in rows]):
            raise RuntimeError("the rehearsal made this run fail")
        return run(session, names, tensors, *more)

    signal.signal(signal.SIGUSR1, arm)
    onnxruntime.InferenceSession.run = failing
    sys.argv = [MODULE, *rest]
    runpy.run_module(MODULE, run_name="__main__")


if __name__ == "__main__":
    main(sys.argv[1:])
