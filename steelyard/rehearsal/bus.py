"""EventBridge's bus: what happened on the local AWS, as the events that services send."""

import datetime
from collections.abc import Callable
from typing import Any

from moto.stepfunctions.parser.backend.execution import Execution


class Bus:
    """The events of one account and region that nobody has taken yet; `now` is the clock's."""

    def __init__(self, now: Callable[[], float], account: str, region: str) -> None:
        self._now = now
        self._account = account
        self._region = region
        self._count = 0
        self._happened: list[dict[str, Any]] = []

    def take(self) -> list[dict[str, Any]]:
        """Return the events since the last time."""
        happened, self._happened = self._happened, []
        return happened

    def note(self, execution: Execution) -> None:
        """
        Note an execution's new status, as Step Functions tells it.

        Source: Step Functions developer guide, "Automating Step Functions event delivery with
        EventBridge"; its dates are in epoch milliseconds.
        """
        detail = {
            "executionArn": execution.exec_arn,
            "stateMachineArn": execution.state_machine.arn,
            "name": execution.name,
            "status": None if execution.exec_status is None else execution.exec_status.value,
            "startDate": _milliseconds(execution.start_date),
            "stopDate": _milliseconds(execution.stop_date),
            "error": execution.error,
            "cause": execution.cause,
        }
        kind = "Step Functions Execution Status Change"
        self._happened.append(self.event("aws.states", kind, execution.exec_arn, detail))

    def event(
        self, source: str, kind: str, resource: str, detail: dict[str, Any] | None = None
    ) -> dict[str, Any]:
        """Return an event of this moment."""
        self._count += 1
        now = datetime.datetime.fromtimestamp(self._now(), datetime.UTC)
        return {
            "version": "0",
            "id": f"event-{self._count}",
            "detail-type": kind,
            "source": source,
            "account": self._account,
            "time": now.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "region": self._region,
            "resources": [resource],
            "detail": {} if detail is None else detail,
        }


def _milliseconds(moment: datetime.datetime | None) -> int | None:
    return None if moment is None else int(moment.timestamp() * 1000)
