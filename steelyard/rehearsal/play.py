"""One rollout, played: the deployed parts act, the traffic flows, the clock is moved on."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from steelyard.rehearsal import fleet, history
from steelyard.rehearsal.autoscaling import Autoscaling
from steelyard.rehearsal.collector import Collector
from steelyard.rehearsal.conclusion import conclude
from steelyard.rehearsal.containers import Container
from steelyard.rehearsal.events import END, HARMFUL, START, Agenda, Event
from steelyard.rehearsal.faults import IMAGE, Fault
from steelyard.rehearsal.invocation import Invocations
from steelyard.rehearsal.journal import Journal
from steelyard.rehearsal.local_aws import LocalAws
from steelyard.rehearsal.metrics import MetricStore
from steelyard.rehearsal.moto_patches import stepfunctions
from steelyard.rehearsal.outside import Outcome, Outside, Rollout
from steelyard.rehearsal.router import Router
from steelyard.rehearsal.rules import Rules
from steelyard.rehearsal.scenario import Scenario
from steelyard.rehearsal.traffic import Traffic
from steelyard.rehearsal.watch import Watch

# Virtual seconds between two looks at the world: weights and faults are timed this exactly.
SLICE_SECONDS = 5
# Once nothing has changed for so long, time passes by whole minutes until something does: alarms
# and schedules fall due no more often, and the state machine's own waits end where they must.
QUIET_SECONDS = 1800
# Traffic before the rollout, to see that a weight of 0 means 0, and after it, to see who serves.
BEFORE_SECONDS = 120
AFTER_SECONDS = 120
# How long after its end a rollout may still be brought home, and events of its end may last.
HOME_SECONDS = 3600


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
            self._end()
            return self._entry(status)
        finally:
            fleet.close(self._containers.values())

    def _stand_up(self) -> None:
        aws, assembly = self._aws, self._scenario.assembly
        (self._endpoint,) = aws.endpoints.models
        (self._table,) = aws.client("dynamodb").list_tables()["TableNames"]
        machines = aws.client("stepfunctions").list_state_machines()["stateMachines"]
        self._machine = machines[0]["stateMachineArn"]
        self._containers = fleet.start(aws, self._endpoint, self._folder, self._command)
        aws.clock.advance(aws.endpoints.get(self._endpoint).settles_at() - aws.clock.now)
        aws.clock.advance(-aws.clock.now % 60)
        edges = fleet.score_edges(self._folder, self._scenario.champion)
        self._journal = Journal(self._scenario.champion, self._scenario.challenger, edges)
        self._journal.t_start = aws.clock.elapsed
        store = MetricStore()
        self._router = Router(
            self._endpoint,
            self._containers,
            lambda: aws.endpoints.shares(self._endpoint),
            lambda: aws.clock.now,
            store,
            self._seed,
            lambda: aws.endpoints.copies(self._endpoint),
        )
        aws.runtime.route(self._endpoint, self._router)
        self._collector = Collector(self._endpoint, assembly.endpoint_config, aws.samples)
        self._sent = Invocations(aws)
        self._watch = Watch(aws, assembly, store, self._sent, self._hear)
        self._rules = Rules(aws, self._sent)
        self._autoscaling = Autoscaling(aws, self._endpoint, store, self._note_scaling)
        self._agenda = Agenda(self._scenario.events)
        self._awaited: list[tuple[Event, float]] = []
        self._weights_changed()

    def _command(self, variant: str) -> Sequence[str]:
        special = [fault.command() for fault in self._scenario.faults if fault.command() != IMAGE]
        return special[0] if special and variant == self._scenario.challenger else IMAGE

    def _begin(self) -> str:
        clock = self._aws.clock
        self._rollout = f"{self._scenario.challenger}-{int(clock.elapsed)}"
        answer = self._aws.client("stepfunctions").start_execution(
            stateMachineArn=self._machine, name=self._rollout, input="{}"
        )
        clock.settle()
        arn: str = answer["executionArn"]
        rollout = Rollout(self._endpoint, self._machine, self._rollout, arn)
        self._outside = Outside(self._aws, self._scenario.assembly, rollout)
        self._agenda.begin(START, clock.elapsed)
        self._begun_at = clock.now
        return arn

    def _until_ended(self, execution: str) -> str:
        end = self._aws.clock.now + self._scenario.longest_seconds
        while self._aws.clock.now < end:
            if self._is_quiet():
                self._slice(60)
            else:
                self._flow(2 * SLICE_SECONDS)
            status = stepfunctions.status(self._aws.account, self._aws.region, execution)
            if status != "RUNNING":
                return status
        return "RUNNING"

    def _end(self) -> None:
        """Let what is left come home, and what happens after the end happen."""
        clock = self._aws.clock
        self._journal.note_end(clock.elapsed)
        self._agenda.begin(END, clock.elapsed)
        latest = clock.now + HOME_SECONDS
        while clock.now < latest and not self._is_at_rest():
            self._flow(60)
        self._flow(AFTER_SECONDS)

    def _is_at_rest(self) -> bool:
        lock = history.lock(self._aws, self._table, self._endpoint)
        is_driven = lock.get("phase") in ("progressing", "paused", "aborting")
        return not is_driven and self._agenda.is_done and not self._awaited

    def _is_quiet(self) -> bool:
        """Say whether nothing has changed for long and nothing is due in the minute that begins."""
        clock = self._aws.clock
        if clock.now % 60 or self._awaited or self._agenda.next(clock.elapsed + 60) is not None:
            return False
        changed = max(self._aws.endpoints.get(self._endpoint).settles_at(), self._begun_at)
        return clock.now - changed >= QUIET_SECONDS

    def _flow(self, seconds: int) -> None:
        """Let so much virtual time pass, slice by slice."""
        for _ in range(seconds // SLICE_SECONDS):
            self._slice(SLICE_SECONDS)

    def _slice(self, seconds: int) -> None:
        """Let some virtual time pass with its traffic, and then what has fallen due."""
        clock = self._aws.clock
        answers = self._traffic.play(self._router, seconds)
        self._journal.note_answers(clock.elapsed, answers)
        clock.advance(seconds)
        self._weights_changed()
        self._collector.collect(self._containers.values(), clock.now)
        self._rules.deliver()
        self._happen()
        if clock.now % 60 == 0:
            self._minute()
            clock.settle()
            self._look()

    def _minute(self) -> None:
        """Do what falls due at this full minute."""
        self._sent.run_due()
        self._watch.minute()
        self._rules.minute()
        self._autoscaling.minute()

    def _happen(self) -> None:
        """Let the events happen that are due, and note what came of those that have ended."""
        now = self._aws.clock.elapsed
        for event in self._agenda.due(now):
            if event.kind in HARMFUL and self._journal.t_fault is None:
                self._journal.t_fault = now
            outcome = self._outside.carry_out(event.kind)
            if outcome is None:
                self._awaited.append((event, now))
            else:
                self._note_event(event, now, outcome)
        if self._awaited and (outcome := self._outside.deployed()) is not None:
            self._note_event(*self._awaited.pop(0), outcome)

    def _note_event(self, event: Event, at: float, outcome: Outcome) -> None:
        self._journal.note_event(at, event.text, outcome.done, outcome.said)
        self._rules.refresh()
        self._watch.refresh(self._outside.assembly)
        self._autoscaling.refresh()

    def _note_scaling(self, said: str) -> None:
        self._journal.note_event(self._aws.clock.elapsed, "scaling", True, said)

    def _weights_changed(self) -> None:
        """Note the weights in force; a step begins, and faults strike, when its weight is there."""
        clock, scenario = self._aws.clock, self._scenario
        variants = self._aws.endpoints.describe(self._endpoint)["ProductionVariants"]
        live = {variant["VariantName"]: round(variant["CurrentWeight"]) for variant in variants}
        live.setdefault(scenario.challenger, 0)  # a shadow has no weight among the others
        changed = self._journal.note_weights(clock.elapsed, live)
        weight = live[scenario.challenger]
        if (index := self._begins(weight if changed else None)) is None:
            return
        self._journal.note_step(clock.elapsed, index, weight)
        self._agenda.begin(index, clock.elapsed)
        if scenario.is_worse and self._journal.t_fault is None:
            self._journal.t_fault = clock.elapsed
        for fault in scenario.faults:
            if fault.step <= index and fault not in self._struck:
                self._struck.add(fault)
                fault.strike(self._containers[scenario.challenger])
                if self._journal.t_fault is None:
                    self._journal.t_fault = clock.elapsed

    def _begins(self, weight: int | None) -> int | None:
        """Return the step that begins with a new weight, or when a shadow's copies are judged."""
        if not self._scenario.is_shadow:
            plan: dict[int | None, int] = {at: step for step, at in enumerate(self._scenario.plan)}
            return plan.get(weight)
        lock = history.lock(self._aws, self._table, self._endpoint)
        return 0 if "since" in lock and not self._journal.steps else None

    def _check_silence(self) -> None:
        challenger = self._scenario.challenger
        served = self._journal.served(challenger)
        if served or self._aws.endpoints.shares(self._endpoint).get(challenger):
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
