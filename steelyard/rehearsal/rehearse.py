"""A whole rehearsal: scenarios, one after the other, under one virtual clock; and its report."""

import tempfile
import time
from collections.abc import Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol

from steelyard.rehearsal import router
from steelyard.rehearsal.assembly import CannotPlay
from steelyard.rehearsal.autoscaling import PATIENCE_MINUTES
from steelyard.rehearsal.clock import Clock
from steelyard.rehearsal.endpoint_model import USUAL
from steelyard.rehearsal.local_aws import PUBLICATION_SECONDS, local_aws
from steelyard.rehearsal.play import QUIET_SECONDS, SLICE_SECONDS, Glimpse, Play
from steelyard.rehearsal.processes import ended_in_order
from steelyard.rehearsal.scenario import Scenario
from steelyard.rehearsal.traffic import Traffic

# A full minute, so that metrics, schedules and the judge's minutes begin with the clock.
EPOCH = 1_800_000_000.0
# More requests than this per virtual minute only take longer to play.
MOST_REQUESTS_PER_MINUTE = 600.0

SIMULATED = (
    "CloudFormation, IAM, Lambda, Step Functions, DynamoDB, EventBridge, SNS, S3 and CloudWatch's "
    "storage are moto's, extended; no permission of an IAM role is checked",
    "handlers run in AWS's Lambda runtime client, on this machine's Python and boto3",
    f"the endpoint follows SageMaker's documented life cycle; a change of weights takes "
    f"{USUAL.weights_seconds:.0f} s and a new endpoint {USUAL.create_seconds:.0f} s: assumptions",
    "one container process stands for all instances of a variant, started from the source tree "
    "instead of the image; a dead one is not restarted",
    f"the latency of each answer is drawn from a log-normal distribution (median "
    f"{router.MEDIAN_SECONDS * 1000:.0f} ms, sigma {router.SPREAD}; latency=xN multiplies the "
    f"challenger's) and takes no time of the virtual clock; the answers are real",
    "the containers' own counters of latency hold this machine's wall time: each scrape replaces "
    "them by the drawn latencies of the same requests, in the bins of the model's manifest",
    "alarms are evaluated at each full minute on all data up to then; containers' counters become "
    f"visible {PUBLICATION_SECONDS:.0f} s after they are scraped: assumptions",
    f"weights, faults and events are timed to {SLICE_SECONDS} virtual seconds; once nothing has "
    f"changed for {QUIET_SECONDS // 60} minutes, time passes by whole minutes until something "
    "does, with at most one scrape of the counters in each",
    "a custom resource's answer is taken as soon as its function has ended; a stack that fails is "
    "brought back at once; failed events go to dead letters without EventBridge's own retries",
    "application auto scaling is one rule: out at once to the last minute's requests over the "
    f"target, in after {PATIENCE_MINUTES} minutes that all wanted less; it tracks invocations only",
)
UNVERIFIED = (
    "nothing of this has been deployed to an AWS account",
    "the collector's labels, delay and raw range queries (PromQL) on a live endpoint",
    "the time from a weight call to the weight in force",
    "the delay from a failed request to a CloudWatch alarm and its Lambda action",
    "the name under which a step's failure leaves the state machine's Map and reaches Abort",
    "an artefact whose S3 key ends in .gz instead of .tar.gz, as CDK names it",
)


class Stage(Protocol):
    """Where a rehearsal shows itself to people."""

    def begin(self, scenario: Scenario) -> None:
        """A rollout is about to be deployed."""

    def show(self, glimpse: Glimpse) -> None:
        """A virtual minute has passed."""

    def end(self, entry: dict[str, Any]) -> None:
        """A rollout has ended, with this entry in the report."""


@dataclass
class Watches:
    """Wall time by phase."""

    phases: list[dict[str, Any]] = field(default_factory=list)

    def note(self, name: str, since: float) -> None:
        """Note a phase that began at `since` of the performance counter and ends now."""
        self.phases.append({"name": name, "seconds": round(time.perf_counter() - since, 2)})


def check(scenarios: Sequence[Scenario]) -> None:
    """Refuse what cannot be played, before anything is deployed; raises CannotPlay."""
    problems = [problem for scenario in scenarios for problem in scenario.assembly.problems()]
    if problems:
        raise CannotPlay(list(dict.fromkeys(problems)))


def rehearse(
    environment: str,
    scenarios: Sequence[Scenario],
    bodies: Sequence[bytes],
    requests_per_minute: float,
    seed: int,
    stage: Stage,
    watches: Watches,
) -> dict[str, Any]:
    """
    Play every scenario on a fresh deployment and return the report.

    Raises CannotPlay for an assembly that the local AWS cannot play, before deploying anything.
    """
    check(scenarios)
    rate = min(requests_per_minute, MOST_REQUESTS_PER_MINUTE)
    first = scenarios[0].assembly
    entries = []
    with (
        ended_in_order(),
        tempfile.TemporaryDirectory(prefix="steelyard-") as folder,
        Clock(EPOCH) as clock,
        local_aws(clock, first.account, first.region, Path(folder)) as aws,
    ):
        for number, scenario in enumerate(scenarios):
            since = time.perf_counter()
            if number:
                aws.reset()
            stage.begin(scenario)
            home = Path(folder, f"containers-{number}")
            with closing(Traffic(bodies, rate, seed)) as traffic:
                entries.append(Play(aws, scenario, traffic, seed, home, stage.show).run())
            stage.end(entries[-1])
            watches.note(f"play: {scenario.name}", since)
    return {
        "schema": 1,
        "endpoint": first.endpoint_name,
        "environment": environment,
        "simulated": _simulated(requests_per_minute, rate),
        "unverified": list(UNVERIFIED),
        "phases": watches.phases,
        "virtual_seconds": clock.elapsed,
        "traffic": {"requests_per_minute": rate, "seed": seed},
        "rollouts": entries,
    }


def _simulated(expected: float, played: float) -> list[str]:
    if played == expected:
        return list(SIMULATED)
    return [
        *SIMULATED,
        f"{played:g} requests a minute are played of the {expected:g} that the file expects",
    ]
