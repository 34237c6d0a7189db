"""Answer POST /invocations: read, check, score, record, count, write."""

import itertools
import secrets
import time
from asyncio import Future, get_running_loop
from collections.abc import Mapping, Sequence
from contextlib import suppress
from operator import attrgetter

import orjson

from inference.contract import formats
from inference.contract.refusal import Problem, Reason, RefusedError, overloaded
from inference.contract.schema import Record
from inference.counting.layout import Outcome
from inference.counting.metrics import Metrics
from inference.http.body import Bodies, GoneError, Receive
from inference.output import Streams
from inference.record import Call, Lines, Stamps
from inference.scoring.model import Model
from inference.scoring.prediction import Prediction, Scored
from inference.scoring.turn import Job, Row, TooLateError, Turns
from inference.settings import Settings

Headers = list[tuple[bytes, bytes]]
Answer = tuple[int, Headers, bytes]

JSON = (b"content-type", b"application/json")
ATTRIBUTES = b"x-amzn-sagemaker-custom-attributes"
"""What a caller of InvokeEndpoint sends and gets as CustomAttributes (SageMaker API reference)."""
INFERENCE_ID = b"x-amzn-sagemaker-inference-id"
LONGEST_ID = 64
"""Characters of an InferenceId (SageMaker API reference, InvokeEndpoint)."""
EXPLAIN = b"explain=true"
MOST_EXPLANATIONS = 8
"""Requests for one that may wait at a time: each is tens of milliseconds of work."""
UNREAD: Mapping[int, Reason] = {408: "incomplete", 431: "too_long", 503: "overloaded"}
"""Why HTTP itself refuses a request, by status."""
FLUSH_SECONDS = 0.25
_IS_SOUND = attrgetter("is_sound")
FAILED = {
    "field": "",
    "problem": "the model failed on this request; the log of the endpoint says how",
}


class NotSoundError(Exception):
    """The model answered with numbers that are no prediction."""


class Invocation(Job):
    """A job with what is recorded of it."""

    __slots__ = ("call", "records")

    def __init__(
        self,
        rows: Sequence[Row],
        since: float,
        future: Future[None],
        call: Call,
        records: Sequence[Record],
    ) -> None:
        super().__init__(rows, since, future)
        self.call = call
        self.records = records


