"""
Be a container whose model fails on command; run as `steelyard.rehearsal.sabotage ORDERS ...`.

The container's own code runs unchanged. Only onnxruntime's session is patched, before the container
imports it: at the signal SIGUSR1 it reads the file ORDERS, and obeys that from then on, one order a
line: `errors SHARE` lets that share of the runs raise, `constant-output 1` gives every row the same
answer.
"""

import hashlib
import random
import runpy
import signal
import sys
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import onnxruntime

MODULE = "inference"
Run = Callable[..., Sequence[Any]]


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


class Sabotage:
    """
    Runs of a model, sound until there are orders.

    The constant answer is the one to the first row of all, which is the same in each rehearsal: the
    container warms its model before it serves.
    """

    def __init__(self, run: Run) -> None:
        self._run = run
        self._first: list[Any] = []
        self._chance: Chance | None = None
        self._is_constant = False

    def obey(self, orders: str) -> None:
        """Do from now on what the lines of `orders` say."""
        for kind, size in (line.split() for line in orders.splitlines()):
            if kind == "errors":
                self._chance = Chance(float(size))
            else:
                self._is_constant = True

    def run(self, session: Any, names: Any, tensors: Mapping[str, Any], *more: Any) -> Any:
        """Run the session as ordered; raises RuntimeError for a run that is to fail."""
        rows = next(iter(tensors.values()))
        if self._chance and self._chance.strikes([row.tobytes() for row in rows]):
            raise RuntimeError("the rehearsal made this run fail")
        outputs = self._run(session, names, tensors, *more)
        self._first = self._first or [output[:1] for output in outputs]
        if self._is_constant:
            return [first.repeat(len(rows), axis=0) for first in self._first]
        return outputs


def main(arguments: list[str]) -> None:
    """Patch, then run the container with the remaining arguments."""
    orders, rest = Path(arguments[0]).absolute(), arguments[1:]
    sabotage = Sabotage(onnxruntime.InferenceSession.run)
    signal.signal(signal.SIGUSR1, lambda *_: sabotage.obey(orders.read_text("utf-8")))

    def run(session: Any, *given: Any) -> Any:  # a function, so that it is bound as a method
        return sabotage.run(session, *given)

    onnxruntime.InferenceSession.run = run
    sys.argv = [MODULE, *rest]
    runpy.run_module(MODULE, run_name="__main__")


if __name__ == "__main__":
    main(sys.argv[1:])
