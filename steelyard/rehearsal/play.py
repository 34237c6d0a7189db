"""One rollout, played: the deployed parts act, the traffic flows, the clock is moved on."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from steelyard.rehearsal import fleet, history
from steelyard.rehearsal.collector import Collector
from steelyard.rehearsal.conclusion import conclude
from steelyard.rehearsal.containers import Container
from steelyard.rehearsal.faults import IMAGE, Fault
from steelyard.rehearsal.invocation import Invocations
from steelyard.rehearsal.journal import Journal
from steelyard.rehearsal.local_aws import LocalAws
from steelyard.rehearsal.metrics import MetricStore
from steelyard.rehearsal.router import Router
from steelyard.rehearsal.scenario import Scenario
from steelyard.rehearsal.traffic import Traffic
from steelyard.rehearsal.watch import Watch

# Virtual seconds between two looks at the world: weights and faults are timed this exactly.
SLICE_SECONDS = 5
# Traffic before the rollout, to see that a weight of 0 means 0, and after it, to see who serves.
BEFORE_SECONDS = 120
AFTER_SECONDS = 120


@dataclass(frozen=True)
class Glimpse:
    """What a person sees while a rollout runs; `t` in virtual seconds of this rollout."""

    t: float
    step: int
    weights: dict[str, int]
    requests: int
    errors: int
    verdict: str
    reason: str


Show = Callable[[Glimpse], None]


class Play:
    """One rollout on a local AWS on which nothing stands yet."""

    def __init__(
        self,
        aws: LocalAws,
        scenario: Scenario,
        traffic: Traffic,
        seed: int,
        folder: Path,
        show: Show,
    ) -> None:
        self._aws = aws
        self._scenario = scenario
        self._traffic = traffic
        self._seed = seed
        self._folder = folder
        self._show = show
        self._containers: dict[str, Container] = {}
        self._struck: set[Fault] = set()

    def run(self) -> dict[str, Any]:
        """Deploy, play and judge the rollout; return its entry in the report."""
        self._aws.deploy(self._scenario.assembly)
        try:
            self._stand_up()
            self._flow(BEFORE_SECONDS)
            self._check_silence()
            execution = self._begin()
            status = self._until_ended(execution)
            self._journal.note_end(self._aws.clock.elapsed)
            self._flow(AFTER_SECONDS)
            return self._entry(status)
        finally:
            for container in self._containers.values():
                container.close()

    def _stand_up(self) -> None:
        aws, assembly = self._aws, self._scenario.assembly
        (self._endpoint,) = aws.endpoints.models
        (self._table,) = aws.client("dynamodb").list_tables()["TableNames"]
        machines = aws.client("stepfunctions").list_state_machines()["stateMachines"]
        self._machine = machines[0]["stateMachineArn"]
        self._containers = fleet.start(aws, self._endpoint, self._folder, self._command)
        aws.clock.advance(aws.endpoints.get(self._endpoint).settles_at() - aws.clock.now)
        aws.clock.advance(-aws.clock.now % 60)
        self._journal = Journal(self._scenario.champion, self._scenario.challenger, self._edges())
        self._journal.t_start = aws.clock.elapsed
        store = MetricStore()
        self._router = Router(
            self._endpoint,
            self._containers,
            lambda: aws.endpoints.shares(self._endpoint),
            lambda: aws.clock.now,
            store,
            self._seed,
        )
        aws.runtime.route(self._endpoint, self._router)
        self._collector = Collector(self._endpoint, assembly.endpoint_config, aws.samples)
        self._sent = Invocations(aws)
        self._watch = Watch(aws, assembly, store, self._sent, self._hear)
        self._weights_changed()

    def _command(self, variant: str) -> Sequence[str]:
        special = [fault.command() for fault in self._scenario.faults if fault.command() != IMAGE]
        return special[0] if special and variant == self._scenario.challenger else IMAGE

    def _edges(self) -> list[float]:
        manifest = self._folder / self._scenario.champion / "manifest.json"
        edges: list[float] = json.loads(manifest.read_text("utf-8"))["scores"]["score"]["edges"]
        return edges

    def _begin(self) -> str:
        clock = self._aws.clock
        self._rollout = f"{self._scenario.challenger}-{int(clock.elapsed)}"
        answer = self._aws.client("stepfunctions").start_execution(
            stateMachineArn=self._machine, name=self._rollout, input="{}"
        )
        clock.settle()
        arn: str = answer["executionArn"]
        return arn

    def _until_ended(self, execution: str) -> str:
        end = self._aws.clock.now + self._scenario.longest_seconds
        while self._aws.clock.now < end:
            self._flow(2 * SLICE_SECONDS)
            answer = self._aws.client("stepfunctions").describe_execution(executionArn=execution)
            if answer["status"] != "RUNNING":
                return str(answer["status"])
        return "RUNNING"

    def _flow(self, seconds: int) -> None:
        """Let so much virtual time pass, with its traffic, scrapes, alarms and schedules."""
        clock = self._aws.clock
        for _ in range(seconds // SLICE_SECONDS):
            answers = self._traffic.play(self._router, SLICE_SECONDS)
            self._journal.note_answers(clock.elapsed, answers)
            clock.advance(SLICE_SECONDS)
            self._weights_changed()
            self._collector.collect(self._containers.values(), clock.now)
            if clock.now % 60 == 0:
                self._watch.minute()
                clock.settle()
                self._look()

    def _weights_changed(self) -> None:
        """Note the weights in force; a step begins, and faults strike, when its weight is there."""
        clock, scenario = self._aws.clock, self._scenario
        variants = self._aws.endpoints.describe(self._endpoint)["ProductionVariants"]
        live = {variant["VariantName"]: round(variant["CurrentWeight"]) for variant in variants}
        changed = self._journal.note_weights(clock.elapsed, live)
        weight = live[scenario.challenger]
        if not changed or weight not in scenario.plan:
            return
        index = list(scenario.plan).index(weight)
        self._journal.note_step(clock.elapsed, index, weight)
        if scenario.is_worse and self._journal.t_fault is None:
            self._journal.t_fault = clock.elapsed
        for fault in scenario.faults:
            if fault.step <= index and fault not in self._struck:
                self._struck.add(fault)
                fault.strike(self._containers[scenario.challenger])
                if self._journal.t_fault is None:
                    self._journal.t_fault = clock.elapsed

    def _check_silence(self) -> None:
        challenger = self._scenario.challenger
        share = self._aws.endpoints.shares(self._endpoint)[challenger]
        served = self._journal.served(challenger)
        if share > 0 or served:
            self._journal.problems.append(
                f"{challenger} served {served} requests before the rollout began: "
                f"its initial weight is not 0"
            )

    def _hear(self, name: str, state: str, reason: str) -> None:
        if state != "INSUFFICIENT_DATA":
            self._journal.alarms.append(
                {
                    "t_seconds": self._aws.clock.elapsed,
                    "name": name,
                    "state": state,
                    "reason": reason,
                }
            )

    def _look(self) -> None:
        lock = history.lock(self._aws, self._table, self._endpoint)
        verdict, reason = history.newest_verdict(self._aws, self._table, lock)
        self._show(
            Glimpse(
                t=self._aws.clock.elapsed - self._journal.t_start,
                step=int(lock.get("step", -1)),
                weights=dict(self._journal.weights_in_force),
                requests=self._journal.requests,
                errors=self._journal.errors,
                verdict=verdict,
                reason=reason,
            )
        )

    def _entry(self, status: str) -> dict[str, Any]:
        return conclude(
            self._scenario,
            self._journal,
            history.records(self._aws, self._table, self._rollout),
            status,
            self._sent.failures,
        )