class Invocations:
    """The way from a request to its answer; one event loop runs all of it but slow model calls."""

    def __init__(
        self, model: Model, settings: Settings, metrics: Metrics, lines: Lines, streams: Streams
    ) -> None:
        self._model = model
        self._most_waiting = settings.most_waiting_requests
        self._metrics = metrics
        self._lines = lines
        self._stamps = Stamps()
        self._streams = streams
        self._bodies = Bodies(settings.largest_body_bytes, settings.most_buffered_bytes)
        self._turns = Turns(model.score, self._record, model.call_seconds, settings.request_seconds)
        self._prefix = secrets.token_hex(6)
        self._numbers = itertools.count(1)
        self._explaining = 0
        self._flush_is_due = False

    async def answer(self, headers: Headers, receive: Receive) -> Answer | None:
        """Answer one request, and count and record it; None when the caller has gone."""
        started = time.perf_counter()
        given = dict(headers)
        call = Call(f"{self._prefix}-{next(self._numbers):x}", _inference_id(given))
        outcome: Outcome = "ok"
        try:
            answer = await self._scored(given, receive, call, started)
        except GoneError:
            return None
        except RefusedError as refused:
            outcome = "overloaded" if refused.status == 503 else "client_error"
            answer = self._refused(call, refused)
        except Exception as error:  # whatever the model or its feature code raises
            outcome = "model_error"
            answer = self._failed(call, error)
        self._metrics.answered(outcome, time.perf_counter() - started)
        if not self._flush_is_due:
            self._flush_is_due = True
            get_running_loop().call_later(FLUSH_SECONDS, self._flush)
        return answer

    def refused(self, status: int, problem: str) -> None:
        """
        Record and count, by its reason, a request that was refused before it was whole.

        It is none of the requests by outcome: it never took time here, and would look fast there.
        """
        reason = UNREAD.get(status, "syntax")
        call = Call(f"{self._prefix}-{next(self._numbers):x}", None)
        self._refused(call, RefusedError(status, [Problem("", problem, reason)]))

    def close(self) -> None:
        """Count what is still pending, and give the model's thread back."""
        self._metrics.flush()
        self._turns.close()

    async def _scored(
        self, given: Mapping[bytes, bytes], receive: Receive, call: Call, started: float
    ) -> Answer:
        if self._turns.waiting >= self._most_waiting:
            raise overloaded(f"{self._most_waiting} requests wait already")
        attributes = given.get(ATTRIBUTES)
        explains = attributes is not None and EXPLAIN in attributes.lower()
        if explains and self._explaining >= MOST_EXPLANATIONS:
            raise overloaded(f"{MOST_EXPLANATIONS} requests for explanations wait already")
        media_type, write = formats.writer(given.get(b"accept"), explains)
        body = b""
        self._explaining += explains
        try:
            body = await self._bodies.read(given.get(b"content-length"), receive)
            batch = formats.read(self._model.schema, given.get(b"content-type"), body)
            call.unknown = batch.unknown
            if explains:
                self._model.check_explainable(batch.records)
            rows = self._model.rows(batch.records)
            future = get_running_loop().create_future()
            job = Invocation(rows, started, future, call, batch.records)
            self._turns.submit(job)
            await future
            scored = _result(job)
            predictions = [one.prediction for one in scored]
            if explains:
                predictions = await self._explained(job, scored)
            text = write(predictions, self._model.version)
        finally:
            self._explaining -= explains
            self._bodies.release(body)
        request_id = (ATTRIBUTES, b"request_id=" + call.request_id.encode())
        return 200, [(b"content-type", media_type), request_id], text

    async def _explained(self, job: Invocation, scored: Sequence[Scored]) -> list[Prediction]:
        """
        Add its explanation to each prediction, in a thread: it may take milliseconds.

        Explaining mixes records, and a model may fail on a mix; the predictions are good all the
        same, and go without.
        """
        try:
            return await self._turns.aside(lambda: self._model.explained(job.records, scored))
        except Exception as error:
            self._tell(self._lines.failure(self._stamps.now(), job.call, error))
            return [{**one.prediction, "explanation": None} for one in scored]

    def _record(self, jobs: Sequence[Job]) -> None:
        """
        Record and count what a call of the model gave, before anybody gets it.

        Raises OSError: a prediction that cannot be recorded is not answered.
        """
        now, stamp = time.perf_counter(), self._stamps.now()
        lines: list[bytes] = []
        for job in jobs:
            if isinstance(job, Invocation) and isinstance(job.result, list):
                lines += self._recorded(job, job.result, stamp, now - job.since)
        self._streams.predictions.write(lines)

    def _recorded(
        self, job: Invocation, scored: Sequence[Scored], stamp: str, seconds: float
    ) -> list[bytes]:
        pairs = zip(job.records, scored, strict=True)
        is_sound = all(map(_IS_SOUND, scored))
        for record, one in pairs if is_sound else [pair for pair in pairs if not pair[1].is_sound]:
            self._metrics.predicted(record, one.score, one.confidence)
        if not is_sound:
            job.result = NotSoundError("the model's numbers are no prediction")
            return []
        return self._lines.predictions(stamp, job.call, seconds, job.records, scored)

    def _refused(self, call: Call, refused: RefusedError) -> Answer:
        self._metrics.rejected({problem.reason for problem in refused.problems})
        self._tell(self._lines.rejection(self._stamps.now(), call, refused))
        headers = [(name.encode(), value.encode()) for name, value in refused.headers.items()]
        return refused.status, [JSON, *headers], formats.write_problems(refused.problems)

    def _failed(self, call: Call, error: Exception) -> Answer:
        self._tell(self._lines.failure(self._stamps.now(), call, error))
        return 500, [JSON], orjson.dumps({"errors": [FAILED]})

    def _tell(self, line: bytes) -> None:
        with suppress(OSError):  # the caller is answered all the same, and the request counted
            self._streams.others.write([line])

    def _flush(self) -> None:
        self._flush_is_due = False
        self._metrics.flush()


def _result(job: Job) -> list[Scored]:
    if isinstance(job.result, list):
        return job.result
    if isinstance(job.result, TooLateError):
        raise overloaded("the request waited for too long")
    raise job.result or RuntimeError("a job was done without a result")


def _inference_id(given: Mapping[bytes, bytes]) -> str | None:
    inference_id = given.get(INFERENCE_ID)
    return (inference_id and inference_id[:LONGEST_ID].decode("latin-1")) or None
