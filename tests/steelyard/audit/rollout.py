"""A rollout's records, as the handlers write them, on seeded traffic."""

from typing import Any

from steelyard.rollout import judge
from steelyard.rollout.ledger import Kind, Record
from steelyard.rollout.weights import weights
from tests.steelyard.rollout.sample import BINS, Traffic, policy, policy_dict

BEGIN = 1_800_000_000
"""Begin of the first minute, in epoch seconds."""


class Rollout:
    """Writes records one after the other; minutes pass as they are measured."""

    def __init__(self, **changes: Any) -> None:
        self.policy = policy(**changes)
        self.records: list[Record] = []
        self.now = float(BEGIN)
        self._state = judge.start(self.policy)
        self._step = -1
        self._traffic = Traffic(per_minute=600)
        self._minute = BEGIN // 60
        body = {"champion": "v1", "challenger": "v2", "policy": policy_dict(**changes)}
        self.write("requested", "acquire", "promote v2 over v1", body)

    def write(
        self,
        kind: Kind,
        actor: str,
        reason: str,
        body: dict[str, Any] | None = None,
        weight: int | None = None,
    ) -> None:
        """Write a record; `weight` is the challenger's, None where the record names no weights."""
        named = weights("v1", "v2", weight, ("v0",)) if weight is not None else {}
        seq = len(self.records)
        self.records.append(
            Record(seq, self.now, kind, actor, self._step, named, reason, body or {})
        )

    def history(self, minutes: int) -> "Rollout":
        """Let the champion be measured alone, before the first step."""
        for _ in range(minutes):
            point = self._traffic.point(600, 0.005, BINS)
            self._fold(judge.Measurement(self._minute, -1, 0, point, None))
        return self

    def step(self, step: int) -> "Rollout":
        """Let the next step's weights come into force."""
        self._step = step
        self.write("acted", "set weights", f"asking for weight {self._weight}", {}, self._weight)
        self.now += 12.5
        self.write("acted", "set weights", "weights are in force", {}, self._weight)
        self._enter()
        return self

    def resume(self) -> "Rollout":
        """Let a person resume the rollout: its step's bake begins anew."""
        self.write("acted", "operator", "looks well", {"order": "resume", "by": "ada"})
        self._enter()
        return self

    def minutes(self, count: int, errors: float = 0.005) -> "Rollout":
        """Let minutes be measured and judged in which the challenger fails at this rate."""
        for _ in range(count):
            found = self._traffic.minute(self._minute, self._step, self._weight, (0.005, errors))
            self._fold(found)
        return self

    def abort(self, seconds: float = 20) -> "Rollout":
        """Let the rollback Lambda bring all weight home, which takes so long."""
        home = 0 if self._step >= 0 else None
        done = ("weights asked for", "weights are home", "weights are home and stayed there")
        for said, passed in zip(done, (seconds, 60, 0), strict=True):
            self.write("acted", "rollback", "judge: errors", {"done": said}, home)
            self.now += passed
        return self

    def expire(self, seconds: float = 60) -> "Rollout":
        """Let the watchdog bring all weight home, which takes so long."""
        self.write("acted", "watchdog", "the lease expired", {"done": "mark"})
        self.write("acted", "watchdog", "all weight to v1", {"done": "shift"}, 0)
        self.now += seconds
        self.write("acted", "watchdog", "weights are home", {"done": "note"})
        self.now += 60
        self.write("acted", "watchdog", "weights are home and stayed there", {"done": "end"})
        return self

    def let_scale(self) -> "Rollout":
        """Let the watchdog end what the rollout held of the variants' scaling."""
        self.write("acted", "watchdog", "v1, v2 may scale again", {"done": "resume"})
        return self

    def release(self) -> "Rollout":
        """Let the challenger be promoted."""
        self.write("acted", "release", "v2 is promoted; v1 stays warm at weight 0", {}, 100)
        return self

    @property
    def texts(self) -> list[str]:
        """The records as they are stored."""
        return [record.to_json() for record in self.records]

    @property
    def _weight(self) -> int:
        return self.policy.plan()[self._step].weight

    def _enter(self) -> None:
        self._state = judge.enter(self.policy, self._state, self._step, self.now)

    def _fold(self, found: judge.Measurement) -> None:
        """Measure a minute once it has settled, and record what follows from it."""
        self._minute += 1
        self.now = max(self.now, 60.0 * self._minute + self.policy.settle_seconds)
        self._state = judge.fold(self.policy, self._state, found)
        weight = max(0, found.weight)
        self.write("measured", "judge", f"minute {found.minute}", found.to_dict(), weight)
        verdict = judge.verdict(self.policy, self._state, self.now)
        said = verdict.to_dict()
        body = {"outcome": verdict.outcome, "verdict": said, "evidence": verdict.evidence}
        self.write("decided", "judge", "; ".join(verdict.reasons), body, weight)
