"""The verdict: what was measured against what was asked for, in sentences with both numbers."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from steelyard.loadtest import wording
from steelyard.loadtest.knee import LEAST_THROUGHPUT
from steelyard.loadtest.measurement import Measurement
from steelyard.loadtest.quantiles import least_samples

Outcome = Literal["pass", "fail", "inconclusive"]


@dataclass(frozen=True)
class Wanted:
    """
    What must hold: p99 in seconds, and the planned rate in requests a second, if there is a plan.

    `plan` says where the rate comes from.
    """

    p99: float
    rate: float | None = None
    plan: str = ""


@dataclass(frozen=True)
class Reason:
    """One thing that was judged."""

    outcome: Outcome
    text: str


@dataclass(frozen=True)
class Verdict:
    """The outcome with every reason for it."""

    outcome: Outcome
    reasons: tuple[Reason, ...]


def judge(run: Measurement, wanted: Wanted) -> Verdict:
    """
    Return the verdict on a run.

    A generator that fell behind makes everything inconclusive: what it saw late, the server need
    not have done. Else one failed reason fails, and one inconclusive reason keeps it from passing.
    """
    reasons = tuple(_reasons(run, wanted))
    outcomes = [reason.outcome for reason in reasons]
    if run.is_generators:
        outcomes = ["inconclusive"]
    ranked: tuple[Outcome, ...] = ("fail", "inconclusive", "pass")
    return Verdict(next(outcome for outcome in ranked if outcome in outcomes), reasons)


def _reasons(run: Measurement, wanted: Wanted) -> Iterator[Reason]:
    if run.is_generators:
        yield Reason(
            "inconclusive",
            f"the generator was the bottleneck: it sent {wording.share(run.late)} of the requests "
            f"more than {wording.span(run.late_seconds)} late, allowed is 1%: give it a quieter "
            f"machine, or a lower rate",
        )
    yield _latency(run, wanted)
    yield _throughput(run)
    if wanted.rate is not None and run.rate < wanted.rate * (1 - 1e-9):
        yield Reason(
            "inconclusive",
            f"{wording.rate(run.rate)} is less than the planned {wording.rate(wanted.rate)} "
            f"({wanted.plan}): leave out --rate to try that",
        )
    if run.failures:
        failed = sum(run.failures.values())
        classes = ", ".join(f"{name} {count:,}" for name, count in run.failures.items())
        yield Reason(
            "fail" if failed == run.requests else "pass",
            f"{failed:,} of {run.requests:,} requests failed ({classes}); each counts as "
            f"infinitely slow",
        )


def _latency(run: Measurement, wanted: Wanted) -> Reason:
    p99, limit = run.p99, wording.span(wanted.p99)
    at = f"at {wording.rate(run.rate)}"
    if p99.seconds is None or p99.low is None or p99.high is None:
        return Reason(
            "inconclusive",
            f"{p99.samples:,} requests are too few for a p99, which needs "
            f"{least_samples(p99.share):,}: give a longer time with --seconds",
        )
    if p99.low > wanted.p99:
        return Reason("fail", f"p99 {wording.latency(p99.seconds)} > limit {limit} {at}")
    if p99.high <= wanted.p99:
        return Reason("pass", f"p99 {wording.latency(p99.seconds)} ≤ limit {limit} {at}")
    return Reason(
        "inconclusive",
        f"the limit {limit} lies within the interval of p99, {wording.latency(p99.low)} to "
        f"{wording.latency(p99.high)}, {at}: give a longer time with --seconds",
    )


def _throughput(run: Measurement) -> Reason:
    least = LEAST_THROUGHPUT * run.offered
    is_good = run.throughput >= least
    return Reason(
        "pass" if is_good else "fail",
        f"{wording.rate(run.throughput)} answered {'≥' if is_good else '<'} {wording.rate(least)}, "
        f"95% of the {wording.number(run.offered)} sent",
    )
