"""The whole world at one moment, as a value: what AWS holds, what runs, and what may still come."""

import json
from dataclasses import dataclass, replace
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any

from exploration.execution import Execution
from exploration.machine import Machine
from exploration.replay import Process
from exploration.table import Table
from exploration.traffic import CHALLENGER, CHAMPION, HEALTHY, START, Health
from exploration.values import thawed
from lambdas.aws.attributes import plain
from steelyard.rehearsal.endpoint_model import EndpointModel
from steelyard.rollout.ledger import Lock, lock_key
from steelyard.rollout.policy import Policy, canonical

ROOT = Path(__file__).resolve().parent.parent
ENDPOINT = "scales-test"
OTHER = "v0"
VARIANTS = (OTHER, CHAMPION, CHALLENGER)
CONFIG = "config-1"
MINUTE = 60.0
LAMBDA_SECONDS = 60.0
"""The longest that an invocation may take: the functions' timeout in the stack."""

POLICY = Policy.from_dict(
    {
        "schema": 1,
        "steps": [{"weight": 10, "bake_seconds": 60}],
        "soak_seconds": 60,
        "longest_seconds": 360,
        "pause_seconds": 300,
        "settle_seconds": 60,
        "false_rollback": 0.01,
        "tolerance": {
            "errors_relative": 0.5,
            "errors_absolute": 0.01,
            "latency": 0.2,
            "predictions": 0.1,
        },
        "expected": {"score": 0.12, "confidence": 0.12},
        "minimum_requests": 1,
        "undecided": "pause",
        "patience_minutes": 1,
        "warmup_seconds": 0,
        "latency_edges": [],
        "promotion_margin": None,
        "false_promotion": 0.05,
        "conduct": {
            "confirm": [],
            "freeze": [],
            "deadline_seconds": 7200,
            "headroom": 0.3,
            "champion_scale_out": "hold",
        },
    }
)
"""A short rollout: one step of 10 %, then the soak."""

SETTINGS = {
    "ENDPOINT": ENDPOINT,
    "LEDGER": "ledger",
    "TOPIC": "arn:aws:sns:eu-central-1:111122223333:alerts",
    "CHAMPION": CHAMPION,
    "CHALLENGER": CHALLENGER,
    "VARIANTS": ",".join(VARIANTS),
    "POLICY": canonical(POLICY.to_dict()),
    "INSTANCES": json.dumps(dict.fromkeys(VARIANTS, 1)),
}
"""What the control stack gives its functions, of which each reads its own."""

ALL = "all"
"""The entry of a budget that counts everything together."""

HELD = ("DynamicScalingInSuspended", "DynamicScalingOutSuspended", "ScheduledScalingSuspended")


@dataclass(frozen=True, slots=True)
class Target:
    """A variant's scalable target: its limits, and which kinds of scaling are suspended."""

    variant: str
    least: int = 1
    most: int = 4
    held: frozenset[str] = frozenset()


@dataclass(frozen=True)
class World:
    """
    One moment; every time is in epoch seconds.

    `alarms` are those that ring, `rang` the last alarm's event; `ticks` says when each schedule
    wakes its Lambda next, `later` holds asynchronous deliveries that are tried again; `dead` are
    functions that never run again; `budget` counts what may still happen. The last four are what
    the invariants remember: how long the challenger has had weight beyond its lease and without an
    execution, and how often a tick of the watchdog and of the judge was lost.
    """

    now: float
    table: Table
    endpoint: EndpointModel
    ticks: tuple[tuple[str, float], ...]
    budget: tuple[tuple[str, int], ...] = ()
    health: Health = HEALTHY
    alarms: frozenset[str] = frozenset()
    rang: str | None = None
    targets: tuple[Target, ...] = ()
    executions: tuple[Execution, ...] = ()
    processes: tuple[Process, ...] = ()
    later: tuple[tuple[float, Process], ...] = ()
    dead: frozenset[str] = frozenset()
    overdue: float = 0.0
    undriven: float = 0.0
    lost: int = 0
    unjudged: int = 0

    def __hash__(self) -> int:
        return self._hash

    @cached_property
    def _hash(self) -> int:
        return hash(
            (self.now, self.table, self.processes, self.executions, self.budget, self.overdue)
        )

    @cached_property
    def lock(self) -> Lock | None:
        """The endpoint's lock, as the handlers read it."""
        text = self.table.text(_LOCK)
        return None if text is None else _lock(text)

    @cached_property
    def description(self) -> dict[str, Any]:
        """DescribeEndpoint's answer."""
        return self.endpoint.describe(self.now)

    def weights(self, kind: str = "CurrentWeight") -> dict[str, float]:
        """Return the weights in force, or with DesiredWeight those that were asked for."""
        return {v["VariantName"]: v[kind] for v in self.description["ProductionVariants"]}

    def left(self, name: str) -> int:
        """Return how often something may still happen: its own count, and that of all together."""
        counts = dict(self.budget)
        return min(counts.get(name, 0), counts.get(ALL, 0))

    def spend(self, name: str) -> "World":
        """Return the world in which something has happened once more."""
        return replace(
            self, budget=tuple((n, left - (n in (name, ALL))) for n, left in self.budget)
        )

    def allow(self, together: int, *names: str) -> "World":
        """Return the world in which these may happen, each once and so many together."""
        counts = [(ALL, together), *((name, names.count(name)) for name in dict.fromkeys(names))]
        return replace(self, budget=tuple(counts))

    def but(self, **changes: Any) -> "World":
        """Return the world with changes."""
        return replace(self, **changes)

    def with_execution(self, execution: Execution) -> "World":
        """Return the world with an execution in the place of the one of its name."""
        others = [one for one in self.executions if one.name != execution.name]
        found = sorted([*others, execution], key=lambda one: one.name)
        return self.but(executions=tuple(found))


_LOCK = {name: {"S": value} for name, value in lock_key(ENDPOINT).items()}


@lru_cache(maxsize=10_000)
def _lock(text: str) -> Lock:
    return Lock.from_attributes(plain(thawed(text)))


def rollout_machine() -> Machine:
    """Return the state machine that the control stack deploys, its Lambdas named by handler."""
    text = (ROOT / "stacks" / "rollout.asl.json").read_text("utf-8")
    names = {
        "Acquire": "acquire",
        "Preflight": "preflight",
        "Prepare": "prepare",
        "SetWeights": "set_weights",
        "Release": "release",
        "Rollback": "rollback",
        "Ledger": SETTINGS["LEDGER"],
        "Endpoint": ENDPOINT,
    }
    for name, value in names.items():
        text = text.replace(f"${{{name}}}", value)
    return Machine("rollout", thawed(text))


def beginning(count: int = 1) -> World:
    """Return the world before any rollout: v1 serves alone on `count` instances, all are warm."""
    variants = [
        {"VariantName": name, "InitialVariantWeight": float(name == CHAMPION)}
        | {"InitialInstanceCount": count if name == CHAMPION else 1}
        for name in VARIANTS
    ]
    return World(
        now=START,
        table=Table(),
        endpoint=EndpointModel.create(ENDPOINT, CONFIG, variants, START - 86400.0),
        ticks=(("judge", START + MINUTE), ("watchdog", START + MINUTE)),
        targets=tuple(Target(name) for name in VARIANTS),
    )
