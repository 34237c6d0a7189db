"""
Word one JSON line for each prediction, and one for each request that got none.

An input that is personal data has no way into a line: only features that the manifest does not mark
are ever picked from a record.
"""

import time
import traceback
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import orjson

from inference.contract.refusal import RefusedError
from inference.contract.schema import Record
from inference.scoring.prediction import Scored

MOST_NAMES = 20
LONGEST_NAME = 80


@dataclass(frozen=True, slots=True)
class Origin:
    """Where lines come from: the same in all lines of one process; None where nobody said it."""

    endpoint: str | None
    variant: str | None
    model_version: str


@dataclass(slots=True)
class Call:
    """What a line says of its request; `unknown` are names of fields the model does not know."""

    request_id: str
    inference_id: str | None
    unknown: Sequence[str] = ()


class Stamps:
    """Gives the time as lines have it: UTC, ISO 8601, to the millisecond."""

    def __init__(self) -> None:
        self._second = 0
        self._text = ""

    def now(self) -> str:
        """Give the present time; only the milliseconds are written anew within a second."""
        now = time.time()
        second = int(now)
        if second != self._second:
            self._second = second
            self._text = time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(second))
        return f"{self._text}.{int(1000 * (now - second)):03d}Z"


class Lines:
    """Words the lines of one model; `public` and `redacted` part the names of its features."""

    def __init__(self, origin: Origin, public: Sequence[str], redacted: Sequence[str]) -> None:
        self._origin = asdict(origin)
        self._public = tuple(public)
        self._redacted = dict.fromkeys(redacted, "redacted")
        # Encoded once: it begins the line of every prediction.
        self._beginning = orjson.dumps({"event": "prediction", **self._origin})[:-1] + b","

    def predictions(
        self,
        stamp: str,
        call: Call,
        seconds: float,
        records: Iterable[Record],
        scored: Iterable[Scored],
    ) -> list[bytes]:
        """Say what each record of a request was answered, `seconds` after its head came."""
        line: dict[str, Any] = {
            "time": stamp,
            "request_id": call.request_id,
            "inference_id": call.inference_id,
            "latency_ms": round(seconds * 1000, 3),
        }
        if call.unknown:
            line["unknown_fields"] = [name[:LONGEST_NAME] for name in call.unknown[:MOST_NAMES]]
        lines = []
        for row, (record, answer) in enumerate(zip(records, scored, strict=True)):
            line["row"] = row
            line["prediction"] = answer.prediction
            line["inputs"] = self._inputs(record)
            lines.append(self._beginning + orjson.dumps(line)[1:])
        return lines

    def rejection(self, stamp: str, call: Call, refused: RefusedError) -> bytes:
        """Say why a request was refused."""
        line = self._head("rejection", stamp, call)
        line["status"] = refused.status
        line["problems"] = [asdict(problem) for problem in refused.problems]
        return orjson.dumps(line)

    def failure(self, stamp: str, call: Call, error: Exception) -> bytes:
        """
        Say what failed, and where in the code.

        What the exception says is left out where the model has redacted features: it may hold one.
        """
        line = self._head("failure", stamp, call)
        line["error"] = type(error).__name__
        line["place"] = _place(error)
        if not self._redacted:
            line["message"] = str(error)
        return orjson.dumps(line)

    def _head(self, event: str, stamp: str, call: Call) -> dict[str, Any]:
        return {
            "event": event,
            "time": stamp,
            "request_id": call.request_id,
            "inference_id": call.inference_id,
            **self._origin,
        }

    def _inputs(self, record: Record) -> Record:
        if not self._redacted:
            return record
        inputs: Record = {name: record[name] for name in self._public}
        inputs.update(self._redacted)
        return inputs


def _place(error: Exception) -> str:
    """Name the line of code that raised; empty for what was never raised."""
    frames = traceback.extract_tb(error.__traceback__)
    if not frames:
        return ""
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno} {frames[-1].name}"
